"""What was said: a transcript as it was handed in, read as plain lines, and cut into pieces that a provider takes."""

import html
import re
from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 4_000_000
"""Some 700,000 words: three days of talk."""

MOST_CUES = 100_000
LONGEST_CUE_LINE = 10_000

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
"""Control characters, and what turns or hides text; tabs and line ends are told apart before."""

_SPEAKER = re.compile(r"<v(?:\.[^\s<>]{0,100})? ([^<>]{1,100})>")
_MARKUP = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")


def trouble_with(transcript: str) -> str | None:
    """Why the transcript is not taken; None for one that is."""
    if not transcript.strip():
        return "has no words"
    if len(transcript) > MOST_CHARACTERS:
        return f"may have {MOST_CHARACTERS:,} characters at most"
    if not is_subtitles(transcript):
        return None
    if transcript.count("-->") > MOST_CUES:
        return f"may have {MOST_CUES:,} cues at most"
    if any(len(line) > LONGEST_CUE_LINE for line in transcript.splitlines()):
        return f"is in cues, whose lines may have {LONGEST_CUE_LINE:,} characters at most"
    return None


def is_subtitles(transcript: str) -> bool:
    """Whether it is WebVTT or SRT: times between what is said."""
    start = transcript[:1000].lstrip("\ufeff \t\r\n")
    second = start.splitlines()[1:2]
    return start.startswith("WEBVTT") or (start[:1].isdigit() and bool(second) and "-->" in second[0])


def lines_of(transcript: str) -> list[str]:
    """What was said, line by line: without times and markup, each line that has a speaker with its name in front."""
    lines = (_UNSEEN.sub("", line).strip() for line in transcript.splitlines())
    return [*_said_in(lines)] if is_subtitles(transcript) else [line for line in lines if line]


def pieces_of(lines: Iterable[str], *, most: int) -> list[str]:
    """The lines in pieces of at most `most` characters, cut between lines where possible, else between words."""
    pieces: list[str] = []
    waiting: list[str] = []
    size = 0
    for line in lines:
        for part in _parts_of(line, most):
            if waiting and size + len(part) + 1 > most:
                pieces.append("\n".join(waiting))
                waiting, size = [], 0
            waiting.append(part)
            size += len(part) + 1
    return [*pieces, "\n".join(waiting)]


def _said_in(lines: Iterable[str]) -> Iterator[str]:
    """The lines of the cues; a line that a rolling caption repeats is said once."""
    speaker = last = ""
    in_cue = False
    for line in lines:
        if not line or "-->" in line:
            in_cue = bool(line)
            continue
        if not in_cue:  # the head, a note, a style, or the number of a cue
            continue
        named = _SPEAKER.search(line)
        said = html.unescape(_MARKUP.sub("", line)).strip()
        if not said or said == last:
            continue
        last = said
        if named and named[1].strip() != speaker:
            speaker = named[1].strip()
            said = f"{speaker}: {said}"
        yield said


def _parts_of(line: str, most: int) -> Iterator[str]:
    start = 0
    while len(line) - start > most:
        end = line.rfind(" ", start, start + most) + 1
        end = end if end > start else start + most
        yield line[start:end].rstrip()
        start = end
    yield line[start:]

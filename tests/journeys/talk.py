"""Transcripts for tests: talk of any length that has something in it to tell of."""

SPEAKERS = ("Ann", "Bob", "Customer", "Clerk")
DEEDS = (
    "looks for the shoes that she ordered last week",
    "waits at the counter until somebody comes",
    "asks where the parcel is, and whether it can be sent to the office instead",
    "writes an email to support and hears nothing for three days",
    "tries the app, which signs her out twice",
    "gets the money back at last, and a voucher that does not work online",
)


def talk(words: int, *, about: str = "the return of a pair of shoes") -> str:
    """A transcript of at least so many words, in which no two lines are the same."""
    lines: list[str] = []
    count = 0
    while count < words:
        number = len(lines)
        speaker, deed = SPEAKERS[number % len(SPEAKERS)], DEEDS[number % len(DEEDS)]
        lines.append(f"{speaker}: In minute {number} of {about}, somebody {deed}.")
        count += len(lines[-1].split())
    return "\n".join(lines)


SUBTITLES = """\ufeffWEBVTT - an interview

STYLE
::cue { color: red }

NOTE
canary: not said by anybody

first
00:00.000 --> 00:02.000 align:start
<v.loud Ann Lee>Hello &amp; <i>welcome</i>

00:02.000 --> 00:04.000
<v Ann Lee>Hello &amp; <i>welcome</i></v>
<v Ann Lee>to the show.</v>

00:04.000 --> 00:06.000
<v Bob>Th<00:05.000>anks.
It is nice here.
"""

SRT = """1\r
00:00:00,000 --> 00:00:02,000\r
ANN: {\\an8}Hello.\r
\r
2\r
00:00:02,000 --> 00:00:04,000\r
ANN: Hello.\r
<font color="#fff">BOB: Hi!</font>\r
"""

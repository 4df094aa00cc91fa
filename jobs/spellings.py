"""How a secret may be spelled: as it is, escaped for JSON or by Python, in a URL, in base64 or hexadecimal."""

import base64
import re
from dataclasses import dataclass

_ESCAPES, _ESCAPED = r"\\{0,8}", r"\\{1,8}"
"""What is escaped again and again has one backslash, three, seven. Without an end, a long row would take an age."""

_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Spellings:
    """Each way in which a secret may be spelled; `clues`, one of which is in every such text in lower case, are much
    quicker to look for."""

    clues: tuple[str, ...]
    pattern: re.Pattern[str]


def spellings_of(secret: str) -> Spellings:
    """Those of the secret."""
    return Spellings(_clues(secret), _pattern(secret))


def _pattern(secret: str) -> re.Pattern[str]:
    run = r"[A-Za-z0-9+/_=-]{0,64}"
    encoded = [f"{run}{re.escape(core)}{run}" for core in _in_base64(secret)]
    return re.compile("|".join(["".join(map(_spelled, secret)), *encoded, f"(?i:{_in_hexadecimal(secret)})"]))


def _clues(secret: str) -> tuple[str, ...]:
    plain = max(re.findall(r"[A-Za-z0-9]+", secret), key=len, default="")  # what no way of escaping changes
    return plain.lower(), *(core.lower() for core in _in_base64(secret)), _in_hexadecimal(secret)


def _spelled(character: str) -> str:
    """Each way in which others write this character of a text."""
    if character.isascii() and character.isalnum():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    octets = character.encode(errors="surrogatepass")
    ways = [
        _ESCAPES + re.escape(character),
        "".join(rf"{_ESCAPED}u(?i:{units[at : at + 2].hex()})" for at in range(0, len(units), 2)),
        "".join(rf"{_ESCAPED}x(?i:{octet:02x})" for octet in octets),
        "".join(rf"%(?:25){{0,4}}(?i:{octet:02x})" for octet in octets),
        rf"{_ESCAPED}x(?i:{ord(character):02x})"
        if ord(character) < 0x100
        else rf"{_ESCAPED}U(?i:{ord(character):08x})",
    ]
    ways += [rf"{_ESCAPED}{short}" for short, meant in _SHORT.items() if meant == character]
    ways += [r"\+"] * (character == " ")
    return f"(?:{'|'.join(ways)})"


def _in_base64(secret: str) -> set[str]:
    """What of the secret every base64 shows that holds it, whatever stands before and after it."""
    octets = secret.encode(errors="surrogatepass")
    found = set()
    for before in range(3):
        shown = base64.b64encode(b"\0" * before + octets)
        ends = (before + len(octets)) * 8 // 6
        core = shown[-(-before * 8 // 6) : ends].decode()
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


def _in_hexadecimal(secret: str) -> str:
    return secret.encode(errors="surrogatepass").hex()

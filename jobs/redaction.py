"""What keeps secrets out of all that a process says: those that it was given, and whatever looks like one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from jobs.spellings import Spellings, spellings_of

HIDDEN = "[hidden]"

SHORTEST = 8
"""Characters of a secret that is looked for by its value: a shorter one would be found in ordinary words."""

LONGEST = 4 * 1024
"""Characters of one value; the rest of it is cut off."""

LONGEST_READ = 16 * 1024
"""Characters that are looked at, of which so few may be left."""

_CUT = "... [cut]"

_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEYS?|KEYS?|SECRETS?|TOKEN|PASSWD|PASSPHRASE|CREDENTIALS?)(_|$)|PASSWORD(_|$)",
)


@dataclass(frozen=True)
class Look:
    """How secrets look that nobody has told us: `words`, one of which is in every such text in lower case."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    instead: str = HIDDEN


def _look(*words: str, pattern: str, instead: str = HIDDEN) -> Look:
    return Look(words, re.compile(pattern, re.IGNORECASE), instead)


_LOOKS = (
    _look("bearer", "basic", pattern=r"\b(bearer|basic)(\s+|%20|\+)[\w.~+/%=-]{4,}", instead=rf"\1\2{HIDDEN}"),
    _look("eyj", pattern=r"eyJ[\w-]{6,}(\.[\w-]*){0,4}"),
    _look("sk-", "pk-", "rk-", pattern=r"\b[spr]k-[\w-]{8,}"),
    _look("aiza", pattern=r"AIza[\w-]{10,}"),
    _look("whsec_", pattern=r"whsec_[\w+/=-]+"),
    _look("://", pattern=r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/?#'\"]*@", instead=rf"\1{HIDDEN}@"),
    _look(
        "=",
        pattern=r"\b((?:[a-z]+[_-]){0,4}(?:token|key|secret|password|passwd|signature|sig|credential))=[^&\s\"'#,;)\\]+",
        instead=rf"\1={HIDDEN}",
    ),
    _look(
        *('"', "'"),
        pattern=r"((?:token|key|secret|password|passwd|signature)\\*[\"']\s*:\s*b?\\*[\"'])[^\"'\\]+",
        instead=rf"\1{HIDDEN}",
    ),
    _look(
        *("authorization", "cookie", "key", "-token"),
        pattern=r"\b((?:proxy-)?authorization|(?:set-)?cookie|(?:[a-z]+-){0,4}api-?key|x-background-function-auth-token)"
        r"(\\?[\"']?\s*[:,]\s*(?:b?\\?[\"'])?)(?!(?:bearer |basic )?\[hidden\])[^\r\n\"'\\]+",
        instead=rf"\1\2{HIDDEN}",
    ),
)
_WORDS = tuple(dict.fromkeys(word for look in _LOOKS for word in look.words))

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_BUT_LINES = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def secrets_among(variables: Mapping[str, str | None]) -> set[str]:
    """The values that are secret by their variable's name, and the passwords of those that are URLs."""
    found = set()
    for name, value in variables.items():
        if value and _SECRET_NAME.search(name.upper()):
            found |= {value, *(each.strip() for each in value.split(","))}  # two, while one is rotated for the other
        if value and "://" in value:
            found |= set(_passwords(value))
    return {secret for secret in found if len(secret) >= SHORTEST}


class Redactor:
    """Hides secrets in what is about to be said, however they are spelled there: as they are, escaped for JSON or by
    Python, in a URL, in base64 or hexadecimal."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: dict[str, Spellings] = {}
        self._clues: tuple[str, ...] = ()
        self.hide(*secrets)

    def hide(self, *secrets: str) -> None:
        """Look for these, too, from now on."""
        known = {*self._known, *(secret for secret in secrets if len(secret) >= SHORTEST)}
        longest_first = sorted(known, key=lambda secret: (-len(secret), secret))
        self._known = {secret: self._known.get(secret) or spellings_of(secret) for secret in longest_first}
        self._clues = tuple(dict.fromkeys(clue for spelled in self._known.values() for clue in spelled.clues))

    def text(self, text: str, *, lines: bool = False) -> str:
        """The text without secrets, without what a terminal obeys, and not too long; of several lines if `lines`."""
        if self._is_harmless(text):
            return text
        text = text[:LONGEST_READ]
        lower = text.lower()
        for spelled in self._known.values():
            if any(clue in lower for clue in spelled.clues):
                text = spelled.pattern.sub(HIDDEN, text)
        for look in _LOOKS:
            text = look.pattern.sub(look.instead, text)
        unsafe = _UNSAFE_BUT_LINES if lines else _UNSAFE
        text = unsafe.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
        return text if len(text) <= LONGEST else text[: LONGEST - len(_CUT)] + _CUT

    def fields(self, fields: Mapping[str, object]) -> Mapping[str, object]:
        """The fields of a record with every value so. Nearly all records are harmless, and seen to be at one look."""
        values = fields.values()
        simple = all(value is None or isinstance(value, str | int | float) for value in values)
        if simple and self._is_harmless(" ".join([value for value in values if isinstance(value, str)])):
            return fields
        return {name: self._named(name, value) for name, value in fields.items()}

    def value(self, value: object) -> object:
        """The value with every text in it so; what is none of JSON's types becomes a text."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(str(name)): self._named(str(name), each) for name, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(each) for each in value]
            case _:
                return self.text(repr(value))

    def _is_harmless(self, text: str) -> bool:
        """Whether nothing can be found in it; most of what is said is, and this is much quicker than to look."""
        if len(text) > LONGEST or not text.isprintable():
            return False
        lower = text.lower()
        for clue in self._clues:
            if clue in lower:
                return False
        return not any(word in lower for word in _WORDS)

    def _named(self, name: str, value: object) -> object:
        return HIDDEN if isinstance(value, str) and _SECRET_NAME.search(name.upper()) else self.value(value)


def _passwords(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        userinfo, at, _ = parts.netloc.rpartition("@")
        queried = [value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name.upper())]
    except ValueError:
        return
    if at:
        user, colon, password = userinfo.partition(":")
        secret = password if colon else user  # a Sentry's DSN has a key there
        yield from (secret, unquote(secret))
    yield from queried

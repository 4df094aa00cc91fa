"""What is summarised: sessions, trees of them, and the hash that says what a summary was made of."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NewType

import orjson

ContentHash = NewType("ContentHash", str)

What = Literal["session", "tree"]

MOST_SESSIONS = 2000
"""Of one tree."""


def spelled(value: object) -> bytes:
    """The value as JSON in the one way in which content is kept and hashed."""
    return orjson.dumps(value)


def hash_of(content: bytes) -> ContentHash:
    """SHA-256 of what was, or is to be, summarised."""
    return ContentHash(hashlib.sha256(content).hexdigest())


def leaves_hash(hashes: Iterable[tuple[str, ContentHash]]) -> ContentHash:
    """The hash of a tree: SHA-256 of the JSON list of its sessions' ids and the hashes of what they hold."""
    return hash_of(spelled([[session_id, content_hash] for session_id, content_hash in hashes]))


@dataclass(frozen=True)
class Summary:
    """A summary, the hash of what it was made of, and when it was made."""

    text: str
    content_hash: ContentHash
    made_at: str


@dataclass(frozen=True)
class Session:
    """A conversation that somebody put here: `content` is the JSON of its messages."""

    id: str
    content: bytes
    content_hash: ContentHash
    tree_id: str | None
    summary: Summary | None

    @property
    def stale(self) -> bool:
        """Whether it holds something else than what its summary was made of."""
        return self.summary is None or self.summary.content_hash != self.content_hash

    @property
    def messages(self) -> list[dict[str, str]]:
        """What was said: role, content, and `at` where it was given."""
        messages: list[dict[str, str]] = orjson.loads(self.content)
        return messages


@dataclass(frozen=True)
class Leaf:
    """A session of a tree at a glance; `summary_hash` is None for one that was never summarised."""

    session_id: str
    content_hash: ContentHash
    summary_hash: ContentHash | None

    @property
    def stale(self) -> bool:
        """Whether it must be summarised before its tree is."""
        return self.content_hash != self.summary_hash


@dataclass(frozen=True)
class Tree:
    """Sessions that are summarised together. `leaves` are those of `session_ids` that are there; `version` counts
    what happened to them."""

    id: str
    session_ids: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    version: int
    summary: Summary | None

    @property
    def content_hash(self) -> ContentHash:
        """The hash that its summary has if it is made of its sessions as they are."""
        return leaves_hash((leaf.session_id, leaf.content_hash) for leaf in self.leaves)

    @property
    def stale(self) -> bool:
        """Whether its summary is not of what its sessions hold; a tree without sessions has nothing to tell."""
        return bool(self.leaves) and (self.summary is None or self.summary.content_hash != self.content_hash)

    @property
    def stale_sessions(self) -> list[str]:
        """The sessions that must be summarised before it is."""
        return [leaf.session_id for leaf in self.leaves if leaf.stale]


@dataclass(frozen=True)
class Stale:
    """A session or tree of some subject that must be summarised."""

    id: str
    subject: str | None


@dataclass(frozen=True)
class StalePage:
    """The next of what is stale; `next` is where the following page begins, None where there is none."""

    items: tuple[Stale, ...]
    next: int | None

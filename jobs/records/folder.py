"""The files of a connection: found below its root in an order that lasts, and never outside of it."""

import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from jobs.errors import OutsideRoot
from jobs.records.connections import Connection
from jobs.records.extras import extra

S3_BLOCK_BYTES = 4 * 1024 * 1024
S3_TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3, "mode": "standard"}}

_PATTERN = re.compile(r"[*?\[]")
_OUTSIDE = "The path leads out of the connection's root."


@dataclass(frozen=True)
class File:
    """One file; `name` is its path below the root."""

    name: str
    size: int


class Folder(Protocol):
    """The root of a connection. Its calls block: they belong into a thread."""

    def check(self, path: str) -> None:
        """OutsideRoot for a path that is not below the root."""

    def files(self, path: str) -> list[File]:
        """The files that the path means, in the order of their names: the file itself, all below a folder, or all
        that fit a pattern (`*` within a name, `**` over folders, `?`, `[a-z]`). Names that begin with `.` or `_`
        count only where the path names the file itself."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The file's bytes, to be read and sought in."""


def folder_of(connection: Connection) -> Folder:
    """The connection's root; ExtraMissing where the library for its scheme is not there."""
    if connection.scheme == "s3":
        return S3Folder(connection)
    return LocalFolder(Path(connection.path))


class LocalFolder:
    """A folder of this machine. Links are followed only to what is below the root."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def check(self, path: str) -> None:
        check_relative(path)
        self._real(fixed_part(path))

    def files(self, path: str) -> list[File]:
        check_relative(path)
        start = self._real(fixed_part(path))
        if start.is_file():
            return [self._file(start, path)]
        names = self._below(fixed_part(path))
        return [self._file(self._real(name), name) for name in sorted(matching(names, path))]

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        return self._real(name).open("rb")

    def _below(self, folder: str) -> Iterator[str]:
        for at, _, names in os.walk(self._root / folder):
            below = os.path.relpath(at, self._root)
            yield from (name if below == "." else f"{below}/{name}" for name in names)

    def _real(self, name: str) -> Path:
        real = Path(os.path.realpath(self._root / name))
        if not real.is_relative_to(self._root):
            raise OutsideRoot(_OUTSIDE)
        return real

    def _file(self, real: Path, name: str) -> File:
        return File(name, real.stat().st_size)


class S3Folder:
    """A bucket, or what is below a prefix of one; endpoint and credentials as the usual AWS variables say."""

    def __init__(self, connection: Connection) -> None:
        with extra("lake"):
            from s3fs import S3FileSystem  # noqa: PLC0415  # an extra
        bucket = urlsplit(connection.url).netloc
        self._root = f"{bucket}/{connection.path.strip('/')}".rstrip("/")
        self._files: Any = S3FileSystem(skip_instance_cache=True, use_listings_cache=False, config_kwargs=S3_TIMEOUTS)

    def check(self, path: str) -> None:
        check_relative(path)

    def files(self, path: str) -> list[File]:
        check_relative(path)
        start = f"{self._root}/{fixed_part(path)}".rstrip("/")
        found = {
            name.removeprefix(f"{self._root}/"): File(name.removeprefix(f"{self._root}/"), int(facts["size"]))
            for name, facts in self._files.find(start, detail=True).items()
            if not name.endswith("/")
        }
        if path in found:
            return [found[path]]
        return [found[name] for name in sorted(matching(found, path))]

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        check_relative(name)
        opened = self._files.open(f"{self._root}/{name}", "rb", block_size=S3_BLOCK_BYTES, cache_type="readahead")
        return io.BufferedReader(opened)  # which reads lines of a bounded length, as fsspec's file does not


def check_relative(path: str) -> None:
    """OutsideRoot for a path that is absolute, climbs, or is no path."""
    if path.startswith("/") or "\0" in path or "\\" in path or "://" in path or ".." in path.split("/"):
        raise OutsideRoot(_OUTSIDE)


def fixed_part(path: str) -> str:
    """The path as far as no name in it is a pattern."""
    names = [name for name in path.split("/") if name not in {"", "."}]
    patterns = [at for at, name in enumerate(names) if _PATTERN.search(name)]
    return "/".join(names[: patterns[0]] if patterns else names)


def matching(names: Iterable[str], path: str) -> Iterator[str]:
    """Those that the path means, a folder or a pattern."""
    patterns = [name for name in path.split("/") if name not in {"", "."}]
    fixed = len([name for name in fixed_part(path).split("/") if name])
    wanted = patterns if len(patterns) > fixed else [*patterns, "**"]
    for name in names:
        parts = name.split("/")
        hidden = any(part.startswith((".", "_")) for part in parts[fixed:])
        if not hidden and _fits(parts, wanted):
            yield name


def _fits(names: list[str], patterns: list[str]) -> bool:
    """Whether the patterns, of which `**` stands for any number of names, are the names: by all places at once, so
    that no pattern takes long."""
    places = _after({0}, patterns)
    for name in names:
        stays = {at for at in places if at < len(patterns) and patterns[at] == "**"}
        goes = {at + 1 for at in places - stays if at < len(patterns) and fnmatchcase(name, patterns[at])}
        places = _after(stays | goes, patterns)
    return len(patterns) in places


def _after(places: set[int], patterns: list[str]) -> set[int]:
    """The places, and those that are reached from them by no name at all."""
    for at, pattern in enumerate(patterns):
        if at in places and pattern == "**":
            places = places | {at + 1}
    return places

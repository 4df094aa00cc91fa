"""What is given on the command line, read into what it means; typer.BadParameter says what is wrong with it."""

import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import typer

from jobstream.client import Client, JobstreamError

COMPLETING = "_JOBSTREAM_COMPLETE"
"""Set by the shell while it completes a line: nothing that the line names is read then."""

ANSWER_SECONDS = 0.5
"""How long the service may take to name its kinds to a shell that completes."""


def read_input(text: str) -> Mapping[str, Any]:
    """The object that the text is, or that stands in @FILE, or on standard input (@-)."""
    if COMPLETING in os.environ:
        return {}
    source = _source(text.removeprefix("@")) if text.startswith("@") else text
    try:
        given = json.loads(source)
    except ValueError as error:
        raise typer.BadParameter(f"it is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise typer.BadParameter("it is no JSON object: {...}")
    return given


def read_job_id(text: str) -> str:
    """The id of a job. It may begin with a dash; a mistyped option, which comes here too, is too short for one."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,64}", text):
        raise typer.BadParameter(f"{text} is no id of a job")
    return text


def read_url(text: str) -> str:
    """A URL that can be asked."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # says whether it is one
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise typer.BadParameter("it is http:// or https://, a host, and a port if it is not the usual one")
    return text


class Pair(NamedTuple):
    """NAME=VALUE as the two."""

    name: str
    value: str


def read_pair(text: str) -> Pair:
    """What NAME=VALUE says."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter("it is NAME=VALUE")
    return Pair(name, value)


def read_moment(text: str) -> datetime:
    """A moment as ISO 8601 has it; without an offset it is of this machine's time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("it is a moment such as 2027-01-31T09:30 or 2027-01-31T09:30:00Z") from None
    return moment if moment.tzinfo else moment.astimezone()


def kinds_that_begin(incomplete: str) -> list[tuple[str, str]]:
    """The kinds that a shell may offer, with what each does; none where the service does not say so at once."""
    try:
        with Client(timeout=ANSWER_SECONDS) as client:
            return [(kind.name, kind.summary) for kind in client.kinds() if kind.name.startswith(incomplete)]
    except (JobstreamError, ValueError):
        return []


def _source(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None

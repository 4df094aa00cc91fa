"""What is misconfigured, each with what mends it, and how a room's checkup tells of it."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

SettingsOf = TypeVar("SettingsOf", bound=BaseSettings)

_CODES = {"data_encryption_key": "encryption-key-malformed"}
_OTHERWISE = "setting-invalid"


@dataclass(frozen=True)
class Finding:
    """One thing that is misconfigured: a code that stays, what is wrong, and what to do. None holds a secret."""

    code: str
    detail: str
    mend: str

    @property
    def sentence(self) -> str:
        """All of it, for who is refused because of it."""
        return f"{self.detail}: {self.mend}."


def checkup(settings: type[SettingsOf], look: Callable[[SettingsOf], Iterable[Finding]]) -> None:
    """Print, as a line of JSON, what the look at the settings finds, and which variables they are read from."""
    with redirect_stdout(sys.stderr):  # what is logged meanwhile is no part of it
        try:
            found = [*look(settings())]
        except ValidationError as error:
            found = unfit_settings(error)
    variables = [name.upper() for name in settings.model_fields]
    sys.stdout.write(json.dumps({"findings": [*map(asdict, found)], "variables": variables}) + "\n")


def unfit_settings(error: ValidationError) -> list[Finding]:
    """The settings that cannot be read, each by its variable and without its value."""
    return [
        Finding(
            _CODES.get(str(each["loc"][0]), _OTHERWISE),
            f"{str(each['loc'][0]).upper()} cannot stand: {each['msg']}",
            "write it as .env.example has it, or leave it out",
        )
        for each in error.errors(include_input=False, include_context=False, include_url=False)
    ]

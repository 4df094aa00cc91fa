"""Where the service is and who asks, for whoever says neither: from the environment, or from `.env`."""

import os
from collections.abc import Mapping

from dotenv import dotenv_values

DEFAULT_URL = "http://localhost:8888"
URL, TOKEN, SECRET = "JOBSTREAM_URL", "JOBSTREAM_TOKEN", "BACKGROUND_FUNCTION_AUTH_TOKEN"


def environment() -> dict[str, str]:
    """This process's variables, and those of `.env` where they are not set."""
    return {
        name: value for variables in (dotenv_values(".env"), os.environ) for name, value in variables.items() if value
    }


def service_url(variables: Mapping[str, str]) -> str:
    """Where the service is."""
    return variables.get(URL, DEFAULT_URL)


def credential(variables: Mapping[str, str]) -> str | None:
    """A token, else the service's own secret: of two, as they stand there while one replaces the other, the first."""
    return variables.get(TOKEN) or variables.get(SECRET, "").split(",")[0].strip() or None

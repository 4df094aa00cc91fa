"""The options that every command takes, before its name or behind it."""

from typing import Annotated

import typer

from jobstream.given import read_url

TAKES_IDS = {"ignore_unknown_options": True}
"""For commands that are given ids: what begins with a dash may be one. No option has a short form, so that none is
found in an id."""

PANEL = "What every command takes"

Url = Annotated[
    str | None,
    typer.Option(
        help="Where the service is.",
        parser=read_url,
        metavar="URL",
        show_default="JOBSTREAM_URL",
        rich_help_panel=PANEL,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="A secret or token; better in the environment, which fewer can read.",
        show_default="JOBSTREAM_TOKEN, else the service secret",
        rich_help_panel=PANEL,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print JSON: a document, or one a line for what is many.", rich_help_panel=PANEL),
]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="Print no colours, as with NO_COLOR.", rich_help_panel=PANEL)
]

SAID = {"as_json": AsJson, "no_color": NoColor}
"""What every command can be told."""

ASKED = SAID | {"url": Url, "token": Token}
"""What one can be told that asks a service."""

"""Which licence each package is under that an installation ships: `make licences` writes docs/LICENCES.md."""

import json
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "LICENCES.md"

ELSEWHERE: Mapping[str, str] = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
}
"""Packages that other systems and Pythons need; where they are not installed, nobody else says this."""

SPELLED: Mapping[str, str] = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages call the licences that SPDX has a name for."""

HEAD = """\
# Licences

What an installation ships, package by package, as the packages themselves say it. `make licences` writes this page
from the lock files; a test holds it against them. Nothing here is under the GPL, the LGPL or the AGPL; MPL-2.0 asks
for the source of its own files alone. What the tests use besides is not shipped, and not listed.
"""


def python_packages() -> list[str]:
    """The names in the lock file of the processes."""
    return re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def page_packages() -> dict[str, str]:
    """What the page in the browser needs, and under which licence."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    shipped = {place: entry for place, entry in locked.items() if place and not entry.get("dev")}
    return {place.removeprefix("node_modules/"): entry["license"] for place, entry in shipped.items()}


def licence_of(name: str) -> str:
    """As SPDX spells it, if the package does, or says it in words that are known."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ELSEWHERE[name]
    if expression := said.get("License-Expression"):
        return str(expression)
    classified = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or [] if "License ::" in each]
    written = classified or [str(said.get("License", "unknown")).partition("\n")[0]]
    return " OR ".join(sorted({SPELLED.get(each, each) for each in written}))


def page() -> str:
    """The whole page."""
    python = {name: licence_of(name) for name in python_packages()}
    tables = [*_table("Processes", python), "", *_table("The page in the browser", page_packages())]
    return "\n".join([HEAD, *tables, ""])


def _table(title: str, licences: Mapping[str, str]) -> list[str]:
    rows = [f"| {name} | {licence} |" for name, licence in sorted(licences.items())]
    return [f"## {title}", "", "| package | licence |", "| --- | --- |", *rows]


if __name__ == "__main__":
    PAGE.write_text(page())

"""What an installation is made of, for machines: `make sbom` prints it as CycloneDX 1.5 JSON."""

import json
import re
from collections.abc import Iterator

from licences import ROOT, licence_of, page_packages

LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def bill() -> dict[str, object]:
    """Every package that is shipped, at its version, with its licence."""
    components = [*_of_processes(), *_of_the_page()]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


def _of_processes() -> Iterator[dict[str, object]]:
    for name, version in LOCKED.findall((ROOT / "requirements.txt").read_text()):
        yield _component("pypi", name, version, licence_of(name))


def _of_the_page() -> Iterator[dict[str, object]]:
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    for name, licence in page_packages().items():
        yield _component("npm", name, locked[f"node_modules/{name}"]["version"], licence)


def _component(source: str, name: str, version: str, licence: str) -> dict[str, object]:
    place = f"pkg:{source}/{name}@{version}"
    licences = [{"expression": licence}]
    return {"type": "library", "name": name, "version": version, "purl": place, "licenses": licences}


if __name__ == "__main__":
    print(json.dumps(bill(), indent=2))  # noqa: T201  # it is what the program is for

"""What is shipped is known by name and licence, and code that runs what it was given is found."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system import ROOT

COPYLEFT = re.compile(r"\bA?L?GPL|General Public", re.IGNORECASE)
ROW = re.compile(r"^\| ([a-z@][a-z0-9@/_.-]*) \| (.+) \|$", re.MULTILINE)
DANGERS = {
    "B301": "import pickle\npickle.loads(given)",
    "B307": "eval(given)",
    "B102": "exec(given)",
    "B506": "import yaml\nyaml.load(given)",
    "B602": "import subprocess\nsubprocess.run(given, shell=True)",
    "B501": "import httpx\nhttpx.get(given, verify=False)",
}
"""What no code here may do, each as short as it can be."""


def shipped() -> dict[str, str]:
    """The licences of the page, by package."""
    rows = dict(ROW.findall((ROOT / "docs" / "LICENCES.md").read_text()))
    del rows["package"]
    return rows


def test_every_locked_package_has_its_licence_on_the_page() -> None:
    """`make licences` has been run since the lock files changed."""
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert set(locked) - shipped().keys() == set()


def test_the_page_is_what_the_packages_say() -> None:
    """Written anew, it is the same."""
    ran = subprocess.run(
        [sys.executable, "-c", "from licences import page; print(page(), end='')"],
        cwd=ROOT / "deploy",
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == (ROOT / "docs" / "LICENCES.md").read_text()


def test_nothing_is_shipped_that_would_bind_what_is_built_on_it() -> None:
    """No GPL in any of its forms, and nothing that says nothing."""
    assert [f"{name}: {licence}" for name, licence in shipped().items() if COPYLEFT.search(licence)] == []
    assert [name for name, licence in shipped().items() if licence == "unknown"] == []


def test_the_bill_of_materials_names_what_the_page_names() -> None:
    """Each package with its version and licence."""
    ran = subprocess.run([sys.executable, ROOT / "deploy" / "sbom.py"], capture_output=True, text=True, check=True)
    bill = json.loads(ran.stdout)

    assert bill["bomFormat"] == "CycloneDX"
    assert {each["name"]: each["licenses"][0]["expression"] for each in bill["components"]} == shipped()
    assert all(each["purl"].endswith(f"{each['name']}@{each['version']}") for each in bill["components"])


@pytest.mark.parametrize(("rule", "code"), DANGERS.items(), ids=DANGERS)
def test_bandit_finds_what_runs_or_trusts_whatever_it_is_given(rule: str, code: str, tmp_path: Path) -> None:
    """With the rules of `make lint`."""
    (tmp_path / "module.py").write_text(f"given = input()\n{code}\n")

    how = ["--quiet", "--configfile", str(ROOT / "pyproject.toml"), "--recursive", str(tmp_path)]
    ran = subprocess.run([sys.executable, "-m", "bandit", *how], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert rule in ran.stdout

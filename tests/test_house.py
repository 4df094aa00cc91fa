"""The files around the code say what the code does."""

import re
import tomllib
from pathlib import Path

import pytest

from jobs.settings import StoreSettings
from sandbox.settings import Settings as SandboxSettings
from service.settings import Settings as ServiceSettings
from workers.settings import Settings as WorkerSettings

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = ["requirements.txt", "requirements-dev.txt"]
NODE_LOCKS = sorted(
    str(lock.relative_to(ROOT)) for lock in ROOT.rglob("package-lock.json") if "node_modules" not in lock.parts
)
PLACES = re.compile(r'registry|"resolved"|--index|--extra-index|--find-links|file:')
CLIENTS = {"JOBSTREAM_URL", "JOBSTREAM_TOKEN"}
CONNECTIONS = "JOBSTREAM_CONNECTION_"


def test_the_example_of_the_settings_names_each_that_is_read_and_no_other() -> None:
    """Whoever copies it finds all that there is to set."""
    named = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    fields = {*StoreSettings.model_fields, *ServiceSettings.model_fields, *WorkerSettings.model_fields}
    fields |= {f"jobstream_sandbox_{field}" for field in SandboxSettings.model_fields}
    own_names = {name for name in named if name.startswith(CONNECTIONS)}  # whoever sets them chooses the rest

    assert named - own_names == {field.upper() for field in fields} | CLIENTS
    assert own_names


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, *NODE_LOCKS])
def test_a_lock_file_names_no_registry(lock: str) -> None:
    """Whoever installs from it uses the registry that is set up there."""
    assert PLACES.findall((ROOT / lock).read_text()) == []


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_package_is_locked_by_its_hash(lock: str) -> None:
    """Nothing that was changed on the way is installed."""
    assert [name for name, entry in locked(lock).items() if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_package_that_is_asked_for_is_locked(lock: str) -> None:
    """`make lock` has been run since the list changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + (project["optional-dependencies"]["dev"] if "dev" in lock else [])
    names = {re.split(r"[^a-z0-9-]", requirement, maxsplit=1)[0] for requirement in asked}

    assert names - locked(lock).keys() <= {"jobstream"}  # by which `dev` asks for other extras


def locked(lock: str) -> dict[str, str]:
    """What the file says of each package."""
    entries = re.split(r"^(?=[a-z])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    return {entry.partition("==")[0]: entry for entry in entries}

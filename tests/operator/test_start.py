"""How the operator's view is switched on: with a secret of its own, which the demo makes by itself."""

import re
from pathlib import Path

import httpx2

from jobs.connection import Client
from tests.encryption.test_start import EX_CONFIG, environment, run
from tests.service.test_process import running_api
from tests.system import SECRET
from tests.valkey import ValkeyProcess

SHOWN_ONCE = re.compile(r"demo mode: the operator secret is (\S+) \(kept in (\S+)\)")


def test_without_a_secret_it_refuses_to_start(tmp_path: Path, store: ValkeyProcess) -> None:
    """With one sentence that says what to set; a blank one is none."""
    ended = run(
        "api", tmp_path, environment(tmp_path, store, JOBSTREAM_OPERATOR="1", JOBSTREAM_OPERATOR_SECRET=" , ")
    )

    assert ended.returncode == EX_CONFIG
    assert "JOBSTREAM_OPERATOR_SECRET" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_demo_makes_a_secret_shows_it_once_and_keeps_it(
    tmp_path: Path, store: ValkeyProcess, redis: Client
) -> None:
    """In a file that nobody else may read; the service secret is no substitute."""
    with running_api(tmp_path / "api", store, JOBSTREAM_OPERATOR="1") as system:
        (secret, file), *more = SHOWN_ONCE.findall(system.api.output.read_text())
        statuses = {
            sent: httpx2.get(
                f"{system.url}/v1/operator/figures", headers={"Authorization": f"Bearer {sent}"}
            ).status_code
            for sent in (secret, SECRET)
        }
        shell = httpx2.get(f"{system.url}/operator")
        kept = Path(file)
        mode = kept.stat().st_mode & 0o777

    assert more == []
    assert (kept.read_text(), mode) == (secret, 0o600)
    assert statuses == {secret: 200, SECRET: 403}
    assert shell.status_code == 200
    assert SECRET not in secret


def test_switched_off_the_demo_makes_none(tmp_path: Path, store: ValkeyProcess, redis: Client) -> None:
    """And serves nothing of it."""
    with running_api(tmp_path / "api", store) as system:
        written = system.api.output.read_text()
        shell = httpx2.get(f"{system.url}/operator")

    assert SHOWN_ONCE.findall(written) == []
    assert shell.status_code == 404

"""The README's lines do what the README says, as printed."""

import json
import re
import subprocess
from pathlib import Path

from tests.system import ROOT, SECRET, System

SECTION = re.compile(r"^## A job in four requests$(.*?)^## ", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_requests_of_the_readme_work_as_printed(system: System, tmp_path: Path) -> None:
    """Submitted, watched to the end, polled, and waited for: each line by itself, in order, in one shell."""
    section = SECTION.search((ROOT / "README.md").read_text())
    assert section
    blocks = BLOCK.findall(section[1])
    (tmp_path / ".jobstream").mkdir()
    (tmp_path / ".jobstream" / "demo-secret").write_text(SECRET)
    script = "\nprintf '\\n=====\\n'\n".join(blocks).replace("http://localhost:8888", system.url)

    ran = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert ran.returncode == 0, ran.stderr
    _, submitted, watched, polled, waited = ran.stdout.split("\n=====\n")
    assert json.loads(submitted)["state"] in ("queued", "running")
    assert watched.rstrip().split("\n")[-2] == "event: end"
    assert json.loads(polled)["state"] == "completed"
    assert json.loads(waited)["result"]["openai"]["ok"]

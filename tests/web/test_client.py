"""The JavaScript modules by their own tests, which Node runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
NODE_SECONDS = 60.0


def test_the_modules_of_the_page_pass_their_own_tests() -> None:
    """Folding, watching, polling and Markdown, without a browser."""
    node = shutil.which("node", path=PLACES)
    assert node, "Node is not installed: `make install` brings it with the packages."
    files = sorted(str(file) for file in (WEB / "tests").glob("*.test.js"))

    ran = subprocess.run(
        [node, "--test", *files], cwd=WEB, check=False, capture_output=True, text=True, timeout=NODE_SECONDS
    )

    assert ran.returncode == 0, ran.stdout

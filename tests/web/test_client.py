"""The JavaScript modules by their own tests, which Node runs, and by their types."""

import subprocess

from tests.web.witnesses import PLACES, WEB, node

NODE_SECONDS = 120.0


def test_the_modules_of_the_page_and_the_client_pass_their_own_tests() -> None:
    """Folding, roads, tabs, watching and Markdown, without a browser."""
    ran = _node("--test", *sorted(str(file) for file in (WEB / "tests").glob("*.test.js")))

    assert ran.returncode == 0, ran.stdout


def test_the_types_of_the_client_fit_and_are_those_that_are_published() -> None:
    """`tsc` finds nothing in the code, and nothing in a user's; the declarations beside it are made of it."""
    ran = _node("tests/types.js", "--check")

    assert ran.returncode == 0, ran.stderr


def _node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node(), *arguments],
        cwd=WEB,
        env={"PATH": PLACES},
        check=False,
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS,
    )

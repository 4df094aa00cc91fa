"""The examples for React and Vue: each is built as it says, and shows a job of the real service in a browser."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.api import Api
from tests.conftest import TEST_ALL
from tests.system import SECRET, System, running_system
from tests.web.witnesses import PLACES

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ["react", "vue"]
NPM_SECONDS = 300.0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the examples are served: not where the service is."""
    handler = partial(_Quiet, directory=str(EXAMPLES))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def friend(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[System]:
    """The product, which lets pages of that origin in."""
    with running_system(tmp_path_factory.mktemp("friend"), settings={"JOBSTREAM_ORIGINS": origin}) as system:
        yield system


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> Page:
    return await browser.new_page()


@pytest.mark.parametrize("name", NAMES)
async def test_an_example_shows_a_job_to_its_end(name: str, page: Page, friend: System, origin: str) -> None:
    """With the job's own token, on another origin than the service; every text is proven whole."""
    _build(EXAMPLES / name)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    async with Api(friend.url, SECRET) as api:
        job = await api.submit("What is a hook?")
        await page.goto(f"{origin}/{name}/?service={friend.url}&job={job['id']}#{job['stream_token']}")

        await expect(page.get_by_role("heading", level=1)).to_have_text("completed")

        await expect(page.get_by_text("proven whole")).to_be_visible()
        for provider, part in (await api.poll(job["id"]))["parts"].items():
            shown = page.get_by_role("article", name=provider).locator("pre")
            assert await shown.text_content() == part["text"]
    assert troubles == []


@pytest.mark.parametrize("name", NAMES)
async def test_an_example_says_what_the_service_refuses(name: str, page: Page, friend: System, origin: str) -> None:
    """Instead of waiting for ever."""
    _build(EXAMPLES / name)
    async with Api(friend.url, SECRET) as api:
        job = await api.submit("What is a hook?")

    await page.goto(f"{origin}/{name}/?service={friend.url}&job=no-such-job-0123456789#{job['stream_token']}")

    await expect(page.get_by_role("alert")).to_contain_text("No job has this id")


def _build(example: Path) -> None:
    """Its page, made by its own commands; without npm, or what npm brings, its tests are left out."""
    installed, lock = example / "node_modules" / ".package-lock.json", example / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm(example, "ci", "--silent")
        installed.touch()
    _npm(example, "run", "build", "--silent")


def _npm(example: Path, *arguments: str) -> None:
    npm = shutil.which("npm", path=PLACES)
    if npm is None:
        _leave_out("npm is not installed: `make install` brings it with the packages")
        return
    ran = subprocess.run(
        [npm, *arguments],
        cwd=example,
        env={"PATH": PLACES, "HOME": str(Path.home())},
        check=False,
        capture_output=True,
        text=True,
        timeout=NPM_SECONDS,
    )
    if arguments[0] == "ci" and ran.returncode:
        _leave_out(f"npm could not fetch the packages of examples/{example.name}: {ran.stderr[-200:]}")
    assert ran.returncode == 0, ran.stderr


def _leave_out(reason: str) -> None:
    if TEST_ALL:
        pytest.fail(reason)
    pytest.skip(reason)

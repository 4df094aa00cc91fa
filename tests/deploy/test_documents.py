"""What the documents tell people to type works as printed, or says why nobody has tried it here."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.chaos.machine import program
from tests.deploy.site import Site
from tests.system import READY_SECONDS, ROOT, SECRET, Process, System, free_port, running_system, wait_until
from tests.web.visit import PATIENCE_MILLISECONDS, running_browser

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
TRIED = [DOCS / "QUICKSTART.md", DOCS / "DEPLOYING.md", DOCS / "RECIPES.md"]
FENCE = re.compile(r"^ *```sh(?P<mark>.*)\n(?P<lines>(?:.*\n)*?) *```$", re.MULTILINE)
NOT_RUN = re.compile(r"^ not-run: \w.{9,}$")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
PROGRAMS = ("server.py", "page.html")
PROVIDERS = ("openai", "anthropic", "google")


def commands(page: Path) -> str:
    """All that the page has typed, but for what it says is not run."""
    return "\n".join(fence["lines"] for fence in FENCE.finditer(page.read_text()) if not fence["mark"])


def run(script: str, folder: Path, **environment: str) -> str:
    """What the lines show, typed in one shell; one that fails is an error."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-500:] + ran.stderr[-500:]
    return ran.stdout


@pytest.mark.parametrize("page", TRIED, ids=lambda page: page.name)
def test_what_is_not_run_says_why(page: Path) -> None:
    """There is no other mark."""
    marks = [fence["mark"] for fence in FENCE.finditer(page.read_text()) if fence["mark"]]

    assert [mark for mark in marks if not NOT_RUN.match(mark)] == []


def test_what_an_operator_types_works(site: Site, tmp_path: Path) -> None:
    """Secrets are made, processes asked, the store backed up, and its password changed."""
    program("redis-cli", "redis-tools")
    script = commands(DOCS / "DEPLOYING.md").replace("http://127.0.0.1:8881", site.urls[0])

    shown = run(script, tmp_path, REDIS_URL=site.store_url)

    assert re.search(r"^DATA_ENCRYPTION_KEY=\S{44}$", shown, re.MULTILINE)
    assert shown.count('"status":"ok"') == 2
    assert shown.endswith("OK\nOK\nOK\n")
    assert (tmp_path / "jobstream.rdb").read_bytes().startswith(b"REDIS")


def test_the_recipes_work(system: System, tmp_path: Path) -> None:
    """Each request is one that the service takes."""
    (tmp_path / "interview.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:04.000\nI looked for a bag, and found one.\n")
    Image.new("RGB", (64, 64), "white").save(tmp_path / "whiteboard.jpg")
    strict = 'curl() { command curl --fail-with-body "$@"; }\n'

    run(strict + commands(DOCS / "RECIPES.md"), tmp_path, JOBSTREAM_URL=system.url, JOBSTREAM_TOKEN=SECRET)


@pytest.fixture
def quickstart(tmp_path: Path) -> Iterator[str]:
    """Where the quickstart's page is served, by its own line and beside a product of its own."""
    own = f"http://localhost:{free_port()}"
    with running_system(tmp_path, settings={"JOBSTREAM_ORIGINS": own}) as system:
        service = system.url.replace("127.0.0.1", "localhost")
        programs = _copied(tmp_path, service)
        line = commands(DOCS / "QUICKSTART.md")
        for printed, here in {
            "http://localhost:8888": service,
            "$(cat .jobstream/demo-secret)": SECRET,
            ".venv/bin/python": f"exec {sys.executable}",
            "docs/quickstart": str(programs),
            "8000": own.rpartition(":")[2],
        }.items():
            assert printed in line
            line = line.replace(printed, here)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        process = Process("quickstart", tmp_path, ["bash", "-euc", line], environment)
        process.start()
        try:
            wait_until(lambda: "Uvicorn running" in process.output.read_text(), READY_SECONDS)
            yield own
        finally:
            process.kill()


def _copied(folder: Path, service: str) -> Path:
    """Where its programs are, for a service on another port."""
    (folder / "web").symlink_to(ROOT / "web")
    programs = folder / "docs" / "quickstart"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        text = (DOCS / "quickstart" / name).read_text()
        (programs / name).write_text(text.replace("http://localhost:8888", service))
    return programs


async def test_the_page_of_the_quickstart_shows_three_answers(quickstart: str, chromium: Path) -> None:
    """In a browser, asked by its button."""
    async with running_browser(chromium) as browser:
        page = await browser.new_page()
        await page.goto(quickstart)
        await page.get_by_role("button", name="Ask").click()

        for provider in PROVIDERS:
            said = re.compile(rf"{provider}:(\s+\S+){{20}}")
            await expect(page.locator("pre")).to_have_text(said, timeout=PATIENCE_MILLISECONDS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_quickstart_shows_its_programs_as_they_are(name: str) -> None:
    """To the letter."""
    assert f"\n{(DOCS / 'quickstart' / name).read_text().rstrip()}\n```" in (DOCS / "QUICKSTART.md").read_text()


def test_the_index_leads_to_every_document() -> None:
    """Nothing is written that nobody finds."""
    linked = {name for name, _ in LINK.findall((DOCS / "README.md").read_text())}

    assert {page.name for page in DOCS.iterdir() if page.suffix in (".md", ".acl")} - {"README.md"} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and in it to a heading that is there."""
    lost = []
    for name, anchor in LINK.findall(page.read_text()):
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            lost.append(f"{name}#{anchor}")
    assert lost == []


def _anchors(page: Path) -> set[str]:
    """The names of its headings, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

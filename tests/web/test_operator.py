"""The operator's view in a real browser, on the whole product: seeing every job, and acting on it."""

import re
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.api import Api
from tests.system import SECRET, System, free_port, running_system
from tests.web.axe import check_accessible
from tests.web.operating import LOOKS, OPERATOR_SECRET, Look, Operating, operating
from tests.webhooks.receiver import SECRET as SIGNS

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWS = {
    "jobs": "Jobs",
    "dead-letters": "Dead letters",
    "kinds": "Kinds",
    "schedules": "Schedules",
    "webhooks": "Webhooks",
    "audit": "Audit",
}
REFUSED = {"models": {"google": "gemini-400"}}
STALLED = {"models": {"google": "gemini-stall"}}
NOBODY = f"127.0.0.1:{free_port()}"
LOOKED_AT = """state => {
  Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
HOSTILE = '<img src=x onerror="alert(1)"> \u202eevil\u202c שלום ' + "W" * 60


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose operator's view is switched on."""
    settings = {
        "JOBSTREAM_OPERATOR": "1",
        "JOBSTREAM_OPERATOR_SECRET": OPERATOR_SECRET,
        "JOBSTREAM_WEBHOOK_SECRET": SIGNS,
        "JOBSTREAM_WEBHOOK_HOSTS": NOBODY,
    }
    with running_system(tmp_path_factory.mktemp("operator"), settings=settings) as product:
        yield product


@pytest.fixture(scope="module")
def url(product: System) -> str:
    """Where its pages are served."""
    return product.url.replace("127.0.0.1", "localhost")


@pytest_asyncio.fixture(loop_scope="module")
async def server(product: System) -> AsyncIterator[Api]:
    """An application's server, which submits jobs."""
    async with Api(product.url, SECRET) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module", params=["desk-light", "phone-dark"])
async def visit(browser: Browser, url: str, request: pytest.FixtureRequest) -> AsyncIterator[Operating]:
    """Somebody who has signed in, at a desk by day or by phone at night."""
    async with operating(browser, url, LOOKS[request.param]) as visit:
        yield visit


async def test_only_the_operators_secret_opens_the_view_and_no_script_keeps_it(browser: Browser, url: str) -> None:
    """A wrong one is refused in words; the session outlives a reload, and ends when one signs out."""
    async with operating(browser, url, LOOKS["phone-light"], signed_in=False) as visit:
        page = visit.page
        await visit.sign_in(SECRET)
        await expect(page.get_by_role("alert")).to_have_text("That is not the operator's secret.")
        await visit.sign_in()
        await expect(visit.connection).to_have_text("Live")
        await page.reload()
        await expect(visit.connection).to_have_text("Live")
        kept = await page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie]")

        await visit.press("Sign out")

        await expect(page.get_by_label("Operator's secret")).to_be_visible()
        assert kept == [{}, {}, ""]


async def test_a_visitor_of_the_page_is_not_yet_an_operator(browser: Browser, url: str) -> None:
    """Whoever has the page's cookie is asked for the secret all the same."""
    async with operating(browser, url, LOOKS["desk-dark"], signed_in=False) as visit:
        await visit.page.goto(url)
        await visit.page.goto(f"{url}/operator")

        await expect(visit.page.get_by_label("Operator's secret")).to_be_visible()


async def test_jobs_appear_by_themselves_and_their_rows_move(visit: Operating, server: Api) -> None:
    """From its submission to its end nothing has to be pressed."""
    await expect(visit.page.get_by_role("heading", name="Jobs")).to_be_visible()
    job = await server.submit("Hang, please", input=STALLED, subject="row-watcher")
    row = visit.row(job["id"])
    await expect(row).to_contain_text("Running")

    await server.http.post(f"/v1/jobs/{job['id']}/cancel")

    await expect(row).to_contain_text("Cancelled")


async def test_a_filter_is_an_address_that_the_back_button_leaves(visit: Operating, server: Api) -> None:
    """Kind, state and subject narrow the list; the address alone brings the same list elsewhere."""
    subject = f"somebody-{uuid4()}"
    job = await server.submit("Fail", input=REFUSED, subject=subject)
    await server.submit("Answer", subject=subject)
    await server.ended(job["id"])
    search = visit.page.get_by_role("searchbox", name="Subject")
    await search.fill(subject)
    await search.press("Enter")
    await expect(visit.rows).to_have_count(2)
    await visit.page.get_by_label("Kind").select_option("copy-records")
    await expect(visit.main).to_contain_text("No job fits.")
    await visit.page.get_by_label("Kind").select_option("chat")
    await expect(visit.rows).to_have_count(2)
    await visit.page.get_by_label("State").select_option("failed")
    await expect(visit.rows).to_have_count(1)
    await expect(visit.row(job["id"])).to_contain_text("provider-failed")

    await visit.page.reload()
    await expect(visit.rows).to_have_count(1)
    await visit.page.go_back()
    await expect(visit.rows).to_have_count(2)

    await visit.go("jobs?subject=nobody-has-this-name")
    await visit.page.get_by_role("link", name="Show all jobs").click()
    await expect(visit.row(job["id"])).to_be_visible()


async def test_a_long_list_comes_in_pages(visit: Operating, server: Api) -> None:
    """Older ones by a link, the newest again by the back button."""
    subject = f"many-{uuid4()}"
    jobs = [await server.submit("Later", delay=3600, subject=subject) for _ in range(53)]
    await visit.go(f"jobs?subject={subject}")
    await expect(visit.rows).to_have_count(50)

    await visit.page.get_by_role("link", name="Older").click()
    await expect(visit.rows).to_have_count(3)
    await expect(visit.row(jobs[0]["id"])).to_contain_text("Scheduled")
    await visit.page.go_back()

    await expect(visit.rows).to_have_count(50)


async def test_a_job_is_shown_by_what_it_did_and_what_that_cost(visit: Operating, server: Api) -> None:
    """An attempt with its worker, and each answer with its first token and its tokens; a failure in words."""
    job = await server.submit("One of you fails", input={"models": {"openai": "gpt", "google": "gemini-400"}})
    await server.ended(job["id"])
    await visit.show("jobs", job["id"])

    lines = visit.page.locator(".waterfall li")
    await expect(lines.nth(1)).to_contain_text(re.compile(r"Attempt 1.*took"))
    answer = lines.filter(has_text="answer.openai")
    await expect(answer).to_contain_text(re.compile(r"gpt.*first token [\d.]+ s.*tokens [\d,]+ → [\d,]+"))
    await expect(answer.locator("rect")).to_have_count(2)
    failures = visit.page.get_by_role("region", name="Failures")
    await expect(failures).to_contain_text(re.compile(r"google.*provider-failed.*status 400", re.DOTALL))


async def test_a_running_job_is_cancelled_and_run_again(visit: Operating, server: Api) -> None:
    """The page follows it to its end; a chosen part alone runs again, and so does the whole."""
    job = await server.submit("Hang", input={"models": {"openai": "gpt", "google": "gemini-stall"}})
    await visit.show("jobs", job["id"])
    state = visit.main.locator(".head .state-mark")
    await expect(state).to_have_text("Running")
    await expect(visit.page.locator(".waterfall li", has_text="answer.openai")).to_contain_text("Done")
    await visit.press("Cancel")
    await expect(state).to_have_text("Cancelled")

    await visit.press("Retry…")
    await visit.page.get_by_label("Chosen parts").check()
    await visit.press("Retry", within=visit.page.get_by_role("dialog"))
    await expect(visit.main).to_contain_text("run 2")
    await expect(state).to_have_text("Running")
    await visit.press("Cancel")
    await expect(state).to_have_text("Cancelled")
    await visit.press("Retry…")
    await visit.page.get_by_label("From the start").check()
    await visit.press("Retry", within=visit.page.get_by_role("dialog"))

    await expect(visit.main).to_contain_text("run 3")
    await expect(state).to_have_text("Running")
    await visit.press("Cancel")
    await expect(state).to_have_text("Cancelled")


async def test_contents_are_shown_when_asked_for_and_that_is_written_down(visit: Operating, server: Api) -> None:
    """Hostile text among them, and in what is said about the job, stays text."""
    job = await server.submit(
        HOSTILE, input={"models": {"openai": f"gpt {HOSTILE}"}}, subject=HOSTILE, metadata={"x": HOSTILE}
    )
    await server.ended(job["id"])
    await visit.go("jobs")
    await expect(visit.row(job["id"])).to_be_visible()
    await visit.show("jobs", job["id"])
    sent = [request.url for request in visit.requests]
    assert not any(url.endswith(("/contents", "/updates")) for url in sent)

    await visit.press("Show contents")
    for name in ("Input", "Result", "openai"):
        await expect(visit.page.get_by_role("region", name=name, exact=True)).to_contain_text("onerror")
    await visit.press("Read from the start")
    await expect(visit.page.locator(".log li").first).to_be_visible()
    assert await visit.main.locator("img, script, iframe").count() == 0
    widths = await visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]

    await visit.open("Audit")
    for row, act in enumerate(("read log", "read contents")):
        await expect(visit.rows.nth(row)).to_contain_text(re.compile(rf"{act}\s*{job['id'][:8]}"))


async def test_a_log_is_read_and_followed_as_a_client_would(visit: Operating, server: Api) -> None:
    """From a cursor exactly what comes after it; a line opens to its JSON; what is paused holds still."""
    job = await server.submit("Hang", input={"models": {"openai": "gpt-stall", "google": "gemini-stall"}})
    await visit.show("jobs", job["id"])
    await expect(visit.page.locator(".waterfall li", has_text="answer.google")).to_be_visible()
    log = visit.page.get_by_role("region", name="Log")
    lines = log.get_by_role("list", name="Updates").locator("li")
    await visit.press("Read from the start")
    await expect(lines.first).to_contain_text("queued")
    third = lines.nth(2)
    await third.locator("summary").click()
    await expect(third.locator("pre")).to_contain_text('"state": "running"')

    await visit.press("Follow from here", within=third)
    await expect(log.get_by_role("status")).to_have_text("Following")
    await expect(lines.first.locator(".log-seq")).to_have_text("4")
    await visit.press("Pause", within=log)
    shown = await lines.count()
    await server.http.post(f"/v1/jobs/{job['id']}/cancel")
    await expect(log).to_contain_text("more since")
    assert await lines.count() == shown
    await visit.press("Go on", within=log)

    await expect(lines.last).to_contain_text("end")
    await expect(log.get_by_role("status")).to_have_text("The stream has ended")


async def test_dead_letters_are_retried_and_deleted_by_error(visit: Operating, server: Api) -> None:
    """A few that are chosen, and all that failed in the same way; each is asked for once more."""
    jobs = [await server.submit("Fail", input=REFUSED) for _ in range(3)]
    for job in jobs:
        await server.ended(job["id"])
    await visit.open("Dead letters")
    await visit.page.get_by_role("link", name="provider-failed").click()
    mine = [visit.page.get_by_label(f"Choose {job['id'][:8]}") for job in jobs]
    await expect(mine[0]).to_be_visible()
    await visit.page.get_by_label("Choose all that are shown").check()
    await mine[0].uncheck()
    dialog = visit.page.get_by_role("dialog")
    await visit.press("Delete")
    await expect(dialog).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await visit.press("Delete")
    await visit.press("Delete", within=dialog)
    await expect(mine[1]).to_have_count(0)
    gone = await server.http.get(f"/v1/jobs/{jobs[1]['id']}")

    await mine[0].check()
    await visit.press("Retry 1 chosen job")
    await visit.press("Retry", within=dialog)
    await expect(visit.page.get_by_role("status").filter(has_text="runs again")).to_have_text("1 job runs again.")

    assert gone.status_code == 404
    assert (await server.ended(jobs[0]["id"]))["run"] == 2


async def test_all_dead_letters_of_an_error_go_at_once(visit: Operating, server: Api) -> None:
    """Without looking at any of them."""
    for _ in range(3):
        job = await server.submit("Fail", input=REFUSED)
        await server.ended(job["id"])
    await visit.open("Dead letters")
    await visit.press("Delete", within=visit.rows.first)
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("chat jobs that failed with provider-failed?")

    await visit.press("Delete", within=dialog)

    await expect(visit.main).to_contain_text("No dead letters.")


async def test_a_paused_kind_waits_until_it_is_resumed(visit: Operating, server: Api) -> None:
    """The figures say so on every view, and the job goes on as soon as it may."""
    await visit.open("Kinds")
    await visit.press("Pause chat")
    await expect(visit.page.get_by_label("The service now")).to_contain_text("Paused: chat")
    job = await server.submit("Wait")
    await visit.show("jobs", job["id"])
    await expect(visit.main.locator(".head .state-mark")).to_have_text("Queued")

    await visit.open("Kinds")
    await visit.press("Resume chat")

    await expect(visit.page.get_by_label("The service now")).not_to_contain_text("Paused")
    assert (await server.ended(job["id"]))["state"] == "completed"


async def test_what_the_clock_starts_is_started_by_hand(visit: Operating) -> None:
    """And the job that it became is a link away."""
    await visit.open("Schedules")
    await visit.press("Run now")

    await visit.page.get_by_role("link", name=re.compile("Started")).click()

    await expect(visit.main.locator(".head .state-mark")).to_have_text("Done")


async def test_a_webhook_that_nobody_took_is_sent_again_by_hand(visit: Operating, server: Api) -> None:
    """It stands with its job and in the list of all; whoever sent it again is written down."""
    job = await server.submit("Tell", webhook={"url": f"http://{NOBODY}/told"})
    await server.ended(job["id"])
    await visit.show("jobs", job["id"])
    await expect(visit.rows).to_contain_text(f"{NOBODY}/told")

    await visit.press("Send again", within=visit.rows)

    await visit.open("Webhooks")
    await expect(visit.row(job["id"])).to_contain_text("pending")
    await visit.open("Audit")
    await expect(visit.rows.first).to_contain_text("retry delivery")


async def test_figures_are_asked_for_where_streams_do_not_get_through(
    browser: Browser, url: str, server: Api
) -> None:
    """The view says so, and jobs appear in it all the same."""
    async with operating(browser, url, LOOKS["desk-light"], signed_in=False) as visit:
        await visit.page.route("**/stream*", lambda route: route.fulfill(status=502))
        await visit.sign_in()
        await expect(visit.connection).to_have_text("Polling")

        job = await server.submit("What is a fjord?")

        await expect(visit.row(job["id"])).to_contain_text("Done")


async def test_a_view_whose_service_is_killed_says_so_and_comes_back(visit: Operating, product: System) -> None:
    """What is seen is old until then; the session outlives it."""
    product.api.kill()
    await expect(visit.connection).to_have_text("Offline")
    await expect(visit.page.get_by_role("status").first).to_contain_text("Offline since")

    product.api.start()

    await expect(visit.connection).to_have_text("Live")
    await expect(visit.page.get_by_role("status").first).to_contain_text("Back online")


async def test_a_tab_that_nobody_looks_at_holds_no_stream(visit: Operating, server: Api) -> None:
    """It gives its stream back when it is hidden, and knows what happened meanwhile when it is seen again."""
    page = visit.page
    async with page.expect_event("requestfailed", lambda request: request.url.endswith("/v1/operator/stream")):
        await page.evaluate(LOOKED_AT, "hidden")
    job = await server.submit("What is a tarn?")
    await server.ended(job["id"])

    await page.evaluate(LOOKED_AT, "visible")

    await expect(visit.row(job["id"])).to_contain_text("Done")
    await expect(visit.connection).to_have_text("Live")


async def test_a_job_that_is_gone_says_so(visit: Operating) -> None:
    """An unknown id is told in words, with the way to those that are there."""
    await visit.go("jobs/no-such-job-0123456789")
    await expect(visit.page.get_by_role("alert")).to_contain_text("This job is gone")

    await visit.page.get_by_role("link", name="Show all jobs").click()

    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Jobs")


async def test_the_view_is_worked_by_keyboard_alone(browser: Browser, url: str, server: Api) -> None:
    """From the door to a job, and to its contents."""
    job = await server.submit("What is a monad?")
    await server.ended(job["id"])
    async with operating(browser, url, LOOKS["desk-dark"], signed_in=False) as visit:
        await visit.page.keyboard.type(OPERATOR_SECRET)
        await visit.page.keyboard.press("Enter")
        link = visit.row(job["id"]).get_by_role("link")
        await expect(link).to_be_visible()
        await _tab_to(visit, f"a[href='#/jobs/{job['id']}']")
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.get_by_role("heading", name="What it did")).to_be_visible()
        await _tab_to(visit, "section[aria-labelledby=contents] button")
        await visit.page.keyboard.press("Enter")

        await expect(visit.page.get_by_role("region", name="Input")).to_contain_text("What is a monad?")


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
async def test_nobody_is_kept_out_of_any_view(browser: Browser, url: str, server: Api, look: Look) -> None:
    """Each view, full and empty, in each look: nothing serious to axe, and nothing wider than the screen."""
    some = {"models": {"openai": "gpt", "google": "gemini-400"}}
    done = await server.submit("What is a skerry?", input=some, webhook={"url": f"http://{NOBODY}/"})
    dead = await server.submit("Fail", input=REFUSED, subject="a-subject-of-some-length-and-no-spaces")
    for job in (done, dead):
        await server.ended(job["id"])
    async with operating(browser, url, look, signed_in=False) as visit:
        await _check(visit, "the door")
        await visit.sign_in()
        await expect(visit.row(done["id"])).to_be_visible()
        for path, name in VIEWS.items():
            await visit.go(path)
            await expect(visit.page.get_by_role("heading", level=1)).to_have_text(name)
            await expect(visit.main.locator("table, .empty").first).to_be_visible()
            await _check(visit, name)
        await visit.go("jobs?subject=nobody")
        await expect(visit.main).to_contain_text("No job fits.")
        await _check(visit, "an empty list")
        await visit.go("dead-letters?kind=chat&type=provider-failed")
        await visit.page.get_by_label(f"Choose {dead['id'][:8]}").check()
        await _check(visit, "dead letters of an error")
        await visit.show("jobs", done["id"])
        await visit.press("Show contents")
        await visit.press("Read from the start")
        await visit.page.locator(".log summary").first.click()
        await _check(visit, "a job")
        await visit.press("Retry…")
        await _check(visit, "a question")


async def _check(visit: Operating, place: str) -> None:
    await check_accessible(visit.page, place)
    widths = await visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{place} is wider than the screen"


async def _tab_to(visit: Operating, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(100):
        await visit.page.keyboard.press("Tab")
        if await visit.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is out of a keyboard's reach")

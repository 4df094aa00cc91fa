"""What the dialects make of a log, whatever it says and wherever its reader comes from."""

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model import JsonObject
from jobs.updates import Entry
from service.feed import Bye, Gone, Told
from service.transports.dialects.ag_ui import Run
from service.transports.dialects.ai_sdk import Message
from service.transports.dialects.openai_object import Asked
from service.transports.dialects.openai_responses import NUMBERS_OF_AN_UPDATE, Events
from service.transports.dialects.reading import Dialect, before_the_first
from service.transports.dialects.telling import Teller
from tests.dialects.clients import Agent, Chat, Responses, events_of
from tests.dialects.tales import FAILURE, SNAPSHOT, Tale, in_batches, tales

EXAMPLES = settings(max_examples=150, deadline=None)
ASKED = Asked("openai")
QUESTION: JsonObject = {"id": "q", "role": "user", "content": "why?"}
ENDS = {"completed": "RUN_FINISHED", "cancelled": "RUN_FINISHED", "failed": "RUN_ERROR"}


def from_the_start(tale: Tale, dialect: Dialect, *, batch: int = 1) -> bytes:
    """The stream of a reader who hears every update."""
    teller = Teller(before_the_first(SNAPSHOT))
    items = in_batches(tale.entries, batch)
    return b"".join(dialect.frames(chapter) for item in items for chapter in teller.hear(item))


def from_snapshots(tale: Tale, dialect: Dialect, *places: int) -> bytes:
    """The stream of a reader who is told snapshots: of the first place to begin with, of the others in the place of
    the updates that lead there."""
    teller, stream = Teller(), b""
    heard: list[Told | list[object]] = []
    for place, after in zip(places, [*places[1:], None], strict=True):
        heard.append(tale.told(place))
        until = place + (after - place) // 2 if after is not None else None
        heard.append(list(tale.entries[place:until]))
    for item in heard:
        stream += b"".join(dialect.frames(chapter) for chapter in teller.hear(item))  # type: ignore[arg-type]
    return stream


def run(*, resumed: bool = False, history: tuple[JsonObject, ...] = (QUESTION,)) -> Run:
    return Run("thread", "run", history, resumed=resumed)


def spoken(tale: Tale) -> dict[str, str]:
    """What each part says in the end, of those that ever began."""
    return {name: part["text"] for name, part in tale.job["parts"].items()}


@EXAMPLES
@given(tales(), st.integers(1, 9))
def test_however_updates_come_together_their_frames_are_the_same(tale: Tale, batch: int) -> None:
    """In every dialect."""
    for make in (Message, run, lambda: Events(ASKED)):
        assert from_the_start(tale, make()) == from_the_start(tale, make(), batch=batch)


@EXAMPLES
@given(tales())
def test_a_stream_of_responses_goes_on_after_any_event_exactly(tale: Tale) -> None:
    """From each number on comes, to the byte, what came after it the first time."""
    whole = from_the_start(tale, Events(ASKED))
    frames = [frame + b"\n\n" for frame in whole.split(b"\n\n")[:-1]]
    numbers = [event["sequence_number"] for event in events_of(whole)]

    for place, number in enumerate(numbers, start=1):
        assert from_the_start(tale, Events(ASKED, after=number)) == b"".join(frames[place:])


@EXAMPLES
@given(tales(), st.data())
def test_a_snapshot_on_the_way_changes_nothing_of_that(tale: Tale, data: st.DataObject) -> None:
    """It tells the difference to what was told, and counts from its own update."""
    left, place = (
        sorted(data.draw(st.integers(3, len(tale.entries) - 1)) for _ in range(2)) if tale.answers else (2, 2)
    )
    items: list[Told | list[Entry]] = [tale.entries[:left], tale.told(place), tale.entries[place:]]

    def stream(after: int | None) -> bytes:
        teller, events = Teller(before_the_first(SNAPSHOT)), Events(ASKED, after=after)
        return b"".join(events.frames(chapter) for item in items for chapter in teller.hear(item))

    frames = [frame + b"\n\n" for frame in stream(None).split(b"\n\n")[:-1]]
    for heard, event in enumerate(events_of(b"".join(frames)), start=1):
        assert stream(event["sequence_number"]) == b"".join(frames[heard:])


@EXAMPLES
@given(tales())
def test_the_events_of_a_response_add_up_to_what_it_says_in_the_end(tale: Tale) -> None:
    """Its items are those that were done, without what was broken off for another try."""
    client = Responses()
    for event in events_of(from_the_start(tale, Events(ASKED))):
        client.take(event)

    assert client.response is not None
    said = {item["id"]: item["content"][0]["text"] for item in client.response["output"]}
    done = {item["id"]: item["content"][0]["text"] for item in client.done.values()}
    assert said.items() <= done.items()
    assert [*said.values()] == tale.answers
    assert client.response["status"] == tale.job["state"]
    assert client.response["metadata"] == SNAPSHOT["metadata"]


@EXAMPLES
@given(tales(), st.data())
def test_wherever_a_chat_is_reloaded_it_shows_the_same_answers(tale: Tale, data: st.DataObject) -> None:
    """A reload begins anew with a snapshot, and a slow reader is given another one on the way."""
    first, second = sorted(data.draw(st.integers(1, len(tale.entries) - 1)) for _ in range(2))
    left = [*events_of(from_the_start(tale, Message()))][: data.draw(st.integers(0, 30))]
    client = Chat()
    for event in left[:-1] if left and left[-1]["type"] in ("finish", "abort", "error") else left:
        client.take(event)

    for event in events_of(from_snapshots(tale, Message(), first, second)):
        client.take(event)

    assert client.answers == spoken(tale)
    assert client.ended == {"completed": "finish", "failed": "error", "cancelled": "abort"}[tale.job["state"]]


@EXAMPLES
@given(tales(), st.data())
def test_wherever_an_agent_is_connected_again_it_holds_each_answer_once(tale: Tale, data: st.DataObject) -> None:
    """Whatever it had of them when it left, even of a try that counts no more."""
    first, second = sorted(data.draw(st.integers(1, len(tale.entries) - 1)) for _ in range(2))
    left = [*events_of(from_the_start(tale, run()))][: data.draw(st.integers(0, 30))]
    client = Agent(messages=[dict(QUESTION)])
    for event in left[:-1] if left and left[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR") else left:
        client.take(event)
    again = run(resumed=True, history=tuple(dict(message) for message in client.messages))

    client.connect()
    for event in events_of(from_snapshots(tale, again, first, second)):
        client.take(event)

    question, *answers = client.messages
    assert question == QUESTION
    assert {answer["name"]: answer["content"] for answer in answers} == spoken(tale)
    assert len(answers) == len(spoken(tale))
    assert client.ended == ENDS[tale.job["state"]]


def two_tries() -> Tale:
    """A provider is asked again in the middle of its answer."""
    tale = Tale()
    tale.state("queued")
    tale.state("running")
    tale.begin("openai")
    tale.say("openai", "wrong")
    tale.begin("openai")
    tale.say("openai", "ri")
    tale.say("openai", "ght")
    tale.close("openai", "completed")
    tale.end("completed")
    return tale


def test_an_answer_that_is_begun_again_marks_the_first_one_in_a_chat() -> None:
    """A text part can't be taken back; the page may hide it, and the next question leaves it out."""
    client = Chat()
    for event in events_of(from_the_start(two_tries(), Message())):
        client.take(event)

    assert [(part["text"], part["about"].get("superseded", False)) for part in client.parts] == [
        ("wrong", True),
        ("right", False),
    ]


def test_an_answer_that_is_begun_again_leaves_an_agent_without_the_first_one() -> None:
    """The conversation is told anew without it."""
    client = Agent(messages=[dict(QUESTION)])
    for event in events_of(from_the_start(two_tries(), run())):
        client.take(event)

    assert [message["content"] for message in client.messages] == ["why?", "right"]


def test_an_answer_that_is_begun_again_is_another_item_of_a_response() -> None:
    """The first one is done as incomplete, and no part of the whole response."""
    client = Responses()
    for event in events_of(from_the_start(two_tries(), Events(ASKED))):
        client.take(event)

    assert [(item["status"], item["content"][0]["text"]) for item in client.done.values()] == [
        ("incomplete", "wrong"),
        ("completed", "right"),
    ]
    assert client.response is not None
    assert [item["content"][0]["text"] for item in client.response["output"]] == ["right"]


def test_what_a_provider_did_wrong_is_told_in_every_dialect() -> None:
    """As the error of the run, and as that of its part."""
    tale = Tale()
    tale.state("queued")
    tale.state("running")
    tale.begin("openai")
    tale.close("openai", "failed")
    tale.end("failed")

    chat, agent, response = (
        [*events_of(from_the_start(tale, dialect))] for dialect in (Message(), run(), Events(ASKED))
    )

    assert chat[-1] == {"type": "error", "errorText": FAILURE["detail"]}
    assert chat[-2]["providerMetadata"]["jobstream"]["error"] == FAILURE
    assert (agent[-1]["message"], agent[-1]["code"]) == (FAILURE["detail"], FAILURE["type"])
    assert response[-1]["type"] == "response.failed"
    assert response[-1]["response"]["error"]["message"] == FAILURE["detail"]


def test_a_response_whose_log_is_lost_repeats_nothing_that_may_have_been_heard() -> None:
    """Whoever was in the middle of it is given what is done, which holds all; whoever is new, everything."""
    tale = two_tries()
    before_end = len(tale.entries) - 1

    in_the_middle, new = (
        [event["type"] for event in events_of(from_snapshots(tale, Events(ASKED, after=after), before_end))]
        for after in (4 * NUMBERS_OF_AN_UPDATE, None)
    )

    assert in_the_middle == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert new[:5] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ]
    assert new[5:] == in_the_middle


def test_a_run_by_hand_is_told_without_the_runs_before_it() -> None:
    """Also where the whole log is read."""
    tale = two_tries()
    again = {"state": "queued", "run": 2, "attempt": 0, "next_attempt_at": None, "started_at": None, "error": None}
    tale.write("state", again | {"from": "start"})
    tale.write("state", again | {"state": "running", "started_at": "2026-11-21T22:34:05.123Z", "attempt": 1})
    tale.begin("google")
    tale.say("google", "second")
    tale.end("completed")
    teller, client = Teller(before_the_first(SNAPSHOT), run=2), Responses()

    events = Events(ASKED)
    for chapter in teller.hear(tale.entries):
        for event in events_of(events.frames(chapter)):
            client.take(event)

    assert client.items == {0: "second"}


def test_a_stream_that_ends_before_its_run_does_not_pass_for_a_whole_answer() -> None:
    """A chat and an agent are told an error; a response just has no last event, and is resumed by its number."""
    bye, events = Bye("shutdown"), Events(ASKED)
    (chat,), (agent,) = events_of(Message().farewell(bye)), events_of(run().farewell(bye))

    assert (chat["type"], agent["type"], agent["code"]) == ("error", "RUN_ERROR", "shutdown")
    assert events.farewell(bye) == b""


def test_a_job_that_is_deleted_under_its_stream_is_an_error_in_every_dialect() -> None:
    """None of them waits for more."""
    told = [next(events_of(dialect.farewell(Gone()))) for dialect in (Message(), run(), Events(ASKED))]

    assert [event["type"] for event in told] == ["error", "RUN_ERROR", "error"]

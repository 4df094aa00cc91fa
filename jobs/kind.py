"""The contract between a kind of job and whatever runs it: `Kind` is declared, `Run` is handed over."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, JsonValue

from jobs.copying import Copying
from jobs.measurements.rows import Measurements
from jobs.model import JobId, JsonObject
from jobs.summarized import Session, Stale, StalePage, Summary, Tree, What

Input = TypeVar("Input", bound=BaseModel)
Kept = TypeVar("Kept", bound=JsonValue)

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
MEBIBYTE = 1024 * 1024

ProviderName = Literal["openai", "anthropic", "google"]


@dataclass(frozen=True)
class Image:
    """A picture that a provider is shown: `data` is a whole file of the type `media_type`."""

    media_type: Literal["image/png", "image/jpeg"]
    data: bytes


@dataclass(frozen=True)
class Tool:
    """What a provider may ask us to do; `parameters` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


@dataclass(frozen=True)
class Call:
    """A tool that the provider asks for. `arguments` are as it wrote them, checked by nobody yet; `token` is what it
    wants to see again with the call's result."""

    id: str
    name: str
    arguments: dict[str, JsonValue]
    token: str | None = None


@dataclass(frozen=True)
class CallResult:
    """What a call brought, to be told to the provider."""

    call_id: str
    name: str
    content: str


@dataclass(frozen=True)
class Turn:
    """One message of a conversation: an assistant's may hold calls, and the user's after it holds their results."""

    role: Literal["user", "assistant"]
    content: str
    images: tuple[Image, ...] = ()
    calls: tuple[Call, ...] = ()
    results: tuple[CallResult, ...] = ()


@dataclass(frozen=True)
class Shape:
    """The form that an answer must have: its text is JSON that fits the JSON Schema `schema`, an object."""

    name: str
    schema: dict[str, JsonValue]


@dataclass(frozen=True)
class Question:
    """What a provider is asked; `model` None means the provider's default model."""

    provider: str
    turns: tuple[Turn, ...]
    model: str | None = None
    system: str | None = None
    max_output_tokens: int | None = None
    shape: Shape | None = None
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True)
class Child:
    """A job that another waits for; `subject` None is its parent's. A parent that is not `told` what the child made
    learns how it ended, and keeps nothing of it."""

    kind: str
    input: dict[str, JsonValue]
    subject: str | None = None
    told: bool = True


@dataclass(frozen=True)
class ChildEnd:
    """How a child ended; `result` and `error` as in its snapshot."""

    job_id: str
    state: str
    result: JsonValue
    error: JsonValue


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counted them, and their price in US dollars where the model's price is known."""

    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(frozen=True)
class Answer:
    """A provider's complete answer; `elapsed` and `first_token` are seconds since it was asked."""

    text: str
    model: str
    usage: Usage | None
    elapsed: float
    first_token: float | None
    calls: tuple[Call, ...] = ()


def answer_step(part: str) -> str:
    """The step that keeps a part's answer."""
    return f"answer.{part}"


def leads_to(part: str, step: str) -> bool:
    """Whether the part goes back to its beginning without the step: its answer's, or one named after that."""
    answer = answer_step(part)
    return step == answer or step.startswith(f"{answer}:")


@dataclass(frozen=True)
class Round:
    """One chat of a conversation: what was said in it, and what each provider that was asked has answered; None
    where it failed."""

    turns: tuple[Turn, ...]
    answers: Mapping[str, str | None]

    def heard_by(self, provider: str) -> tuple[Turn, ...]:
        """The round as the provider knows it, without what others answered."""
        answer = self.answers.get(provider)
        return (*self.turns, Turn("assistant", answer)) if answer else self.turns


class Conversations(Protocol):
    """What was said in chats of a name that the subject has chosen, kept beyond them."""

    async def earlier(self, name: str) -> list[Round]:
        """The rounds of the jobs that were submitted before this one, as far as they have ended; oldest first."""

    async def add(self, name: str, said: Round) -> None:
        """Keep this job's round, once however often it is added: it replaces what the job had added before."""


class Sessions(Protocol):
    """The sessions and trees of the job's subject; SessionNotFound and TreeNotFound where it has none of the id."""

    async def session(self, session_id: str) -> Session: ...

    async def begin(self, what: What, its_id: str, content_hash: str) -> bool:
        """Whether this job is to make the summary of what has this hash: not while another makes it."""

    async def keep_summary(self, session_id: str, content_hash: str, text: str) -> str:
        """When the summary was kept; one of what the session doesn't hold any more leaves it stale."""

    async def tree(self, tree_id: str) -> Tree: ...

    async def summaries(self, tree: Tree) -> list[tuple[str, Summary]]:
        """The summaries that the tree's sessions have, each with its session's id."""

    async def keep_tree_summary(self, tree: Tree, content_hash: str, text: str) -> str:
        """When the summary was kept; what has happened to the tree since it was read leaves it stale."""

    async def settle_tree(self, tree: Tree) -> None:
        """The tree was found not to be stale, and is looked at no more until something happens to it."""

    async def stale(self, what: What, *, after: int, until: int, most: int) -> StalePage:
        """What has become stale in (after, until], of every subject: for kinds that are the clock's alone."""

    async def postpone(self, what: What, stale: Stale) -> None:
        """Let all others that are stale come before it, as it could not be summarised; for the same kinds."""

    async def now(self) -> int:
        """The moment, on the clock by which things become stale."""


class Run(Protocol):
    """What a running job may do; every act may raise LeaseLost, and then the kind must stop."""

    @property
    def job_id(self) -> JobId: ...

    @property
    def attempt(self) -> int:
        """Which try of this run it is, counted from 1."""

    @property
    def providers(self) -> Sequence[str]:
        """The providers that are configured, in the order of their cards."""

    @property
    def conversations(self) -> Conversations: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def copying(self) -> Copying: ...

    async def input_of(self, job_id: str) -> JsonObject:
        """What an earlier job of the same subject was given; JobNotFound where there is none that it may see."""

    async def measurements(self, system_id: str, *, days: float) -> Measurements:
        """The newest days of what the connection `measurements` holds of the system; DoNotRetry where that is
        nothing."""

    async def image(self) -> Image:
        """The image that came with the job, as every provider takes it."""

    async def step(
        self,
        name: str,
        act: Callable[[], Awaitable[Kept]],
        *,
        tries: int = 1,
        timeout_seconds: float | None = None,
    ) -> Kept:
        """The result of `act`, which is JSON; kept, so that a later attempt gets it without running `act`.

        A fault is tried again up to `tries` times within this attempt, unless it says that it is final; a try
        ends with StepTimedOut after `timeout_seconds`. What `act` does to the world happens at least once: give
        it `{job_id}:{name}` as its idempotency key."""

    async def progress(
        self,
        *,
        percent: float | None = None,
        message: str | None = None,
        counters: dict[str, int] | None = None,
        kept: bool = False,
    ) -> None:
        """Tell the listeners how far the job is; only what is given changes. `kept`: no later attempt does again what
        was done so far, so that a worker that is lost from here on is none that was lost by what was before."""

    async def sleep(self, name: str, seconds: float) -> None:
        """Return after `seconds`, counted from the first call of this name; the job holds no worker meanwhile."""

    async def children(self, name: str, children: Sequence[Child]) -> list[ChildEnd]:
        """Submit the children and wait for all of them without a worker; how each ended, in their order."""

    async def send(self, event: str, data: dict[str, JsonValue], *, name: str | None = None) -> str:
        """The id of an event that is sent once, however often the job is tried; it starts what subscribes to it.
        `name` is its step's, `send.{event}` where there is none: a second event of one name needs another."""

    async def ask(
        self,
        part: str,
        question: Question,
        *,
        name: str | None = None,
        growing: Callable[[str], JsonValue] | None = None,
    ) -> Answer:
        """The provider's answer, streamed into the part as it is written and kept like a step's result;
        AnswerFailed once its tries are used up.

        `name` is the step that keeps it, `answer.{part}` where there is none: a second question into one part needs
        another, and starts the part anew. A retry by hand of the part forgets `answer.{part}` and every step whose
        name goes on from there with a colon, such as `answer.{part}:2`; all others stay kept.

        `growing` makes of the text so far the part's provisional `result`, which is told at most every 500 ms and
        once more when the text is complete; None of it leaves the result as it is."""

    async def show(self, part: str, result: JsonValue) -> None:
        """Set the part's `result`, beside its text; a part that nothing was asked into is then complete."""


@dataclass(frozen=True)
class Kind(Generic[Input]):
    """A type of job: its name, what it takes, what it does, and the bounds it runs in."""

    name: str
    input: type[Input]
    perform: Callable[[Run, Input], Awaitable[JsonValue]]
    summary: str
    retention_seconds: int = DAY_SECONDS
    failed_retention_seconds: int = 30 * DAY_SECONDS
    timeout_seconds: float | None = 15 * 60
    max_attempts: int = 16
    back_off_seconds: tuple[float, ...] = (5.0, 10.0, 30.0, 60.0)
    """How long after an attempt the next begins, by how many there were; the last one stands for all further."""
    concurrency: int = 0
    concurrency_per_subject: int = 0
    """How many jobs of the kind may run at once, in all and for one subject; 0 is no limit."""
    body_limit: int = MEBIBYTE
    image_field: str | None = None
    """The field of the input in which an image comes: it is kept beside the input, which then only names it."""
    result_limit: int = 4 * MEBIBYTE


AnyKind = Kind[Any]

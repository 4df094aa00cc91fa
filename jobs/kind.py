"""The contract between a kind of job and whatever runs it: `Kind` is declared, `Run` is handed over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, JsonValue

from jobs.model import JobId

Input = TypeVar("Input", bound=BaseModel)
Kept = TypeVar("Kept", bound=JsonValue)

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
MEBIBYTE = 1024 * 1024


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
    """A job that another waits for."""

    kind: str
    input: dict[str, JsonValue]


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
    ) -> None:
        """Tell the listeners how far the job is; only what is given changes."""

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
        another, and starts the part's text anew. `growing` makes of the text so far the part's provisional `result`,
        which is told at most every 500 ms; None of it leaves the result as it is."""


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
    result_limit: int = 4 * MEBIBYTE


AnyKind = Kind[Any]

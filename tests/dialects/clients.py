"""What a client of each dialect makes of a stream, by the rules that its own parser has."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from jobs.model import JsonObject


def events_of(stream: bytes) -> Iterator[JsonObject]:
    """The data of each event; all of it on one line."""
    for block in stream.decode().split("\n\n"):
        data = [line.removeprefix("data: ") for line in block.split("\n") if line.startswith("data: ")]
        if data and data != ["[DONE]"]:
            (line,) = data
            yield orjson.loads(line)


@dataclass
class Chat:
    """The AI SDK: a message of parts; a stream that starts tells all of it."""

    parts: list[JsonObject] = field(default_factory=list)
    open: dict[str, JsonObject] = field(default_factory=dict)
    ended: str = ""

    def take(self, chunk: JsonObject) -> None:
        assert not self.ended
        match chunk["type"]:
            case "start":
                self.parts, self.open = [], {}
            case "text-start":
                self.open[chunk["id"]] = part = {"text": "", "about": chunk["providerMetadata"]["jobstream"]}
                self.parts.append(part)
            case "text-delta":
                assert chunk["delta"]
                self.open[chunk["id"]]["text"] += chunk["delta"]
            case "text-end":
                self.open.pop(chunk["id"])["about"] = chunk["providerMetadata"]["jobstream"]
            case "finish" | "abort" | "error":
                assert not self.open
                self.ended = chunk["type"]
            case unknown:
                raise AssertionError(unknown)

    @property
    def answers(self) -> dict[str, str]:
        """What each provider says, without what was superseded."""
        said = [(part["about"]["provider"], part["text"]) for part in self.parts if "superseded" not in part["about"]]
        assert len(dict(said)) == len(said)
        return dict(said)


@dataclass
class Agent:
    """AG-UI: messages that the stream adds to or replaces; a new stream opens what it goes on with."""

    messages: list[JsonObject] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    running: bool = False
    ended: str = ""

    def connect(self) -> None:
        """A new stream: what the agent holds stays, what was open is not."""
        self.open, self.steps, self.running = set(), set(), False

    def take(self, event: JsonObject) -> None:
        assert not self.ended
        assert self.running != (event["type"] == "RUN_STARTED")
        match event["type"]:
            case "RUN_STARTED":
                self.running = True
            case "MESSAGES_SNAPSHOT":
                self.messages = [dict(message) for message in event["messages"]]
            case "TEXT_MESSAGE_START":
                assert event["messageId"] not in self.open
                self.open.add(event["messageId"])
                if not self._held(event["messageId"]):
                    self.messages.append({"id": event["messageId"], "content": "", "name": event["name"]})
            case "TEXT_MESSAGE_CONTENT":
                assert event["delta"]
                assert event["messageId"] in self.open
                self._held(event["messageId"])[0]["content"] += event["delta"]
            case "TEXT_MESSAGE_END":
                self.open.remove(event["messageId"])
            case "STEP_STARTED":
                assert event["stepName"] not in self.steps
                self.steps.add(event["stepName"])
            case "STEP_FINISHED":
                self.steps.remove(event["stepName"])
            case "RUN_FINISHED" | "RUN_ERROR":
                assert not self.open | self.steps
                self.ended = event["type"]
            case unknown:
                raise AssertionError(unknown)

    def _held(self, message_id: str) -> list[JsonObject]:
        return [message for message in self.messages if message["id"] == message_id]


@dataclass
class Responses:
    """OpenAI: numbered events; items open, grow and are done, each at its own place of the output."""

    items: dict[int, str] = field(default_factory=dict)
    done: dict[int, JsonObject] = field(default_factory=dict)
    number: int = -1
    response: JsonObject | None = None

    def take(self, event: JsonObject) -> None:
        assert self.response is None
        assert event["sequence_number"] > self.number
        self.number = event["sequence_number"]
        match event["type"]:
            case "response.created" | "response.in_progress" | "response.content_part.added":
                return
            case "response.output_item.added":
                assert event["output_index"] == len(self.items)
                self.items[event["output_index"]] = ""
            case "response.output_text.delta":
                assert event["delta"]
                self.items[event["output_index"]] += event["delta"]
            case "response.output_text.done":
                assert event["text"] == self.items[event["output_index"]]
            case "response.content_part.done":
                assert event["part"]["text"] == self.items[event["output_index"]]
            case "response.output_item.done":
                self.done[event["output_index"]] = event["item"]
            case "response.completed" | "response.failed" | "response.incomplete":
                assert self.done.keys() == self.items.keys()
                self.response = event["response"]
            case unknown:
                raise AssertionError(unknown)

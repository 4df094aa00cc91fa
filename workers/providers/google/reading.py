"""What the responses of a stream mean."""

from base64 import b64encode

from jobs.kind import Call
from workers.provider import Finish
from workers.providers import faults
from workers.providers.calls import made
from workers.providers.seen import Seen

TITLE = "Google"


class _Called(Seen):
    id: str | None = None
    name: str
    args: dict[str, object] | None = None


class _Part(Seen):
    text: str | None = None
    thought: bool | None = None
    thought_signature: bytes | None = None
    function_call: _Called | None = None


class _Content(Seen):
    parts: list[_Part] | None = None


class _Candidate(Seen):
    content: _Content | None = None
    finish_reason: str | None = None

    @property
    def parts(self) -> list[_Part]:
        """What it says and asks for; thoughts are left out."""
        parts = (self.content and self.content.parts) or []
        return [part for part in parts if not part.thought]


class _Used(Seen):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None

    @property
    def output_tokens(self) -> int | None:
        """The answer's and the thoughts' tokens, which cost the same."""
        if self.candidates_token_count is None:
            return self.thoughts_token_count
        return self.candidates_token_count + (self.thoughts_token_count or 0)


class _Feedback(Seen):
    block_reason: str | None = None


class _Chunk(Seen):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Used | None = None
    model_version: str | None = None


_BROKEN_OFF = frozenset({"CONTINUATION", "OTHER", "MALFORMED_RESPONSE"})


class ContentReading:
    """What is understood of one answer."""

    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._model = model
        self._used = _Used()
        self._calls: list[Call] = []
        self._ended = False

    def read(self, event: object) -> str:
        """The text that the event adds."""
        chunk = _Chunk.model_validate(event)
        self._model = chunk.model_version or self._model
        self._used = chunk.usage_metadata or self._used
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise faults.withheld(TITLE, chunk.prompt_feedback.block_reason)
        text = "".join(self._hear(candidate) for candidate in (chunk.candidates or [])[:1])
        if self._ended:
            used = self._used
            self.finish = Finish(self._model, used.prompt_token_count, used.output_tokens, tuple(self._calls))
        return text

    def _hear(self, candidate: _Candidate) -> str:
        match candidate.finish_reason:
            case None | "FINISH_REASON_UNSPECIFIED":
                pass
            case "STOP" | "MAX_TOKENS":
                self._ended = True
            case "MALFORMED_FUNCTION_CALL":
                raise faults.miscalled(TITLE)
            case reason if reason in _BROKEN_OFF:
                raise faults.cut(TITLE)
            case reason:
                raise faults.withheld(TITLE, reason)
        self._calls += [_call(part, part.function_call) for part in candidate.parts if part.function_call]
        return "".join(part.text or "" for part in candidate.parts)


def _call(part: _Part, called: _Called) -> Call:
    token = b64encode(part.thought_signature).decode() if part.thought_signature else None
    return made(TITLE, call_id=called.id, name=called.name, arguments=called.args or {}, token=token)

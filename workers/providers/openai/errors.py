"""What the exceptions of OpenAI's SDK mean."""

from openai import APIConnectionError, APIError, APIStatusError

from workers.provider import ProviderError
from workers.providers import faults

TITLE = "OpenAI"


def meaning(error: Exception) -> ProviderError | None:
    """The fault behind an exception; None if it is not the SDK's."""
    match error:
        case APIStatusError():
            wait = faults.retry_after(error.response.headers)
            return faults.refused(TITLE, error.status_code, word=error.code or error.type, retry_after=wait)
        case APIConnectionError():
            return faults.of_transport(TITLE, error.__cause__) or faults.cut(TITLE)
        case APIError():  # an error in the middle of the stream
            return faults.failed(TITLE, error.code or error.type)
    return None

"""Calls for short-lived credentials."""

from jobstream.client.call import Call, given, place
from jobstream.client.replies import Token


def mint(subject: str, scopes: list[str], *, ttl: int | None = None) -> Call[Token]:
    """A token for a page of the subject, which may do what the scopes name, for `ttl` seconds."""
    body = given(subject=subject, scopes=scopes, ttl=ttl)
    return Call("POST", place("tokens"), Token.model_validate_json, body=body)


def stream(job_id: str) -> Call[Token]:
    """A fresh token that reads this one job."""
    return Call("POST", place("jobs", job_id, "token"), Token.model_validate_json)

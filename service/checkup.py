"""What is misconfigured about the API: its secrets, where it listens, its page (`python -m service.checkup`)."""

import errno
import socket
from collections.abc import Iterator

import httpx2
from pydantic import SecretStr

from jobs.findings import Finding, checkup
from service.settings import Settings

SHORTEST_SECRET = 16
FEWEST_CHARACTERS = 6
"""So many different ones: fewer are a pattern."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANSWER_SECONDS = 5.0


def look(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the settings that can be read, and with what they name."""
    yield from _wrong_secrets(settings)
    for finding in (open_demo(settings), open_operator(settings), _pageless(settings), _unheard(settings)):
        if finding:
            yield finding


def open_demo(settings: Settings) -> Finding | None:
    """Whether demo mode would sign in the whole network."""
    if not settings.jobstream_demo or settings.host in LOOPBACK:
        return None
    return Finding("demo-open", "Demo mode signs every visitor in", "set HOST to 127.0.0.1, or JOBSTREAM_DEMO=0")


def open_operator(settings: Settings) -> Finding | None:
    """Whether the operator's view has no secret of its own."""
    if not settings.jobstream_operator or settings.jobstream_demo or values(settings.jobstream_operator_secret):
        return None
    return Finding("no-operator-secret", "The operator's view needs its own secret", "set JOBSTREAM_OPERATOR_SECRET")


def values(secret: SecretStr | None) -> list[str]:
    """One value or two, for rotation; blank ones are none."""
    given = secret.get_secret_value().split(",") if secret else []
    return [value.strip() for value in given if value.strip()]


def _wrong_secrets(settings: Settings) -> Iterator[Finding]:
    service = values(settings.background_function_auth_token)
    operator = values(settings.jobstream_operator_secret)
    made = "make one: openssl rand -base64 32"
    if not service and not settings.jobstream_demo:
        yield Finding(
            "no-service-secret",
            "No service secret is set, so that every protected call is refused",
            f"set BACKGROUND_FUNCTION_AUTH_TOKEN; {made}",
        )
    if set(service) & set(operator):
        yield Finding(
            "secrets-same",
            "Who has the service secret is the operator, too: BACKGROUND_FUNCTION_AUTH_TOKEN and "
            "JOBSTREAM_OPERATOR_SECRET are the same",
            f"set another JOBSTREAM_OPERATOR_SECRET; {made}",
        )
    named = {
        "BACKGROUND_FUNCTION_AUTH_TOKEN": service,
        "JOBSTREAM_OPERATOR_SECRET": operator,
        "JOBSTREAM_SIGNING_KEY": values(settings.jobstream_signing_key),
    }
    for name, secrets in named.items():
        if any(_is_weak(secret) for secret in secrets):
            yield Finding("secret-weak", f"{name} can be guessed, being short or a pattern", made)


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS


def _pageless(settings: Settings) -> Finding | None:
    folder = settings.jobstream_web
    if not (settings.jobstream_demo or settings.jobstream_operator) or (folder / "index.html").is_file():
        return None
    detail = f"There is no page in {folder}"
    return Finding("web-missing", detail, "set JOBSTREAM_WEB to the folder with its index.html, or leave it out")


def _unheard(settings: Settings) -> Finding | None:
    """Why the API could not listen where it is to; one of ours that does so already is right there."""
    place = f"{settings.host}:{settings.port}"
    try:
        with _listener(settings.host, settings.port):
            return None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            detail = f"Nobody can listen at {place} ({error.strerror})"
            return Finding(
                "address-unusable", detail, "set HOST to an address of this machine, PORT to one above 1023"
            )
    if _is_ours(settings):
        return None
    return Finding("port-taken", f"Another program listens at {place}", "end it, or set PORT to a free one")


def _listener(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family)


def _is_ours(settings: Settings) -> bool:
    host = settings.host if settings.host not in {"0.0.0.0", "::"} else "localhost"  # noqa: S104  # not bound here
    name = f"[{host}]" if ":" in host else host
    try:
        answer = httpx2.get(f"http://{name}:{settings.port}/healthz", timeout=ANSWER_SECONDS, trust_env=False)
        return bool(answer.json() == {"status": "ok"})
    except (httpx2.HTTPError, ValueError):
        return False


if __name__ == "__main__":
    checkup(Settings, look)

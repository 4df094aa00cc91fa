"""What is misconfigured about a worker: its settings and its providers (`python -m workers.checkup`)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from jobs.findings import Finding, checkup
from workers.settings import Settings

KEYS = ("openai_api_key", "anthropic_api_key", "gemini_api_key")
URLS = ("openai_base_url", "anthropic_base_url", "google_gemini_base_url", "jobstream_sandbox_url")


def look(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the settings that can be read."""
    if not settings.jobstream_sandbox_url and not any(getattr(settings, key) for key in KEYS):
        yield Finding(
            "no-provider",
            "No provider has a key",
            f"set one of {', '.join(map(str.upper, KEYS))}, or JOBSTREAM_SANDBOX_URL to try it without",
        )
    for name in URLS:
        if (url := getattr(settings, name)) and not _is_url(url):
            detail = f"{name.upper()} is no URL"
            yield Finding("base-url-malformed", detail, "it is http:// or https://, a host, and a path if it has one")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # says whether it is one
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


if __name__ == "__main__":
    checkup(Settings, look)

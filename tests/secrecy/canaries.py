"""One of each thing that nobody may find in what the processes say, and the settings that put the secrets among them
where they belong."""

import base64
from collections.abc import Mapping
from pathlib import Path

from tests.secrecy.ingest import KEY

SECRETS: Mapping[str, str] = {
    "service": "canary-service-2f9a",
    "service, rotated out": "canary-service-old-77c1",
    "operator": "canary-operator-b03e",
    "signing": "canary-signing-51dd",
    "encryption": "ca4a4f" * 10 + "beef",
    "store": "canary-store-e0/4f",
    "openai": "sk-canary-openai-90ab",
    "anthropic": "sk-ant-canary-66fe",
    "google": "AIzaSyCanaryGoogle7b2c",
    "connection": "canary-warehouse-1c8d",
    "webhook": "whsec_" + base64.b64encode(b"canary-of-the-webhooks-secret-3d").decode(),
    "sentry": "canarysentry4e1f",
}
"""What the processes are told, by what it is for."""

SAID: Mapping[str, str] = {
    "prompt": "canaryprompt5a5a",
    "transcript": "canarytranscript6b6b",
    "answer": "canaryanswer7c7c",
    "metadata": "canarymetadata8d8d",
    "event": "canaryevent9e9e",
}
"""What callers and providers say, by who says it."""


def settings(providers_url: str, sentry_dsn: str, folder: Path) -> dict[str, str]:
    """Variables with every secret; what stands at `providers_url` answers for all three providers."""
    return {
        "BACKGROUND_FUNCTION_AUTH_TOKEN": f"{SECRETS['service']},{SECRETS['service, rotated out']}",
        "JOBSTREAM_OPERATOR_SECRET": SECRETS["operator"],
        "JOBSTREAM_SIGNING_KEY": SECRETS["signing"],
        "DATA_ENCRYPTION_KEY": SECRETS["encryption"],
        "JOBSTREAM_DEMO": "0",
        "JOBSTREAM_LOG_LEVEL": "debug",
        "JOBSTREAM_SANDBOX_URL": "",
        "OPENAI_API_KEY": SECRETS["openai"],
        "OPENAI_BASE_URL": f"{providers_url}/v1",
        "ANTHROPIC_API_KEY": SECRETS["anthropic"],
        "ANTHROPIC_BASE_URL": providers_url,
        "GEMINI_API_KEY": SECRETS["google"],
        "GOOGLE_GEMINI_BASE_URL": providers_url,
        "JOBSTREAM_CONNECTION_LAKE": folder.as_uri(),
        "JOBSTREAM_CONNECTION_WAREHOUSE": f"postgresql://app:{SECRETS['connection']}@127.0.0.1:9/warehouse",
        "JOBSTREAM_WEBHOOK_SECRET": SECRETS["webhook"],
        "SENTRY_DSN": sentry_dsn.replace(KEY, SECRETS["sentry"]),
    }


def found_in(text: str, canaries: Mapping[str, str]) -> list[str]:
    """Which of the canaries are there, as they are or in base64."""
    spelled = {
        name: (value, base64.b64encode(value.encode()).decode().rstrip("=")) for name, value in canaries.items()
    }
    return [name for name, ways in spelled.items() if any(way in text for way in ways)]

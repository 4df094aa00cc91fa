"""How requests are sent with httpx2, by either client."""

import ssl
from typing import Any

import httpx2

from jobstream.client.credential import AsyncSource, Credential
from jobstream.client.surroundings import credential, environment, service_url
from jobstream.client.talk import Request

LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
"""Each watch has a connection of its own; of those that are idle a few are kept."""


def connection(
    base_url: str | None, token: AsyncSource | None, proxy: str | None, trusts: ssl.SSLContext | None
) -> dict[str, Any]:
    """What an httpx2 client is made with; what is not given comes from the environment."""
    variables = environment()
    return {
        "base_url": base_url or service_url(variables),
        "auth": Credential(token or credential(variables)),
        "proxy": proxy,
        "limits": LIMITS,
        "trust_env": False,
        "verify": trusts or True,
    }


def sent(request: Request) -> dict[str, Any]:
    """What the request is sent with."""
    own = {"auth": Credential(request.token)} if request.token else {}
    seconds = httpx2.Timeout(request.read_seconds, connect=request.connect_seconds)
    return {
        "method": request.method,
        "url": request.path,
        "params": request.params,
        "headers": request.headers,
        "json": request.body,
        "timeout": seconds,
        **own,
    }

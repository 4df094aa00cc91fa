"""What a store must be like so that jobs are safe in it, and the way to it."""

import ipaddress
from collections.abc import Iterator, Mapping

from redis.asyncio import Redis, SSLConnection, UnixDomainSocketConnection

from jobs.findings import Finding


def plain_way(redis: Redis) -> Finding | None:
    """Whether what is sent could be read on the way; told without connecting, before a password leaves."""
    pool = redis.connection_pool
    host = str(pool.connection_kwargs.get("host", "localhost"))
    if issubclass(pool.connection_class, SSLConnection | UnixDomainSocketConnection) or _is_loopback(host):
        return None
    return Finding(
        "store-plain",
        f"Everything sent to the store at {host} could be read on the way",
        "use rediss:// in REDIS_URL, or set JOBSTREAM_ALLOW_PLAIN_REDIS=1 where the network itself is private",
    )


def unfit(facts: Mapping[str, object], *, allow_volatile: bool) -> Iterator[Finding]:
    """What is wrong with a store that says this of itself."""
    if facts.get("cluster_enabled"):
        yield Finding(
            "store-cluster",
            "The store is in cluster mode, where the keys of one job lie on several nodes",
            "set cluster-enabled no in its configuration, or name another server in REDIS_URL",
        )
    if (policy := facts.get("maxmemory_policy")) != "noeviction":
        yield Finding(
            "store-evicts",
            f"The store throws jobs away when its memory is full ({policy})",
            "set maxmemory-policy noeviction in its configuration",
        )
    if not (facts.get("aof_enabled") or allow_volatile):
        yield Finding(
            "store-volatile",
            "The store forgets accepted jobs when it restarts",
            "set appendonly yes in its configuration, or JOBSTREAM_ALLOW_VOLATILE=1 to run on it all the same",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

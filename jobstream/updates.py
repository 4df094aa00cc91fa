"""One update of a job's log on one line, for people and for programs."""

import json

from rich.text import Text

from jobstream.client import Update
from jobstream.printable import printable
from jobstream.terminal import Terminal


def show_update(terminal: Terminal, job_id: str, update: Update) -> None:
    """Print the update; as JSON in the form of the WebSocket's messages."""
    if terminal.as_json:
        terminal.tell({"job": job_id, "id": update.id, "event": update.event, "data": update.data})
    else:
        data = json.dumps(update.data, ensure_ascii=False, separators=(",", ":"))
        terminal.show(Text.assemble((update.id, "dim"), f" {update.event:<9}", printable(f" {data}")))

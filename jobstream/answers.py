"""The answers of one job drawn for a terminal: a card each, side by side."""

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jobstream.client import Job, Part
from jobstream.printable import on_one_line, printable

TITLES = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}
COLOURS = {"pending": "dim", "running": "cyan", "completed": "green", "failed": "red", "cancelled": "yellow"}
NARROWEST = 24
AROUND = 4  # a card's borders and padding
FEWEST_ROWS = 3


def title_of(part: str) -> str:
    """How a provider is called on screen."""
    return TITLES.get(part) or on_one_line(part)


def shown(part: Part) -> str:
    """What stands in a part's card: its text, then why it has no more; nothing that moves a terminal's cursor."""
    failure = f"\n\n{part.error.title}: {part.error.detail}" if part.error else ""
    return printable(part.text + failure).strip()


class Answers:
    """The cards of a job. `rows` bounds their height: of a longer text the end is shown."""

    def __init__(self, job: Job, *, rows: int | None = None) -> None:
        self._parts = job.parts
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        beside = max(1, min(len(self._parts), options.max_width // NARROWEST))
        width = options.max_width // beside
        texts = {name: _wrapped(part, console, width - AROUND) for name, part in self._parts.items()}
        rows = self._height(texts, -(-len(texts) // beside))
        cards = [_card(name, self._parts[name], lines[-rows:], width, rows) for name, lines in texts.items()]
        grid = Table.grid()
        for first in range(0, len(cards), beside):
            grid.add_row(*cards[first : first + beside])
        yield grid

    def _height(self, texts: dict[str, list[Text]], stacked: int) -> int:
        longest = max(map(len, texts.values()), default=0)
        fitting = longest if self._rows is None else self._rows // stacked - 2
        return max(FEWEST_ROWS, fitting)


def _wrapped(part: Part, console: Console, width: int) -> list[Text]:
    return list(Text(shown(part)).wrap(console, width)) if shown(part) else []


def _card(name: str, part: Part, lines: list[Text], width: int, rows: int) -> Panel:
    return Panel(
        Text("\n").join(lines),
        title=Text.assemble((title_of(name), "bold"), " ", (part.state, COLOURS[part.state])),
        subtitle=Text(_facts(part), "dim"),
        box=box.ROUNDED,
        border_style=COLOURS[part.state],
        width=width,
        height=rows + 2,
    )


def _facts(part: Part) -> str:
    time = "" if part.elapsed is None else f" · {part.elapsed:.1f} s"
    return f"{on_one_line(part.model or '')}{time}"

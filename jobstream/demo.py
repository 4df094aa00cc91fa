"""The demo: a chat put to every provider, its answers shown as they grow, on a product started for it alone."""

import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager

from rich.console import Console
from rich.text import Text

from jobstream.client import AsyncClient, Job, JobFailed, RequestRefused, Unreachable
from jobstream.errors import TextDiffers
from jobstream.figures import Figures
from jobstream.processes import Processes
from jobstream.product import Product, running_product
from jobstream.screen import Screen, open_screen

PROMPT = "When does a database need an index?"


async def demo(prompt: str, environment: Mapping[str, str], console: Console) -> None:
    """Show one chat from its submission to its figures; nothing that it started is left when it returns.

    JobFailed, or another JobstreamError with the last words of the process that knows more."""
    console.print("Starting a store, an API and a worker...", style="dim")
    async with running_product(environment) as product:
        if product.sandboxed:
            console.print("The sandbox answers for the providers; set a key of theirs to ask them.", style="dim")
        console.print(Text.assemble(("You ask: ", "bold"), prompt), soft_wrap=True)
        with _explained_by(product.processes):
            with open_screen(console) as screen:
                figures = await product.processes.beside(_chat(product, prompt, screen))
            screen.show_whole(figures.job)
            console.print(figures)
            _check(figures.job)


async def _chat(product: Product, prompt: str, screen: Screen) -> Figures:
    async with AsyncClient(product.url, product.secret) as client:
        submitted_at = time.monotonic()
        figures = Figures(await client.submit("chat", {"message": prompt}), submitted_at=submitted_at)
        async with aclosing(client.watch(figures.job)) as states:
            async for job in states:
                figures.take(job)
                screen.show(job)
    return figures


def _check(job: Job) -> None:
    """JobFailed or TextDiffers unless there are answers, and they are the ones that were written."""
    if job.state != "completed":
        raise JobFailed(job)
    if wrong := [name for name, part in job.parts.items() if part.verified is False]:
        raise TextDiffers(f"The text that came is not the one that was written: {', '.join(wrong)}.")


@contextmanager
def _explained_by(processes: Processes) -> Iterator[None]:
    """Adds to an error the last words of the process that knows more about it."""
    try:
        yield
    except JobFailed as error:
        error.add_note(processes.last_words("worker"))
        raise
    except (RequestRefused, Unreachable) as error:
        error.add_note(processes.last_words("API"))
        raise

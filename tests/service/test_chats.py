"""Fifty chats at once through the whole product: what is heard, what is polled and what was said are one text."""

import asyncio

from sandbox.answer import text_for
from tests.api import Api, comparable, digest, follow
from tests.system import System

CHATS = 50
CUTS = (None, None, 20, 7, 3)
"""Each chat's stream is cut after so many updates, and resumed with the last cursor."""


async def test_what_fifty_chats_say_arrives_whole_however_often_they_are_cut(system: System, api: Api) -> None:
    """By SHA-256, for each of the three answers of each chat."""
    prompts = [f"Tell me about the number {number}, please." for number in range(CHATS)]
    jobs = await asyncio.gather(*(api.submit(prompt) for prompt in prompts))

    followers = await asyncio.gather(
        *(follow(api, job["id"], cut_every=CUTS[at % len(CUTS)]) for at, job in enumerate(jobs))
    )

    for prompt, job, follower in zip(prompts, jobs, followers, strict=True):
        polled = await api.poll(job["id"])
        said = {name: digest(text_for(name, prompt)) for name in ("openai", "anthropic", "google")}
        assert follower.texts == said
        assert {name: digest(part["text"]) for name, part in polled["parts"].items()} == said
        assert {name: part["sha256"] for name, part in polled["parts"].items()} == said
        assert {name: digest(answer["text"]) for name, answer in polled["result"].items()} == said
        assert comparable(follower.snapshot) == comparable(polled)
        assert follower.seqs == sorted(set(follower.seqs))

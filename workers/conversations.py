"""The conversations of a running job, as its kind has them (jobs.kind.Conversations)."""

from functools import partial

from jobs.conversations import Conversations
from jobs.kind import Round
from jobs.leases import Claim
from workers.writer import patiently


class JobConversations:
    """What one claimed job hears of its subject's conversations, and adds to them."""

    def __init__(self, claim: Claim, conversations: Conversations) -> None:
        self._claim = claim
        self._conversations = conversations

    async def earlier(self, name: str) -> list[Round]:
        return await patiently(partial(self._conversations.earlier, self._claim, name))

    async def add(self, name: str, said: Round) -> None:
        await patiently(partial(self._conversations.add, self._claim, name, said))

"""What starts jobs beside a submission: the events that kinds are subscribed to, and the clock."""

from jobs.cron import Schedule
from jobs.events import Subscription
from jobs.kinds.summarize_stale import SUMMARIZE_STALE

SUBSCRIPTIONS: tuple[Subscription, ...] = ()
"""Beside these, each kind is subscribed to the event of its own name."""

SCHEDULES: tuple[Schedule, ...] = (Schedule("nightly-summaries", SUMMARIZE_STALE, hour=3),)

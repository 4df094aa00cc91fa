"""What the operator's routes work with, beside what all routes do."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.attempts import Attempts
from jobs.audit import Audit
from jobs.cron import Cron
from jobs.kind import AnyKind
from jobs.overview import Overview
from jobs.pauses import Pauses
from jobs.webhooks import Webhooks
from service.lookout import Lookout


@dataclass(frozen=True)
class Desk:
    """The operator's own parts of the service; `kinds` are all that workers run, whoever may submit them."""

    kinds: Mapping[str, AnyKind]
    overview: Overview
    lookout: Lookout
    attempts: Attempts
    pauses: Pauses
    cron: Cron
    audit: Audit
    webhooks: Webhooks

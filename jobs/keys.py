"""Every Redis key and channel; the scripts make the same names from what `script_constants` hands them."""

import hashlib

from jobs.model import JobId

PREFIX = "js:"
QUEUE = "js:queue"
SCHEDULED = "js:scheduled"
LEASED = "js:leased"
BELL = "js:bell"
CANCELS = "js:cancels"
WORKERS = "js:workers"
DEAD_LETTERS = "js:dead-letters"
TRIMS = "js:trims"
SLOTS = "js:slots:"
PARKED = "js:parked:"
ACTIVE = "js:active:"
SUBJECTS = "js:subject:"
JOBS = "js:jobs"
OUTBOX = "js:outbox"
RECONCILER = "js:reconciler"
ENDED = "js:ended"
SEAL = "js:seal"
SESSION = "js:session:"
SESSION_TREES = "js:session-trees:"
TREE = "js:tree:"
TREE_SESSIONS = "js:tree-sessions:"
STALE_SESSIONS = "js:stale-sessions"
STALE_TREES = "js:stale-trees"
HOLDINGS = "js:holdings:"
DELIVERY = "js:delivery:"
DELIVERIES = "js:deliveries"
HOSTS = "js:delivery-hosts"
DUE = "js:deliveries-due:"
PAUSED = "js:paused"
HELD = "js:held:"
COUNTS = "js:counts"
AUDIT = "js:audit"

# arq's own names, with which its tools still read our queue (arq.constants).
ARQ_JOB = "arq:job:"
ARQ_IN_PROGRESS = "arq:in-progress:"


def job(job_id: JobId) -> str:
    """Hash: the record, the log's counters, and the folded fields of the snapshot."""
    return f"{PREFIX}{job_id}:job"


def payload(job_id: JobId) -> str:
    """String: the job's input."""
    return f"{PREFIX}{job_id}:input"


def rejects(job_id: JobId) -> str:
    """Sorted set: what a copy set aside, by how many of its records came before."""
    return f"{PREFIX}{job_id}:rejects"


def image(job_id: JobId) -> str:
    """String: the image that came with the job, redrawn."""
    return f"{PREFIX}{job_id}:image"


def failures(job_id: JobId) -> str:
    """List: how each attempt of the job that failed did so, oldest first."""
    return f"{PREFIX}{job_id}:failures"


def attempts(job_id: JobId) -> str:
    """List: who tried the job when, and how that ended, oldest first; the one under way is in its record."""
    return f"{PREFIX}{job_id}:attempts"


def kept(job_id: JobId) -> str:
    """Hash: what each step of the job came to."""
    return f"{PREFIX}{job_id}:kept"


def deliveries(job_id: JobId) -> str:
    """Set: the deliveries that tell of the job's ends; it may outlive the job."""
    return f"{PREFIX}{job_id}:deliveries"


def delivery(delivery_id: str) -> str:
    """Hash: what is told of the end of a run, where, and how that went."""
    return DELIVERY + delivery_id


def channel(job_id: JobId) -> str:
    """Channel: each entry of the job's log as it is appended."""
    return f"{PREFIX}{job_id}:channel"


def idempotency(subject: str | None, kind: str, key: str) -> str:
    """String: the job that a key belongs to; a key belongs to subject and kind."""
    parts = "\x00".join(("" if subject is None else f"s{subject}", kind, key))
    return f"{PREFIX}idempotency:{hashlib.sha256(parts.encode()).hexdigest()}"


def thread(dialect: str, subject: str | None, name: str) -> str:
    """String: the newest job of a conversation that a dialect's client has named; a name belongs to its subject."""
    parts = "\x00".join((dialect, "" if subject is None else f"s{subject}", name))
    return f"{PREFIX}thread:{hashlib.sha256(parts.encode()).hexdigest()}"


def conversations(subject: str | None) -> str:
    """Sorted set: the names of a subject's conversations, by when each was last added to."""
    return f"{PREFIX}conversations:{owner(subject)}"


def conversation(subject: str | None, name: str) -> str:
    """Hash: the rounds of a conversation, each named by when its job was submitted; it belongs to its subject."""
    return f"{PREFIX}conversation:{owner(subject)}:{name}"


def session(subject: str | None, session_id: str) -> str:
    """Hash: a session's messages and summary; it belongs to its subject. Beside it `session-trees`, a set: the trees
    that list it."""
    return f"{SESSION}{owner(subject)}:{session_id}"


def tree(subject: str | None, tree_id: str) -> str:
    """Hash: a tree's summary; it belongs to its subject."""
    return f"{TREE}{owner(subject)}:{tree_id}"


def tree_sessions(subject: str | None, tree_id: str) -> str:
    """Sorted set: the sessions of a tree in their order."""
    return f"{TREE_SESSIONS}{owner(subject)}:{tree_id}"


def holdings(subject: str) -> str:
    """Set: every session and tree of a subject."""
    return f"{HOLDINGS}{owner(subject)}"


def owner(subject: str | None) -> str:
    """Whose it is, as names of keys have it; the subject cannot be read from it."""
    return hashlib.sha256(b"" if subject is None else f"s{subject}".encode()).hexdigest()


def quota(what: str, whom: str) -> str:
    """What one caller has taken of something; who that is cannot be read from it."""
    return f"{PREFIX}quota:{what}:{hashlib.sha256(whom.encode()).hexdigest()[:32]}"


def event(event_id: str) -> str:
    """String: an event, and the jobs that it started."""
    return f"{PREFIX}event:{event_id}"


def cron(name: str) -> str:
    """String: the last slot of a schedule that was submitted."""
    return f"{PREFIX}cron:{name}"


def worker(name: str) -> str:
    """String: a worker's heartbeat."""
    return f"{PREFIX}worker:{name}"


def lease(job_id: JobId) -> str:
    """String: the fencing token of the worker that holds the job."""
    return ARQ_IN_PROGRESS + job_id


def script_constants() -> dict[str, str]:
    """The names that the scripts need, by the name of the constant they find them under."""
    return {
        "PREFIX": PREFIX,
        "QUEUE": QUEUE,
        "SCHEDULED": SCHEDULED,
        "LEASED": LEASED,
        "BELL": BELL,
        "CANCELS": CANCELS,
        "DEAD_LETTERS": DEAD_LETTERS,
        "TRIMS": TRIMS,
        "SLOTS": SLOTS,
        "PARKED": PARKED,
        "ACTIVE": ACTIVE,
        "SUBJECTS": SUBJECTS,
        "JOBS": JOBS,
        "OUTBOX": OUTBOX,
        "ENDED": ENDED,
        "SESSION": SESSION,
        "SESSION_TREES": SESSION_TREES,
        "TREE": TREE,
        "TREE_SESSIONS": TREE_SESSIONS,
        "STALE_SESSIONS": STALE_SESSIONS,
        "STALE_TREES": STALE_TREES,
        "HOLDINGS": HOLDINGS,
        "DELIVERY": DELIVERY,
        "DELIVERIES": DELIVERIES,
        "HOSTS": HOSTS,
        "DUE": DUE,
        "PAUSED": PAUSED,
        "HELD": HELD,
        "COUNTS": COUNTS,
        "ARQ_JOB": ARQ_JOB,
        "ARQ_IN_PROGRESS": ARQ_IN_PROGRESS,
    }

"""What can go wrong for who runs the product from here, beside what its client may meet."""

from jobstream.client import JobstreamError


class TextDiffers(JobstreamError):
    """A finished text is not the one that its SHA-256 stands for; poll the job for the right one."""


class ProcessEnded(JobstreamError):
    """A process ended while it was needed; its last words say why."""


class NotReady(JobstreamError):
    """The processes run, but did not get ready in time; their last words say what they wait for."""


class NobodyReads(Exception):
    """Whoever read what is printed has gone, as with `| head -1`: there is nothing left to do."""


class Misconfigured(JobstreamError):
    """A variable cannot stand; the message says which, and what it must be."""

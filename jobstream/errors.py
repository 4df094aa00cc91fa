"""What can go wrong for who uses Jobstream: each error is a sentence, and its class says what to do about it."""


class JobstreamError(Exception):
    """The root of them all; its notes, if it has any, are what a process said about it."""


class RequestRefused(JobstreamError):
    """The service does not do what it was asked to; the sentence is its own and says why."""


class Unreachable(JobstreamError):
    """The service cannot be reached; a job that it took goes on, ask again later."""


class UpdateMissed(JobstreamError):
    """An update does not fit what was heard before; a snapshot makes up for it."""


class EventTooLarge(JobstreamError):
    """The stream holds what no service sends; look at what is in between."""


class JobFailed(JobstreamError):
    """The job ended without a result; submit it again once the reason is gone."""


class TextDiffers(JobstreamError):
    """A finished text is not the one that its SHA-256 stands for; poll the job for the right one."""


class ProcessEnded(JobstreamError):
    """A process ended while it was needed; its last words say why."""


class NotReady(JobstreamError):
    """The processes run, but did not get ready in time; their last words say what they wait for."""

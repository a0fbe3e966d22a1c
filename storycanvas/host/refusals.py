"""Refusals with a time to try again, which is sent in the header `Retry-After`."""

from storycanvas.faces.errors import HostFull, HostNotReady


class NoPlace(HostFull):
    """The queue is full now.

    Attributes:
        retry_after: Seconds after which a place is likely to be free.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotNow(HostNotReady):
    """The host cannot do this now: it stops, its engine hangs, its disk is full.

    Attributes:
        retry_after: Seconds after which another try makes sense.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

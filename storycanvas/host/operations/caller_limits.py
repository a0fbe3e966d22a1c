"""How many operations of one caller may wait at one time."""

from storycanvas.faces.errors import HostFull
from storycanvas.host.tokens import CALLER
from storycanvas.net.wording import counted, verb


class CallerLimits:
    """Counts the operations of each caller that were let in and have not begun."""

    def __init__(self) -> None:
        self._callers: dict[int, str] = {}

    def enter(self, ticket: int, retry_after: float) -> None:
        """Count an operation of the caller whose request is worked on.

        Raises:
            HostFull: As many of this caller's operations wait as its token allows.
        """
        caller = CALLER.get()
        waiting = sum(name == caller.name for name in self._callers.values())
        if caller.waiting is not None and waiting >= caller.waiting:
            raise HostFull(
                f"{counted(waiting, 'operation')} {verb(waiting, 'waits', 'wait')} already for the "
                f"token {caller.name}, as many as it may have waiting; try again later.",
                retry_after=retry_after,
            )
        self._callers[ticket] = caller.name

    def leave(self, ticket: int) -> None:
        """Count an operation no more: it has begun, or has ended without."""
        self._callers.pop(ticket, None)

"""Whether anything may be claimed: a host says ok, and its limit guards."""

import time
from uuid import UUID, uuid4

import httpx
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger

from storycanvas.faces.errors import FaceError
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.faces.context import RunContext
from tasks.wait_reasons import drop_reason, show_reason

OPEN_SECONDS, CLOSED_SECONDS = 5.0, 2.0
"""How long it counts that a host can work, or that none can."""


class Gate:
    """Whether a host can work and its limit guards; nothing is claimed while none can.

    Args:
        context: The run's context.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._known_until = 0.0
        self._open = False
        self._id = uuid4()
        self._shown: str | None = None

    @property
    def slots(self) -> int:
        """How many operations the hosts' limits let through at one time."""
        return sum(host.slots for host in self._context.hosts.hosts.values())

    def close(self) -> None:
        """Ask before anything else is claimed."""
        self._known_until = 0.0

    def is_open(self) -> bool:
        """Ask the hosts and their limits, unless they were asked just now."""
        if time.monotonic() >= self._known_until:
            self._open = self._ask()
            seconds = OPEN_SECONDS if self._open else CLOSED_SECONDS
            self._known_until = time.monotonic() + seconds
        return self._open

    def _ask(self) -> bool:
        try:
            self._context.hosts.check()
            self._context.hosts.status()
        except (FaceError, GuardClosed, PrefectException, httpx.HTTPError) as error:
            self._show(str(error))
            return False
        self._show(None)
        return True

    def _show(self, reason: str | None) -> None:
        """Tell once in log and state why nothing is claimed, and when it goes on."""
        if reason == self._shown:
            return
        run_id = UUID(self._context.run_id)
        if reason is None:
            get_run_logger().info("Jobs are claimed again.")
            drop_reason(run_id, self._id)
        else:
            get_run_logger().warning("Nothing is claimed until a host can work: %s", reason)
            show_reason(run_id, self._id, f"Nothing is claimed until a host can work: {reason}")
        self._shown = reason

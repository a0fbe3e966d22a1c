"""Operations of a host: submitted, watched until their end, joined after a lost connection."""

import time
from urllib.parse import urlencode

from storycanvas.faces.client.calls import Call, Reply, parse
from storycanvas.faces.client.connection import HostConnection
from storycanvas.faces.client.errors import error_of
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import IDEMPOTENCY_HEADER, OperationAnswer, OperationStatus
from storycanvas.faces.errors import (
    ContractBroken,
    FaceError,
    HostUnreachable,
    OperationCancelled,
    OperationNotFound,
)

ACCEPTED = 202
POLL_SECONDS = 25.0
"""Longest wait of one request for a change: well below the 60 s after which proxies cut."""
SUBMISSIONS = 3
"""Most times that an operation is submitted which its host has lost or another caller cancelled."""


class HostOperations:
    """The operations of one host; shared by threads.

    Args:
        connection: To the host.
        timeouts: Longest waits.
    """

    def __init__(self, connection: HostConnection, timeouts: Timeouts) -> None:
        self._connection = connection
        self._timeouts = timeouts

    def done(self, call: Call, watch: OperationWatch) -> OperationAnswer:
        """Have an operation done.

        Args:
            call: Submits it, with its key; a host that does not know of submitting answers it.
            watch: Is told when the engine has ended, and can cancel it.

        Raises:
            OperationCancelled: `watch` has cancelled it, or another caller has, again and again.
            HostUnreachable: It did not end in time; the same key finds it.
            FaceError: It failed.
        """
        deadline = time.monotonic() + call.seconds
        newest: FaceError = OperationCancelled("The operation was not submitted.")
        for _ in range(SUBMISSIONS):
            watch.check()
            taken = self._connection.exchange(call, self._read_taken)
            if isinstance(taken, OperationAnswer):
                watch.past_engine()
                return taken
            try:
                return self._outcome(self._ended(taken, watch, deadline))
            except (OperationNotFound, OperationCancelled) as error:
                newest = error
        watch.check()
        raise newest

    def of_key(self, key: str) -> OperationStatus | None:
        """Ask for the operation of a key; None if the host has none, or cannot be asked so."""
        seconds, headers = self._timeouts.answer("operations"), {IDEMPOTENCY_HEADER: key}
        try:
            return self._connection.exchange(
                Call("GET", "operations/by-key", seconds, headers), self._read_status
            )
        except OperationNotFound:
            return None

    def cancel(self, operation_id: str) -> OperationStatus:
        """Cancel an operation, whatever its phase; return how it ended."""
        call = Call("DELETE", f"operations/{operation_id}", self._timeouts.answer("operations"))
        return self._connection.exchange(call, self._read_status)

    def _ended(
        self, status: OperationStatus, watch: OperationWatch, deadline: float
    ) -> OperationStatus:
        """Poll until an operation has ended."""
        with watch.cancelled_by(lambda: self.cancel(status.id)):
            while not status.has_ended:
                if status.phase == "encoding":
                    watch.past_engine()
                status = self._changed(status, deadline)
        if status.state == "succeeded":
            watch.past_engine()
        return status

    def _changed(self, status: OperationStatus, deadline: float) -> OperationStatus:
        left = deadline - time.monotonic()
        if left <= 0:
            raise HostUnreachable(
                f"The face host {self._connection.name} has not ended {status.operation} in time; "
                "it goes on, and the same idempotency key finds it."
            )
        wait = min(POLL_SECONDS, left)
        query = urlencode({"wait": f"{wait:.3f}", "after": status.revision})
        seconds = wait + self._timeouts.answer("operations")
        call = Call("GET", f"operations/{status.id}?{query}", seconds)
        return self._connection.exchange(call, self._read_status)

    def _outcome(self, status: OperationStatus) -> OperationAnswer:
        if status.result is not None:
            return status.result
        if status.error is not None:
            raise error_of(status.error)
        raise ContractBroken(
            f"The host {self._connection.name} ended {status.operation} as {status.state} with "
            "neither a result nor an error."
        )

    def _read_taken(self, reply: Reply) -> OperationAnswer | OperationStatus:
        if reply.status == ACCEPTED:
            return self._read_status(reply)
        return parse(OperationAnswer, reply, self._connection.name)

    def _read_status(self, reply: Reply) -> OperationStatus:
        return parse(OperationStatus, reply, self._connection.name)

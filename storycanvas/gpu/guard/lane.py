"""A lane: the thread that takes one slot of a limit and serves the process's queue with it."""

import contextvars
import threading
from collections.abc import Callable, Sequence

from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import RunInfo
from storycanvas.gpu.guard.queue import SlotQueue, SlotRequest
from storycanvas.gpu.guard.settings import GuardSettings
from storycanvas.gpu.guard.slot import GpuSlot
from storycanvas.gpu.prefect_client import no_client_retries


class Lane:
    """Waits for a slot as long as a request names its limit, and gives it back when none does.

    Args:
        limit_name: The limit.
        number: Distinguishes the lanes of a process in its presence notes.
        queue: What waits in this process.
        settings: The guard's periods.
        retire: Called under the queue's lock when the lane takes no more requests.
    """

    def __init__(
        self,
        limit_name: str,
        number: int,
        queue: SlotQueue,
        settings: GuardSettings,
        retire: Callable[["Lane"], None],
    ) -> None:
        self._limit_name = limit_name
        self._number = number
        self._queue = queue
        self._settings = settings
        self._retire = retire
        self._slot: GpuSlot | None = None
        self._request: SlotRequest | None = None
        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._run,),
            name=f"guard {limit_name}",
            daemon=True,
        )

    def start(self) -> None:
        """Start the thread; it ends by itself when the queue is empty."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(seconds)

    @property
    def is_busy(self) -> bool:
        """Whether an operation runs on its slot."""
        return self._request is not None and not self._request.released.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a lane that has retired may be giving its slot back."""
        return self._thread.is_alive()

    @property
    def holders(self) -> str | None:
        """Half a sentence about who holds the host's slots; None before the first look."""
        return self._slot.holders if self._slot is not None else None

    def waiting(self) -> Sequence[RunInfo]:
        """List the runs that wait for this limit, the next one first."""
        return self._queue.waiting(self._limit_name)

    def _run(self) -> None:
        try:
            with no_client_retries(), GpuLimit(self._limit_name, self._settings) as limit:
                self._slot = GpuSlot(limit, self.waiting, self._number)
                try:
                    while self._has_work(self._slot):
                        self._serve_next(self._slot)
                finally:
                    self._slot.close(lambda: self._queue.closed)
        except BaseException as error:
            self._queue.refuse(self._limit_name, error)
            raise
        finally:
            with self._queue.changed:
                self._retire(self)

    def _serve_next(self, slot: GpuSlot) -> None:
        try:
            is_held = slot.take(lambda: self._queue.is_wanted(self._limit_name))
        except Exception as error:  # noqa: BLE001 - raised again where the slot was asked for
            self._queue.refuse(self._limit_name, error)
            return
        with self._queue.changed:
            request = self._queue.take(self._limit_name) if is_held else None
            self._request = request
        if request is not None:
            slot.keep(request.released, request.run_info, request.lost)
            slot.pass_on_when_due()

    def _has_work(self, slot: GpuSlot) -> bool:
        """Wait a moment for work; a lane without any retires under the lock that adds work."""
        if not self._queue.is_wanted(self._limit_name) and slot.worth_keeping:
            self._queue.wait_for_work(self._limit_name, self._settings.linger)
        with self._queue.changed:
            if self._queue.is_wanted(self._limit_name):
                return True
            self._retire(self)
            return False

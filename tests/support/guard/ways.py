"""The ways in which one process sends its calls to GPU hosts.

All but the bare loop submit every call at once, as a plan with independent steps does.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from prefect.concurrency.sync import concurrency

from storycanvas.gpu.guard.limit import GuardClosed
from storycanvas.gpu.guard.queue import SlotRequest, dispatcher, gpu_guard

Item = TypeVar("Item")

WAIT_SECONDS = 900.0
AGAIN_SECONDS = 0.5
"""How long a call waits when the limit was found switched off."""


@dataclass(frozen=True)
class Order:
    """What one process has to do.

    Attributes:
        way: Which of `WAYS`.
        name: The process's name; the judge hears it.
        calls: How many calls.
        limits: The limit of each host.
        urls: The address of each host, in the same order.
        done_file: Where calls that were answered are noted, so that a process that replaces a
            killed one leaves them out; empty for none. With it a limit that is switched off is
            waited for.
    """

    way: str
    name: str
    calls: int
    limits: list[str]
    urls: list[str]
    done_file: str = ""


class Work:
    """The calls of an order.

    Args:
        order: What is to be done.
        client: Connections to the hosts; shared by all threads.
    """

    def __init__(self, order: Order, client: httpx.Client) -> None:
        self.order = order
        self._client = client
        done = Path(order.done_file) if order.done_file else None
        noted = set(done.read_text().split()) if done and done.exists() else set()
        self._done = done
        self.left = [name for name in map(str, range(order.calls)) if name not in noted]

    def check(self) -> None:
        """Make sure that the limits guard, where the way knows how to and nobody switches them."""
        if self.order.way in GUARDED and self._done is None:
            for limit in self.order.limits:
                gpu_guard(limit).check()

    def call(self, operation: str, host: int = 0) -> None:
        """Call a host and note that it answered.

        Raises:
            httpx.HTTPError: It did not.
        """
        url = f"{self.order.urls[host]}/{self.order.name}/{operation}"
        self._client.post(url).raise_for_status()
        if self._done:
            with self._done.open("a") as file:
                file.write(f"{operation}\n")

    def guarded_call(self, operation: str) -> None:
        """Call the first host under our guard.

        Raises:
            GuardClosed: The limit does not guard, and the order does not say to wait for that.
        """
        guard = gpu_guard(self.order.limits[0])
        while True:
            try:
                with guard.slot(self.order.name, WAIT_SECONDS):
                    self.call(operation)
            except GuardClosed:
                if self._done is None:
                    raise
                time.sleep(AGAIN_SECONDS)
            else:
                return


def bare(work: Work) -> None:
    """Call one after the other, without any guard: as fast as it can be."""
    for operation in work.left:
        work.call(operation)


def plain(work: Work) -> None:
    """Take Prefect's limit around each call, as its documentation shows."""

    def call(operation: str) -> None:
        with concurrency(work.order.limits[0], occupy=1, strict=True):
            work.call(operation)

    _all_at_once(call, work.left)


def guarded(work: Work) -> None:
    """Take a slot of our guard around each call."""
    _all_at_once(work.guarded_call, work.left)


def dealt(work: Work) -> None:
    """Deal the calls to several hosts: each goes to the one that is free first."""
    limits = work.order.limits

    def call(operation: str) -> None:
        wish = SlotRequest(work.order.name)
        try:
            for limit in limits:
                dispatcher.add_candidate(wish, limit, 1)
            work.call(operation, limits.index(_granted(wish)))
        finally:
            dispatcher.finish(wish)

    _all_at_once(call, work.left)


def _granted(wish: SlotRequest) -> str:
    while wish.limit is None:
        for error in wish.refused.values():
            raise error
        if not wish.stirred.wait(WAIT_SECONDS):
            raise TimeoutError(f"No slot came free in {WAIT_SECONDS:.0f} s.")
        wish.stirred.clear()
    return wish.limit


def _all_at_once(call: Callable[[Item], None], items: Sequence[Item]) -> None:
    if not items:
        return
    with ThreadPoolExecutor(len(items)) as pool:
        for done in [pool.submit(call, item) for item in items]:
            done.result()


WAYS: dict[str, Callable[[Work], None]] = {
    "bare": bare,
    "plain": plain,
    "guarded": guarded,
    "dealt": dealt,
}
GUARDED = ("guarded", "dealt")

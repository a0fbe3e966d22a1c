"""Calls of Civitai's API: limited to one a second over all processes, and retried."""

import time
from collections.abc import Callable
from typing import TypeVar

from prefect.concurrency.sync import rate_limit
from prefect.logging import get_run_logger

from blocks.limits import CIVITAI_LIMIT
from storycanvas.catalog.errors import AnswerUnreadable, CatalogBusy, CatalogError, LongWaitAsked

T = TypeVar("T")

TRIES = 6
FIRST_WAIT_SECONDS = 2.0
"""The wait without a `Retry-After`; it doubles with each try."""

UNREADABLE_TRIES = 3
"""Tries if the answer is not JSON or is cut off; mostly a proxy answered with a page."""

MAX_WAIT_SECONDS = 300.0
"""A longer `Retry-After` ends the run; a later run continues where it was."""


def wait_for_rate_limit() -> None:
    """Wait for a slot of the limit, which Prefect's server frees as time passes.

    Raises:
        prefect.concurrency.ConcurrencySlotAcquisitionError: There is no such limit.
    """
    rate_limit(CIVITAI_LIMIT, strict=True)


def call_with_retries(call: Callable[[], T], tries: int = TRIES) -> T:
    """Make a call, and again after the wait that Civitai asks for, or if its answer is broken.

    Args:
        call: The call.
        tries: How often it is made at most, 1 or more.

    Raises:
        CatalogBusy: Civitai asks to wait again and again.
        AnswerUnreadable: Its answer is broken three times.
        LongWaitAsked: It asks for a longer wait than `MAX_WAIT_SECONDS`.
        storycanvas.catalog.errors.CatalogError: Any other error of the call.
    """
    unreadable = 0
    for attempt in range(tries):
        try:
            return call()
        except AnswerUnreadable as error:
            unreadable += 1
            if unreadable == UNREADABLE_TRIES or attempt == tries - 1:
                raise
            _wait(FIRST_WAIT_SECONDS * 2.0**attempt, error)
        except CatalogBusy as busy:
            seconds = wait_seconds(busy, attempt)
            _check_wait(seconds, busy)
            if attempt == tries - 1:
                raise
            _wait(seconds, busy)
    raise CatalogBusy("Civitai was not asked at all; the number of tries must be 1 or more.")


def _check_wait(seconds: float, busy: CatalogBusy) -> None:
    if seconds > MAX_WAIT_SECONDS:
        raise LongWaitAsked(
            f"{busy} It asks for a wait of {seconds:.0f} s or more; start the run again after that."
        ) from busy


def _wait(seconds: float, error: CatalogError) -> None:
    get_run_logger().info("The next request to Civitai is in %.0f s. %s", seconds, error)
    time.sleep(seconds)


def wait_seconds(busy: CatalogBusy, attempt: int) -> float:
    """The wait after `attempt` earlier tries: Civitai's, or twice as long each time."""
    return FIRST_WAIT_SECONDS * 2.0**attempt if busy.wait_seconds is None else busy.wait_seconds

"""Calls of Civitai's API: limited to one a second over all processes, and retried."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TypeVar

from prefect.concurrency.sync import rate_limit
from prefect.logging import get_run_logger

from blocks.limits import CIVITAI_LIMIT
from storycanvas.catalog.civitai.client import CivitaiClient
from storycanvas.catalog.civitai.pages import CatalogPage, WalkedPage, walk
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.catalog.errors import (
    AnswerUnreadable,
    CatalogBusy,
    CatalogError,
    CatalogRefused,
    LongWaitAsked,
)

T = TypeVar("T")

TRIES = 6
FIRST_WAIT_SECONDS = 2.0
"""The wait where Civitai names none; it doubles with each try."""

UNREADABLE_TRIES = 3
"""Tries where the answer is not JSON or was cut off; mostly a page of the network instead."""

MAX_WAIT_SECONDS = 300.0
"""A longer `Retry-After` ends the run; a later one goes on from where it was."""


def wait_for_rate_limit() -> None:
    """Wait for a slot of the limit, which Prefect's server frees as time passes.

    Raises:
        prefect.concurrency.ConcurrencySlotAcquisitionError: There is no such limit.
    """
    rate_limit(CIVITAI_LIMIT, strict=True)


def call_with_retries(call: Callable[[], T]) -> T:
    """Make a call, and again after as long as Civitai asks to wait, or if its answer is broken.

    Args:
        call: Asks Civitai for something.

    Raises:
        CatalogBusy: It asks to wait again and again.
        AnswerUnreadable: Its answer is broken three times.
        LongWaitAsked: It asks to wait for longer than `MAX_WAIT_SECONDS`.
        storycanvas.catalog.errors.CatalogError: What else the call raises.
    """
    unread = 0
    for attempt in range(TRIES):
        try:
            return call()
        except AnswerUnreadable as error:
            unread += 1
            if unread == UNREADABLE_TRIES or attempt == TRIES - 1:
                raise
            _wait(FIRST_WAIT_SECONDS * 2.0**attempt, error)
        except CatalogBusy as busy:
            seconds = wait_seconds(busy, attempt)
            _check_wait(seconds, busy)
            if attempt == TRIES - 1:
                raise
            _wait(seconds, busy)
    raise CatalogBusy("Civitai was not asked at all; the number of tries must be 1 or more.")


def _check_wait(seconds: float, busy: CatalogBusy) -> None:
    if seconds > MAX_WAIT_SECONDS:
        raise LongWaitAsked(
            f"{busy} It asks to be left alone for {seconds:.0f} s or more; start the run again "
            "after that."
        ) from busy


def _wait(seconds: float, error: CatalogError) -> None:
    get_run_logger().info("Civitai is asked again in %.0f s. %s", seconds, error)
    time.sleep(seconds)


def wait_seconds(busy: CatalogBusy, attempt: int) -> float:
    """Tell how long to wait: what Civitai says, else twice as long each time.

    Args:
        busy: What it answered.
        attempt: How often it was asked again before, from 0.
    """
    return FIRST_WAIT_SECONDS * 2.0**attempt if busy.wait_seconds is None else busy.wait_seconds


def pages_from(
    client: CivitaiClient, query: CivitaiQuery, stored: str | None
) -> Iterator[WalkedPage]:
    """Read page after page; where a stored cursor is no longer taken, from the list's start.

    Args:
        client: The connection.
        query: Filters and order.
        stored: The cursor that an earlier run of the same filters left; None for none.

    Raises:
        storycanvas.catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is
            too busy.
    """

    def fetch(cursor: str | None) -> CatalogPage:
        return call_with_retries(lambda: client.page(query, cursor))

    pages = walk(fetch, stored)
    if stored is not None:
        try:
            yield next(pages)
        except (CatalogBusy, CatalogRefused) as error:
            if not _may_lie_in_the_cursor(error):
                raise
            said = (
                "Civitai takes the stored cursor no longer (%s); the list is read from its start."
            )
            get_run_logger().warning(said, error)
            pages = walk(fetch)
    yield from pages


def _may_lie_in_the_cursor(error: CatalogError) -> bool:
    """Tell a cursor that is too old, which is refused or breaks the search, from a busy site."""
    return not isinstance(error, CatalogBusy) or error.status == HTTPStatus.INTERNAL_SERVER_ERROR

"""Short retries of one call, and the one reader of `Retry-After`.

They bridge blips of seconds: a lost connection, a full queue, a proxy that reloads. What lasts
longer is the retry of a Prefect task, where a person sees that it waits and no GPU slot is held.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar, runtime_checkable

import stamina

T = TypeVar("T")

MAX_RETRY_AFTER = 3600.0
"""Seconds; a longer wait that a server asks for counts as this."""


@runtime_checkable
class RetryHint(Protocol):
    """An error that knows whether and when to try again."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait; None without such a wish."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a call is repeated after an error that is retryable.

    Attributes:
        tries: Most tries of a call, the first included.
        first_wait: Seconds before the second try; they double with each try, and up to half of
            `first_wait` is added at random: callers turned away together return apart.
        longest_wait: Most seconds before a try, unless the server asks for more.
        patience: Seconds from the first failure during which a try may begin. A call whose server
            asks for a longer wait fails at once: an earlier try cannot help.
    """

    tries: int = 4
    first_wait: float = 0.25
    longest_wait: float = 2.0
    patience: float = 5.0

    def wait_after(self, error: Exception, failures: int, spent: float) -> float | bool:
        """Decide as a backoff hook of stamina does.

        Args:
            error: The newest failure.
            failures: How often the call has failed, 1 or more.
            spent: Seconds since its first failure.

        Returns:
            False to give up, True for the growing wait, else the seconds that the server asks for.
        """
        if not isinstance(error, RetryHint) or not error.retryable:
            return False
        asked = error.retry_after
        growing = min(self.first_wait * 2.0 ** (failures - 1), self.longest_wait)
        wait = growing if asked is None else asked
        if spent + wait > self.patience:
            return False
        return True if asked is None else asked

    def call(self, call: Callable[[float], T], seconds: float) -> T:
        """Make a call until it succeeds or another try makes no sense.

        Args:
            call: Makes one try and takes the longest wait for its answer, in seconds.
            seconds: That of the first try. Later tries get what is left of it and of the patience:
                work that a lost connection left running is waited for, without a second full wait.

        Raises:
            Exception: The newest failure, as `call` raised it.
        """
        begin = time.monotonic()
        backoff, limit = _Backoff(self), seconds
        for attempt in stamina.retry_context(
            on=backoff,
            attempts=self.tries,
            timeout=None,  # would count from the first try's start, and that may take minutes
            wait_initial=self.first_wait,
            wait_max=self.longest_wait,
            wait_jitter=self.first_wait / 2,
        ):
            with attempt:
                if attempt.num > 1:
                    left = seconds + self.patience - (time.monotonic() - begin)
                    limit = min(seconds, max(left, self.longest_wait))
                return call(limit)
        raise AssertionError("stamina ended without a try")  # pragma: no cover


@dataclass
class _Backoff:
    """Counts the failures of one call; the patience runs from the first of them."""

    policy: RetryPolicy
    failures: int = 0
    first: float = field(default=0.0)

    def __call__(self, error: Exception) -> float | bool:
        now = time.monotonic()
        self.failures += 1
        self.first = now if self.failures == 1 else self.first
        return self.policy.wait_after(error, self.failures, now - self.first)


def read_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read for how many seconds a server does not want to be asked (RFC 9110, 10.2.3).

    Args:
        headers: The answer's headers, by any case if the mapping ignores it. A date is compared
            with the server's own `Date`: the clocks of two machines differ.
        now: UTC, for an answer without `Date`; None takes this machine's clock.

    Returns:
        0 to `MAX_RETRY_AFTER`; None if the header is missing or cannot be read.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER)
    until = _read_date(value)
    if until is None:
        return None
    server_now = _read_date(headers.get("Date", "")) or now or datetime.now(UTC)
    return min(max((until - server_now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a zone of far too many digits overflows
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date

"""Which failures a client tries again at once, and how long it waits before.

A few quick tries bridge blips: a lost connection, a full queue, a proxy that reloads. They must
stay quick, because the caller of an operation holds a slot of the GPU meanwhile. Longer outages
are for whoever calls: a Prefect task gives its slot back and tries again for about four minutes
(`tasks.retries`), so all in all a step meets a host that is off with 9 times 4 tries.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from storycanvas.faces.errors import FaceError
from storycanvas.faces.operations import OPERATIONS, DetectOperation, MaskOperation

OPERATION_SECONDS = 330.0
"""Longest wait for an operation: the host's own limit of 300 s and some."""

LOOK_SECONDS = 120.0
"""Longest wait for an operation that only looks at a face. It runs the smallest models; what takes
most of the time is a cold start of the engine and, on a shared host, the operation before it."""

ANSWER_SECONDS: Mapping[str, float] = {
    **{operation.path: OPERATION_SECONDS for operation in OPERATIONS},
    DetectOperation.path: LOOK_SECONDS,
    MaskOperation.path: LOOK_SECONDS,
    "status": 10.0,
    "assets": 30.0,
}
"""Longest wait for the begin of an answer in seconds, by path below `/api/v1/`."""


@dataclass(frozen=True)
class Timeouts:
    """Longest waits in seconds, each above 0.

    Attributes:
        connect: For a connection. Short: a host that is there accepts at once.
        write: For the host to take the next piece of an upload.
        pool: For one of the client's connections to become free.
        transfer: From the begin of an answer to its end, so that no trickle holds a caller.
        answers: For the begin of an answer, and for each next piece of it, by path below
            `/api/v1/`; pictures share the entry `assets`. A path that is not there waits
            `OPERATION_SECONDS`.
    """

    connect: float = 5.0
    write: float = 30.0
    pool: float = 30.0
    transfer: float = 120.0
    answers: Mapping[str, float] = field(default_factory=lambda: ANSWER_SECONDS)

    def answer(self, path: str) -> float:
        """Look up the longest wait for the begin of an answer, in seconds."""
        return self.answers.get(path, OPERATION_SECONDS)


DEFAULT_TIMEOUTS = Timeouts()


T = TypeVar("T")


@dataclass(frozen=True)
class Retries:
    """How often and how long a call is repeated after an error that may pass.

    Attributes:
        tries: Most tries of a call, the first one included; 1 is none but that.
        first_wait: Seconds before the second try; they double with each try, and a random part of
            up to a half is left out, so that callers turned away together do not return together.
        longest_wait: Most seconds before a try, unless the host asks for more.
        patience: Seconds from the first failure during which a try may begin. If the host asks for
            a longer wait than what is left of them, the call fails at once, for knocking earlier
            than asked cannot help.
    """

    tries: int = 4
    first_wait: float = 0.25
    longest_wait: float = 2.0
    patience: float = 5.0

    def wait_after(self, error: FaceError, failures: int, spent: float) -> float | None:
        """Decide whether to try again.

        Args:
            error: The newest failure; its class says whether it may pass.
            failures: How often the call has failed, 1 or more.
            spent: Seconds since it failed for the first time.

        Returns:
            Seconds to wait before the next try; None to give up.
        """
        if not error.retryable or failures >= self.tries:
            return None
        wait = self._backoff(failures) if error.retry_after is None else error.retry_after
        return wait if spent + wait <= self.patience else None

    def _backoff(self, failures: int) -> float:
        full = min(self.first_wait * 2.0 ** (failures - 1), self.longest_wait)
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, guards nothing

    def carry_out(self, call: Callable[[float], T], seconds: float) -> T:
        """Make a call until it succeeds or trying again makes no sense.

        Args:
            call: Makes one try and takes the longest wait for its answer, in seconds.
            seconds: That of the first try. Later ones get what is left of it and of the patience:
                what a lost connection left running is waited for, a second full wait is not added.

        Returns:
            What the call returned.

        Raises:
            FaceError: The newest failure.
        """
        begin = time.monotonic()
        first_failure, failures, limit = begin, 0, seconds
        while True:
            try:
                return call(limit)
            except FaceError as error:
                now = time.monotonic()
                failures += 1
                first_failure = now if failures == 1 else first_failure
                wait = self.wait_after(error, failures, now - first_failure)
                if wait is None:
                    raise
            time.sleep(wait)
            left = seconds + self.patience - (time.monotonic() - begin)
            limit = min(seconds, max(left, self.longest_wait))


DEFAULT_RETRIES = Retries()

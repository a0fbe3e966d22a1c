"""Asking many hosts at once, for no longer than the slowest may take."""

import contextvars
import logging
import queue
import threading
import time
import traceback

from storycanvas.catalog.health.checks import Answer, HostCheck, Probe

PROBE_SECONDS = 5.0
"""How long a host may take."""

ROUND_SECONDS = 6.0
"""How long all hosts together may take, including those that are asked a little later."""

log = logging.getLogger(__name__)


class Round:
    """One check of all hosts: each is asked in a thread of its own as soon as it is added.

    Used by one thread. A host that does not answer in time is down; its daemon thread is abandoned.

    Args:
        probe_seconds: Longest wait for each host.
        round_seconds: Longest wait for all of them, from now.
    """

    def __init__(
        self, probe_seconds: float = PROBE_SECONDS, round_seconds: float = ROUND_SECONDS
    ) -> None:
        self._probe_seconds = probe_seconds
        self._end = time.monotonic() + round_seconds
        self._asked: list[tuple[Probe, float]] = []
        self._answers: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()

    def ask(self, probe: Probe) -> None:
        """Start to ask a host."""
        number = len(self._asked)
        until = min(time.monotonic() + self._probe_seconds, self._end)
        self._asked.append((probe, until))
        context = contextvars.copy_context()
        threading.Thread(
            target=lambda: self._answers.put((number, context.run(_answer, probe))),
            name=f"check {probe.name}",
            daemon=True,
        ).start()

    def checks(self) -> tuple[HostCheck, ...]:
        """Wait for the answers; return a check for each host, in the order of asking."""
        answers: dict[int, Answer] = {}
        for number, (_, until) in enumerate(self._asked):
            while number not in answers:
                try:
                    which, answer = self._answers.get(timeout=max(until - time.monotonic(), 0))
                except queue.Empty:
                    break
                answers[which] = answer
        silent = Answer(state="down", note="It did not answer in time.")
        return tuple(
            probe.check(answers.get(number, silent))
            for number, (probe, _) in enumerate(self._asked)
        )


def _answer(probe: Probe) -> Answer:
    try:
        return probe.ask()
    except Exception as error:  # noqa: BLE001 - a fault in one check must not hide other hosts
        # Without the error's own text, which may quote a secret.
        where = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        log.error("The check of %s failed with %s:\n%s", probe.name, kind, where)  # noqa: TRY400 - see above
        return Answer(state="error", note=f"The check failed ({kind}); see the log.")

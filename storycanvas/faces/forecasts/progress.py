"""How far a run is, in the words that its state shows."""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from storycanvas.net.wording import about

WAITING_FOR_GPU = "Waiting for GPU"
"""Name of the state of a run whose steps wait for a slot of a GPU host."""


class StateWords(NamedTuple):
    """What the state of a run that is at work shows.

    Attributes:
        name: None for the usual one.
        message: None for none.
    """

    name: str | None = None
    message: str | None = None


class Pace:
    """Which steps of a run have ended, and how long the others take.

    Args:
        kinds: The kind of each step, such as its operation, by what names the step.
        usual: Finds what a step usually takes; asked for steps of which this run has done none.
        took: The engine's seconds of steps that this run has done, by kind; it grows.
        usual_of_any: Finds what a step of any kind usually takes.
        slots: Steps that the hosts do at a time.
    """

    def __init__(
        self,
        kinds: Mapping[object, str],
        usual: Callable[[object], float | None],
        took: Mapping[str, Sequence[float]],
        usual_of_any: Callable[[], float | None] = lambda: None,
        slots: int = 1,
    ) -> None:
        self._left = dict(kinds)
        self._total = len(kinds)
        self._usual = usual
        self.usual_of_any = usual_of_any
        self._slots = max(slots, 1)
        self._took = took

    def ended(self, step: object) -> None:
        """Count a step, however it ended."""
        self._left.pop(step, None)

    def seconds_left(self) -> float | None:
        """Expect how long the other steps take; None where that is not known of one."""
        found = 0.0
        for step, kind in [*self._left.items()]:
            took = [*self._took.get(kind, ())]
            seconds = fmean(took) if took else self._usual(step)
            if seconds is None:
                return None
            found += seconds
        return found / self._slots

    def words(self) -> StateWords:
        """Write `6 of 16, about 30 s left`."""
        done = f"{self._total - len(self._left)} of {self._total}"
        left = self.seconds_left()
        return StateWords(message=done if left is None else f"{done}, {about(left)} left")


def waiting_words(runs: int, seconds: float | None) -> StateWords:
    """Write `2 before you, about 40 s`."""
    before = f"{runs} before you" if runs else "next in line"
    return StateWords(WAITING_FOR_GPU, before if seconds is None else f"{before}, {about(seconds)}")

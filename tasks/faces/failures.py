"""How many failures a run of many parts takes before it begins nothing more."""

from storycanvas.net.wording import counted


class FailureLimit:
    """Counts what failed in a run: items of a batch, or characters.

    The thread that waits for steps counts, and those that begin steps ask. What is being worked on
    when the limit is reached is done.

    Args:
        most: Failures after which nothing more is begun; None for any number.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._failed: set[str] = set()

    def add(self, name: str) -> None:
        """Count a failure, once for each name."""
        self._failed.add(name)

    @property
    def count(self) -> int:
        """How many have failed."""
        return len(self._failed)

    @property
    def reached(self) -> bool:
        """Whether nothing more is begun."""
        return self._most is not None and len(self._failed) >= self._most

    def sentence(self) -> str:
        """Say why something was not begun."""
        return f"Not begun, after {counted(self._most or 0, 'failure')} in this run."

"""What a drain did: one row a job, one line in the log, and a sentence at the end."""

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.net.wording import counted

MAX_ROWS = 1000
"""Jobs that the table shows, the newest ones."""
Became = Literal["completed", "failed", "put back", "given back", "cancelled"]


class JobRow(BaseModel):
    """What became of one claim of a job.

    Attributes:
        job: Its label.
        id: Of its document.
        became: `put back` cost an attempt, `given back` none; `cancelled` ones, and those that
            another worker took, are not written any more.
        attempt: From 1.
        seconds: From the claim to the end.
        reason: Why it is not completed.
        steps: What its steps became.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: str
    id: str
    became: Became
    attempt: int = Field(ge=1)
    seconds: float = Field(ge=0)
    steps: str = ""
    reason: str = ""

    def line(self) -> str:
        """Describe it in a line of a log."""
        parts = [f"{self.job}: {self.became} in {self.seconds:.2f} s", self.steps, self.reason]
        return ", ".join(filter(None, parts))


class DrainReport(BaseModel):
    """What a drain did.

    Attributes:
        queue: The collection.
        counts: How many claims became what.
        jobs: The newest claims in the order of their ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: str
    counts: dict[str, int]
    jobs: tuple[JobRow, ...] = ()

    def words(self) -> str:
        """Count in a few words, for the run's name."""
        done = {"completed": "done"}
        parts = [f"{count} {done.get(became, became)}" for became, count in self.counts.items()]
        return ", ".join(parts) or "nothing to do"

    def summary(self) -> str:
        """Summarise in a sentence."""
        if not self.counts:
            return f"Nothing of {self.queue} was to be done."
        parts = ", ".join(f"{count} {became}" for became, count in self.counts.items())
        return f"{counted(sum(self.counts.values()), 'job')} of {self.queue}: {parts}."


class DrainLog:
    """Collects what became of jobs; the newest are kept."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._counts: Counter[str] = Counter()
        self._rows: list[JobRow] = []

    def add(self, row: JobRow) -> None:
        """Add the end of a claim."""
        self._counts[row.became] += 1
        self._rows = [*self._rows[-MAX_ROWS + 1 :], row]

    def report(self) -> DrainReport:
        """Make the report of all that was added."""
        return DrainReport(queue=self._queue, counts=dict(self._counts), jobs=tuple(self._rows))

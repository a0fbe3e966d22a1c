"""What an import of Civitai's catalog did."""

from pydantic import BaseModel, ConfigDict


class ImportReport(BaseModel):
    """What became of the items that were read.

    Attributes:
        source: What was read: the filters, or the file's name.
        pages: How many pages, or batches of a file, were read in this run.
        new: Models that were not known.
        changed: Models of which Civitai says something else now.
        unchanged: Models that cost no write.
        mended: Models of which a part was not as it should be; the rest was kept.
        problems: Items that could not be read or stored, each a sentence; at most 200.
        problem_count: How many there are.
        complete: Whether the end was reached; else the next run goes on there.
        ended_because: Why it ended, as a sentence.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    pages: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    mended: int = 0
    problems: tuple[str, ...] = ()
    problem_count: int = 0
    complete: bool = False
    ended_because: str = ""

    def summary(self) -> str:
        """Say it in two sentences."""
        return (
            f"{self.source}: {self.pages} pages, {self.new} models new, {self.changed} changed, "
            f"{self.unchanged} unchanged, {self.problem_count} not read. {self.ended_because}"
        ).strip()

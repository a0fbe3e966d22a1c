"""The report of a batch: what became of each item, in order."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.batch import BatchItem
from storycanvas.faces.errors import FaceError
from storycanvas.faces.reports.steps import FaceRunReport, StepReport
from storycanvas.net.wording import counted

PARTLY_DONE = "Partly done"
"""Name of the state of a run in which some items were done and others were not."""

LOOKS_FIRST_ABOVE = 50
"""Items above which a run should begin with a few: 3 to 5 are a good first look."""


class ItemResult(BaseModel):
    """What became of one item.

    Attributes:
        operation_index: Its place in the batch, from 0.
        operation_type: What it does.
        input_url: The picture that it changes, without secrets.
        success: Whether it was done, now or earlier.
        output_url: What the app can show; None without a picture.
        error: One sentence, where it was not done.
        code: Name of the kind of that error, where it has one.
        reused: Whether it had been done earlier.
        seconds: From its start to its end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation_index: int = Field(ge=0)
    operation_type: str
    input_url: str | None = None
    success: bool
    output_url: str | None = None
    error: str | None = None
    code: str | None = None
    reused: bool = False
    seconds: float = Field(0.0, ge=0)


class BatchReport(FaceRunReport):
    """What a batch did.

    Attributes:
        total_operations: All items, those that wait for a later run included.
        completed_operations: Items that are done.
        failed_operations: Items that are not, of those that this run was to do.
        waiting_operations: Items left to a later run by `only_first`, or by a dry run.
        results: One entry an item that this run was to do, in order.
    """

    total_operations: int = Field(ge=0)
    completed_operations: int = Field(ge=0)
    failed_operations: int = Field(ge=0)
    waiting_operations: int = Field(0, ge=0)
    results: tuple[ItemResult, ...]

    def counts(self) -> str:
        """Count in a sentence what is done, failed and left."""
        parts = [f"{self.completed_operations:,} done"]
        reused = sum(result.reused for result in self.results)
        parts += [f"{reused:,} of them earlier"] if reused else []
        rejected = sum(step.outcome == "rejected" for step in self.steps)
        parts += [f"{rejected:,} of them rejected"] if rejected else []
        parts += [f"{self.failed_operations:,} failed"] if self.failed_operations else []
        parts += [f"{self.waiting_operations:,} wait"] if self.waiting_operations else []
        return f"{counted(self.total_operations, 'item')}: {', '.join(parts)}."


def refused_step(item: BatchItem, fault: FaceError) -> StepReport:
    """Report an item that cannot be done as it is written."""
    return StepReport(
        step=item.name,
        operation_type=item.operation_type,
        outcome="failed",
        error=str(fault),
        code=fault.code,
    )


def item_result(item: BatchItem, step: StepReport, input_url: str | None) -> ItemResult:
    """Tell of an item what its step tells."""
    return ItemResult(
        operation_index=item.index,
        operation_type=item.operation_type,
        input_url=input_url,
        success=step.is_done or step.outcome == "rejected",
        output_url=step.output_url,
        error=step.error,
        code=step.code,
        reused=step.outcome == "reused",
        seconds=step.seconds,
    )


def batch_report(report: FaceRunReport, results: Sequence[ItemResult], waiting: int) -> BatchReport:
    """Make the report of a batch from that of its run."""
    done = sum(result.success for result in results)
    own: Mapping[str, object] = {
        "total_operations": len(results) + waiting,
        "completed_operations": done,
        "failed_operations": len(results) - done,
        "waiting_operations": waiting,
        "results": tuple(results),
    }
    return BatchReport.model_validate({**dict(report), **own})


def dry_batch_report(report: FaceRunReport, total: int) -> BatchReport:
    """Make the report of a batch of so many items from that of its dry run."""
    done, failed = (sum(s.outcome == each for s in report.steps) for each in ("reused", "failed"))
    own: Mapping[str, object] = {
        "total_operations": total,
        "completed_operations": done,
        "failed_operations": failed,
        "waiting_operations": total - done - failed,
        "results": (),
    }
    return BatchReport.model_validate({**dict(report), **own})


def first_look_note(items: int, only_first: int | None) -> tuple[str, ...]:
    """Recommend a first look at a few items of a long batch."""
    if items <= LOOKS_FIRST_ABOVE or only_first is not None:
        return ()
    note = (
        f"{items:,} items at once: 3 to 5 of them (only_first) are a good first look; the next "
        "run without it takes them over."
    )
    return (note,)

"""What a job's document tells of its results: plain values that MongoDB and JSON both hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from storycanvas.faces.chain import CHAIN
from storycanvas.faces.jobs import JobRequest
from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.plan import Plan
from storycanvas.faces.reports.batch import BatchReport
from storycanvas.faces.reports.steps import StepReport

Output = dict[str, Any]


def pipeline_output(
    request: JobRequest,
    plan: Plan,
    steps: Sequence[StepReport],
    faces: Sequence[Mapping[str, Any]] = (),
    contact_sheet: str | None = None,
) -> Output:
    """Write the `output_data` of a job that is no batch.

    Args:
        request: What was asked.
        plan: What was done of it.
        steps: What became of each step, in the plan's order.
        faces: What the ledger knows of the faces that were found, for a job that looks for them.
        contact_sheet: What the app can show of the sheet, where one was drawn.
    """
    sheet = {"contact_sheet": contact_sheet} if contact_sheet else {}
    told = {step.step: _step_output(step) for step in steps}
    if isinstance(plan.steps[-1].operation, DetectOperation):
        return {"faces": [dict(face) for face in faces], "total_faces": len(faces), **sheet}
    if request.ages:
        results = {str(step.age): told[step.name] for step in plan.steps if step.age is not None}
        return {"results": results, **sheet}
    if request.job_type == CHAIN:
        return {"results": told, **sheet}
    (output,) = told.values()
    return {**output, **sheet}


def batch_output(report: BatchReport) -> Output:
    """Write the `output_data` of a batch: its report."""
    return report.model_dump(mode="json")


def _step_output(step: StepReport) -> Output:
    """Tell of a step that is done where its picture is; of another, why it is not."""
    if not step.is_done:
        return {"error": step.error, "code": step.code}
    return {
        "output_url": step.output_url,
        "output_path": step.output_path,
        "operation_key": step.operation_key,
        "processing_time_seconds": step.engine_seconds,
        "reused": step.outcome == "reused",
    }

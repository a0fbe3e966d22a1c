"""The table of a comparison: what each picture took, and what it made of the face."""

from typing import Any

from PIL import Image

from storycanvas.faces.pictures.reading import decode
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.sheets.comparison import compare_faces
from tasks.faces.context import RunContext
from tasks.faces.plan import PlanResult
from tasks.faces.reporting.report import Extras
from tasks.retries import retrying_task


def comparison(context: RunContext, result: PlanResult) -> Extras:
    """Compare each picture that was made with the plan's first one, inside of the face's box."""
    return Extras(tables={"comparison": compare(context, result)})


@retrying_task("compare")
def compare(context: RunContext, result: PlanResult) -> list[dict[str, Any]]:
    """Make a row for each step; one without a picture has no figures."""
    given = result.outputs[result.plan.pictures[0].name].picture
    assert given is not None  # noqa: S101 - it was fetched
    before = given.content().image
    return [_row(context, step, before) for step in result.steps]


def _row(context: RunContext, step: StepReport, before: Image.Image) -> dict[str, Any]:
    row: dict[str, Any] = {"picture": step.step, "outcome": step.outcome}
    if step.output_path is None:
        return row
    after = decode(context.store.read(step.output_path), step.step)
    found = compare_faces(before, after, step.faces[0] if step.faces else None)
    return row | {
        "engine seconds": f"{step.engine_seconds or 0:.2f}",
        "mean change": f"{found.mean_change:.1f}",
        "sharpness": "" if found.sharpness is None else f"{found.sharpness:.2f}",
    }

"""The table of a run: what its sheet shows, and what every step took, in words and figures."""

from storycanvas.faces.plan import Plan
from storycanvas.faces.reports.steps import FaceRunReport, StepReport
from tasks.faces.reporting.picture_warnings import PictureWarnings


def step_rows(plan: Plan, report: FaceRunReport, warnings: PictureWarnings) -> list[dict[str, str]]:
    """Make a row for each input of the sheet, then for each step."""
    steps = [_row(step, warnings) for step in report.steps]
    columns = steps[0] if steps else {}
    inputs = [
        dict.fromkeys(columns, "")
        | {"step": picture.label, "outcome": "input", "warnings": _told(picture.name, warnings)}
        for picture in plan.pictures
        if picture.label
    ]
    return [*inputs, *steps]


def _row(step: StepReport, warnings: PictureWarnings) -> dict[str, str]:
    sources = ", ".join(f"{name}: {source}" for name, source in step.sources.items())
    return {
        "step": step.step,
        "outcome": step.outcome,
        "reason": step.error or "",
        "warnings": _told(step.step, warnings),
        "seconds": f"{step.seconds:.2f}",
        "engine seconds": "" if step.engine_seconds is None else f"{step.engine_seconds:.2f}",
        "usual seconds": "" if step.usual_seconds is None else f"{step.usual_seconds:.2f}",
        "faces found": "" if step.faces_detected is None else str(step.faces_detected),
        "faces": "; ".join(f"{x}, {y}, {w} x {h}" for x, y, w, h in step.faces),
        "measured": step.measure.line() if step.measure else "",
        "one person below": step.measure.bound() if step.measure else "",
        "pose": step.measure.pose() if step.measure else "",
        "not measured": " ".join(step.measure.not_measured) if step.measure else "",
        "settings from": sources,
        "operation": step.operation_type,
        "host": step.host or "",
    }


def _told(name: str, warnings: PictureWarnings) -> str:
    return " ".join(warnings.get(name, ()))

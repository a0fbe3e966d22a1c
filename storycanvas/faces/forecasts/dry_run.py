"""What a dry run shows of a plan: which steps are done already, which are not, what those take."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from storycanvas.faces.errors import FaceError
from storycanvas.faces.forecasts.usual import MODEL_FIELDS
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.recipes.refining import REFINED_FROM
from storycanvas.faces.reports.steps import StepReport
from storycanvas.net.wording import about, counted

AGE = "the age that the host will see"
FACES = "the faces that the host will see"
MAX_ROWS = 1000
"""Of a table: the Prefect UI shows more rows slowly, and a run may have thousands of steps."""

_AGES = range(0, 101, 2)
"""Years that a host may see; a plan changes with them where a jump gets another way or blend."""


def steps_at_any_age(plan_from: Callable[[float], Plan]) -> Plan:
    """Choose the steps of a plan that are the same whatever the age in its first picture is.

    Args:
        plan_from: Makes the plan from an age in years; ages that it refuses do not count.

    Raises:
        FaceError: It refuses every age.
    """
    plans: list[Plan] = []
    refusal: FaceError | None = None
    for age in _AGES:
        try:
            plans.append(plan_from(float(age)))
        except FaceError as error:
            refusal = error
    if not plans and refusal is not None:
        raise refusal
    first, *others = plans
    steps = [step for step in first.steps if all(step in other.steps for other in others)]
    return first.model_copy(
        update={"steps": _complete(first, steps), "base_age": None, "warnings": (), "notes": ()}
    )


def _complete(plan: Plan, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Leave steps out that take the picture of one that is left out."""
    usable = {picture.name for picture in plan.pictures}
    kept = []
    for step in steps:
        if usable.issuperset(step.inputs):
            usable.add(step.name)
            kept.append(step)
    return tuple(kept)


def expectation(steps: Iterable[StepReport]) -> str:
    """Write which GPU time the steps that are not done yet are expected to take."""
    planned = [step for step in steps if step.outcome == "planned"]
    if not planned:
        return "It would take no GPU time."
    known = [step.usual_seconds for step in planned if step.usual_seconds is not None]
    if not known:
        return "What they take is not known: too few operations of their kinds were done."
    text = f"GPU time by what such steps usually took: {about(sum(known))}"
    if unknown := len(planned) - len(known):
        kinds = "a rare kind" if unknown == 1 else "rare kinds"
        text += f", without {counted(unknown, 'step')} of {kinds}"
    return f"{text}."


def open_row(depends_on: str) -> dict[str, Any]:
    """Make the row of a table for all steps that cannot be planned yet."""
    return {"step": "further steps", "what": "open", "reason": f"depends on {depends_on}"}


def maybe_row(name: str, usual_seconds: float | None) -> dict[str, Any]:
    """Make the row of a step that is made once more if its age is off."""
    seconds = "" if usual_seconds is None else f"{usual_seconds:.1f}"
    reason = f"only where the age that is read is more than {REFINED_FROM:.0f} years off"
    row = {"step": f"{name} again", "what": "may be added", "GPU seconds": seconds}
    return {**row, "reason": reason}


def may_be_added(steps: int) -> str:
    """Write how many steps `refine` may add."""
    return f"{counted(steps, 'step')} may be added by refine, depending on the ages that are read."


def plan_rows(plan: Plan, reports: Sequence[StepReport]) -> list[dict[str, Any]]:
    """Make the rows of a table of steps, in the order of the reports."""
    steps = {step.name: step for step in plan.steps}
    return [_row(report, steps.get(report.step)) for report in reports]


def _row(report: StepReport, step: Step | None) -> dict[str, Any]:
    words = {"planned": "to do"}
    stored = step.operation.model_dump(mode="json") if step else {}
    return {
        "step": report.step,
        "what": words.get(report.outcome, report.outcome),
        "GPU seconds": "" if report.usual_seconds is None else f"{report.usual_seconds:.1f}",
        "operation": report.operation_type,
        "model": stored.get(MODEL_FIELDS.get(report.operation_type, ""), ""),
        "from": ", ".join(step.inputs) if step else "",
        "reason": report.error or "",
        "settings from": ", ".join(f"{name}: {s}" for name, s in report.sources.items()),
        "picture": report.output_url or "",
    }


def bounded_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cut a table that is too long, and tell how much of it is missing."""
    more = len(rows) - MAX_ROWS
    return rows if more <= 0 else [*rows[:MAX_ROWS], {"step": f"and {more} more"}]

"""Running plans, and then once more what is to be refined."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from storycanvas.faces.errors import BadField
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.pipeline import Pipeline
from storycanvas.faces.recipes.refining import needed_for, refined
from storycanvas.faces.settings import FaceSettings
from tasks.faces.context import RunContext
from tasks.faces.plan import Planned, PlanResult, run_plans


def refuse_unmeasured(pipeline: Pipeline, settings: FaceSettings) -> None:
    """Refuse to refine what is not measured, with `BadField`."""
    if pipeline.refines and not settings.measure:
        raise BadField("refine needs the ages that are read: leave measure on in settings.")


def run_and_refine(
    context: RunContext,
    planned: Sequence[Planned],
    progress: Callable[[float], None],
    *,
    refines: bool,
) -> list[PlanResult]:
    """Run plans as `run_plans` does; where it is wanted, make ages once more that are off.

    The steps before are taken from the ledger: a forced run knows them as its own.
    """
    results = run_plans(context, planned, progress)
    if not refines or any(result.interrupt for result in results):
        return results
    whole = [refined(result.plan, read_ages(result)) for result in results]
    places = [n for n, plan in enumerate(whole) if len(plan.steps) > len(results[n].plan.steps)]
    more = [(planned[n][0], needed_for(whole[n], _new_steps(results[n], whole[n]))) for n in places]
    others = dict(zip(places, run_plans(context, more, progress) if more else [], strict=True))
    return [
        _joined(result, others[n], whole[n]) if n in others else replace(result, plan=whole[n])
        for n, result in enumerate(results)
    ]


def read_ages(result: PlanResult) -> dict[str, float]:
    """Collect the ages that were read from pictures, in years, by step."""
    measured = {step.step: step.measure for step in result.steps if step.measure is not None}
    return {name: m.read_age for name, m in measured.items() if m.read_age is not None}


def _new_steps(result: PlanResult, whole: Plan) -> set[str]:
    return {step.name for step in whole.steps} - {step.name for step in result.plan.steps}


def _joined(result: PlanResult, other: PlanResult, whole: Plan) -> PlanResult:
    """Join two results; a step of both ends as it ended first."""
    known = {step.step for step in result.steps}
    new = tuple(step for step in other.steps if step.step not in known)
    return result.followed_by(replace(other, steps=new), whole)

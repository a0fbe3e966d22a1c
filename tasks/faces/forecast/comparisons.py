"""The looks at reference images that a run would have hosts do to check its pictures."""

from db.errors import DatabaseError
from storycanvas.faces.errors import FaceError
from storycanvas.faces.measures.baseline import MIN_REFERENCES
from storycanvas.faces.plan import Plan
from storycanvas.faces.reports.steps import StepReport
from tasks.faces.context import RunContext
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.measuring.host_distances import comparison_plan
from tasks.faces.step import RunRequest

MEASURES_LIKENESS = "facefusion"
"""The engine whose hosts tell the likeness of what they make."""


def comparisons_to_do(
    context: RunContext, request: RunRequest, plan: Plan
) -> tuple[StepReport, ...]:
    """Report, in a dry run, the comparisons of reference images that no host has done yet."""
    character_id = request.character_id
    if character_id is None or not _are_used(request, plan):
        return ()
    try:
        references = context.baselines.references(character_id)
    except (FaceError, DatabaseError):  # the usual bound would hold
        return ()
    if len(references) < MIN_REFERENCES:
        return ()
    (result,) = run_or_look_up(context, [(request, comparison_plan(references))])
    return tuple(step for step in result.steps if step.outcome == "planned")


def _are_used(request: RunRequest, plan: Plan) -> bool:
    rules = request.measuring
    checks = rules.on and rules.bounds.same_below is None
    changes = any(step.operation.changes_faces for step in plan.steps)
    return checks and changes and request.status.engine == MEASURES_LIKENESS

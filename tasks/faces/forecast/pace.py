"""How long the steps of a run still take: as long as those of their kind that it has done."""

from collections.abc import Mapping, Sequence

from storycanvas.faces.forecasts.progress import Pace
from storycanvas.faces.forecasts.usual import Size
from storycanvas.faces.plan import Plan, Step
from tasks.faces.context import RunContext
from tasks.faces.forecast.usual import UsualSeconds
from tasks.faces.step import StepOutput


def pace_of(
    context: RunContext,
    engine: str,
    plans: Sequence[Plan],
    pictures: Sequence[Mapping[str, StepOutput]],
    futures: Sequence[Mapping[str, object]],
) -> Pace:
    """Expect of each step what such a step usually takes on a picture of that size.

    Args:
        context: The run's context.
        engine: Name of the run's engine.
        plans: What is run.
        pictures: Those of each plan that were fetched, by name.
        futures: What names each step of each plan, by the step's name.
    """
    steps: dict[object, tuple[Step, Size | None]] = {}
    for plan, fetched, named in zip(plans, pictures, futures, strict=True):
        sizes = {
            name: (output.picture.width, output.picture.height)
            for name, output in fetched.items()
            if output.picture is not None
        }
        first, origins = next(iter(sizes.values()), None), plan.origins()
        for step in plan.steps:
            steps[named[step.name]] = step, sizes.get(origins[step.name], first)
    usual = UsualSeconds(context.database, engine)
    return Pace(
        {each: step.operation.operation_type for each, (step, _) in steps.items()},
        lambda each: usual.of(steps[each][0].operation, steps[each][1]),
        context.took,
        usual.of_any,
        sum(host.slots for host in context.hosts.hosts.values()),
    )

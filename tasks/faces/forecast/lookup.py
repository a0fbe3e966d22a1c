"""Looking plans up in the ledger, which a dry run does in place of running them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from prefect.futures import wait

from storycanvas.faces.errors import NotDoneYet
from storycanvas.faces.forecasts.usual import Size
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.reports.steps import NEEDS, StepReport
from tasks.faces.context import RunContext
from tasks.faces.forecast.usual import UsualSeconds
from tasks.faces.inputs import fetch, fetch_required
from tasks.faces.plan import Planned, PlanResult, finished, no_progress, run_plans, unfinished
from tasks.faces.step import RunRequest, StepOutput, find_output
from tasks.waiting import first_task


def run_or_look_up(
    context: RunContext,
    planned: Sequence[Planned],
    progress: Callable[[float], None] = no_progress,
) -> list[PlanResult]:
    """Run plans as `run_plans` does; in a dry run, find out what of them is done already.

    A step that is not done has the outcome `planned` then, and `NotDoneYet` as its error.

    Raises:
        FaceError: A picture of a plan cannot be fetched.
    """
    if not context.dry_run:
        return run_plans(context, planned, progress)
    unrecorded = [(replace(request, record=False), plan) for request, plan in planned]
    required = fetch_required(context, unrecorded)
    return [
        look_up(context, request, plan, given | _fetch_others(context, request, plan))
        for (request, plan), given in zip(unrecorded, required, strict=True)
    ]


Given = Mapping[str, StepOutput | BaseException]


def _fetch_others(
    context: RunContext, request: RunRequest, plan: Plan
) -> dict[str, StepOutput | BaseException]:
    """Fetch the pictures that are not required; in place of one, why it cannot be had."""
    others = [picture for picture in plan.pictures if not picture.required]
    fetching = {picture.name: fetch.submit(context, request, picture) for picture in others}
    wait([*fetching.values()])
    return {name: future.state.result(raise_on_failure=False) for name, future in fetching.items()}


@first_task("{request.label}look up steps")
def look_up(context: RunContext, request: RunRequest, plan: Plan, given: Given) -> PlanResult:
    """Find the steps of a plan in the ledger, and what the others usually take."""
    return _LookUp(context, request, plan, given).result()


@dataclass
class _LookUp:
    context: RunContext
    request: RunRequest
    plan: Plan
    given: Given
    outputs: dict[str, StepOutput] = field(default_factory=dict)
    missing: dict[str, BaseException] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def result(self) -> PlanResult:
        for name, found in self.given.items():
            if isinstance(found, BaseException):
                self.missing[name] = found
                continue
            self.outputs[name] = found
            if found.picture is not None:
                self.sizes[name] = found.picture.width, found.picture.height
        usual = UsualSeconds(self.context.database, self.request.status.engine)
        steps = tuple(self._report(step, usual) for step in self.plan.steps)
        return PlanResult(self.plan, self.outputs, steps, self.errors, self.missing)

    def _report(self, step: Step, usual: UsualSeconds) -> StepReport:
        for name in step.inputs:
            if name in self.missing or name in self.skipped:
                reason = str(self.missing.get(name) or f"{NEEDS}{name}', which is skipped.")
                self.skipped[step.name] = reason
                return unfinished(step, "skipped", reason)
        size = self.sizes.get(step.inputs[-1])
        if size is not None and step.operation.makes_picture:
            self.sizes[step.name] = size  # no operation changes it
        inputs = [self.outputs[name] for name in step.inputs if name in self.outputs]
        is_known = len(inputs) == len(step.inputs)
        found = find_output(self.context, self.request, step, inputs) if is_known else None
        if found is not None:
            self.outputs[step.name] = found
            return finished(self.plan, step, found, None)
        self.errors[step.name] = NotDoneYet(f"{step.name} is not done yet.")
        planned = unfinished(step, "planned", None)
        return planned.model_copy(update={"usual_seconds": usual.of(step.operation, size)})

"""Running plans: each step as soon as its inputs exist; a failed step stops only its followers."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed, wait
from prefect.logging import get_run_logger
from prefect.states import Cancelled

from db.errors import BrokenCharacter, CharacterTooLarge
from db.ledger import record_failure
from storycanvas.faces.forecasts.progress import Pace
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.recipes.refining import given_age
from storycanvas.faces.reports.measures import StepMeasure, step_measure
from storycanvas.faces.reports.steps import LEFT_TO_HOST, NEEDS, STOPPED, Outcome, StepReport
from storycanvas.gpu.prefect_client import no_client_retries
from tasks.faces.context import RunContext
from tasks.faces.effects import failed_entry
from tasks.faces.forecast.pace import pace_of
from tasks.faces.forecast.shown_state import shown_state
from tasks.faces.inputs import fetch, fetch_required
from tasks.faces.measuring.measuring import Measured
from tasks.faces.measuring.steps import measured_of
from tasks.faces.step import RunRequest, StepOutput, run_step
from tasks.retries import INTERRUPTS, SETTLED_SECONDS, SHOWN_SECONDS, retrying_task


@dataclass(frozen=True)
class PlanResult:
    """What became of a plan.

    Attributes:
        plan: The plan.
        outputs: What pictures and steps gave, by name; missing where a step failed.
        steps: A report on each step, in the plan's order.
        errors: Why steps failed, by name; skipped ones are not in it.
        missing: Why pictures that are not required cannot be had, by name.
        interrupt: What stopped the run before its end; to be raised once the rest is shown.
        cancelled: The ends of steps whose task runs were left without one, by their ids.
        show_until: Until when the server is told of those, by this process's monotonic clock.
    """

    plan: Plan
    outputs: dict[str, StepOutput]
    steps: tuple[StepReport, ...]
    errors: dict[str, BaseException]
    missing: dict[str, BaseException] = field(default_factory=dict)
    interrupt: BaseException | None = None
    cancelled: dict[UUID, State[Any]] = field(default_factory=dict)
    show_until: float = math.inf

    def followed_by(self, other: "PlanResult", plan: Plan) -> "PlanResult":
        """Join it with the result of the rest of its plan; `plan` is the whole."""
        steps = {report.step: report for report in (*self.steps, *other.steps)}
        return replace(
            other,
            plan=plan,
            outputs=self.outputs | other.outputs,
            steps=tuple(steps[step.name] for step in plan.steps),
            errors=self.errors | other.errors,
            missing=self.missing | other.missing,
        )

    def newest_step(self, name: str) -> tuple[str | None, str | None]:
        """Find the newest step with a picture on the way to a step, and the first without one.

        Returns:
            The step itself and None if it is done. None as the first name if no picture was made on
            the way; inputs of the plan do not count.
        """
        steps = {step.name: step for step in self.plan.steps}
        missing = None
        while name in steps and name not in self.outputs:
            missing, name = name, steps[name].inputs[-1]
        return name if name in steps else None, missing


Fetched = dict[str, StepOutput | BaseException]
"""The pictures of a plan; in place of one that is not required, why it cannot be had."""


def plan_result(
    plan: Plan, fetched: Fetched, states: dict[str, State[Any]], *, wait_for_measures: bool = True
) -> PlanResult:
    """Derive what became of each step from its final state."""
    outputs = {name: found for name, found in fetched.items() if isinstance(found, StepOutput)}
    without = {name: found for name, found in fetched.items() if isinstance(found, BaseException)}
    errors: dict[str, BaseException] = {}
    reports: list[StepReport] = []
    left: dict[str, str] = {}
    for step in plan.steps:
        state = states[step.name]
        missing = [name for name in step.inputs if name not in outputs]
        if state.is_completed():
            outputs[step.name] = state.result()
            measured = measured_of(outputs[step.name].measured, wait=wait_for_measures)
            reports.append(finished(plan, step, outputs[step.name], measured))
        elif state.is_cancelled() or (missing and missing[0] in left):
            # What needs a step that was not begun is not begun for the same reason.
            left[step.name] = left.get(next(iter(missing), ""), state.message or STOPPED)
            reports.append(unfinished(step, "skipped", left[step.name]))
        elif missing:
            reports.append(_without_input(step, missing[0], without))
        else:
            errors[step.name] = error = _error(state)
            reports.append(unfinished(step, "failed", str(error), _code(error)))
    return PlanResult(plan, outputs, tuple(reports), errors, without)


def _without_input(step: Step, name: str, without: dict[str, BaseException]) -> StepReport:
    reason = without.get(name)
    if reason is None:
        return unfinished(step, "skipped", f"{NEEDS}{name}', which failed.")
    return unfinished(step, "skipped", str(reason), _code(reason))


def _code(error: BaseException) -> str | None:
    return getattr(error, "code", None)


def describe(report: StepReport) -> str:
    """Describe in a line what became of a step."""
    line = f"{report.step}: {report.outcome} in {report.seconds:.2f} s"
    if report.engine_seconds is not None:
        line += f" (engine {report.engine_seconds:.2f} s)"
    return f"{report.step}: {report.outcome}, {report.error}" if report.error else line


def finished(plan: Plan, step: Step, output: StepOutput, measured: Measured | None) -> StepReport:
    """Report a step that was done, now or earlier."""
    record = output.record
    return StepReport(
        step=step.name,
        operation_type=step.operation.operation_type,
        outcome=output.outcome or "done",
        host=record.host if record else None,
        seconds=round(output.seconds, 3),
        engine_seconds=record.processing_time_seconds if record else None,
        output_url=output.url or None,
        output_path=output.path,
        operation_key=record.operation_key if record else None,
        estimated_age=record.estimated_age if record else None,
        faces_detected=record.faces_detected if record else None,
        faces=record.boxes() if record else (),
        sources=step.sources,
        measure=None if measured is None else _reported(plan, step, measured),
        checks=measured.verdict.failures if measured else (),
    )


def _reported(plan: Plan, step: Step, measured: Measured) -> StepMeasure:
    target = getattr(step.operation, "target_age", None)
    return step_measure(
        measured.measure,
        target if step.age is None else step.age,
        given_age=given_age(plan, step),
        seconds=measured.seconds,
        verdict=measured.verdict,
    )


def unfinished(
    step: Step, outcome: Outcome, error: str | None, code: str | None = None
) -> StepReport:
    """Report a step that was not done."""
    return StepReport(
        step=step.name,
        operation_type=step.operation.operation_type,
        outcome=outcome,
        sources=step.sources,
        error=error,
        code=code,
    )


def _error(state: State[Any]) -> BaseException:
    error = state.result(raise_on_failure=False)
    if isinstance(error, BaseException):
        return error
    return RuntimeError(f"The step ended in the state {state.name}.")


Future = PrefectFuture[Any]

POLL_SECONDS = 0.1
SETTLE_SECONDS = 2.0
"""For the steps of a stopped run to end: those that wait for others are many, and each is quick."""


def no_progress(share: float) -> None:
    """Show no progress."""


Planned = tuple[RunRequest, Plan]
"""A plan, and for whom it is run."""


def run_plans(
    context: RunContext,
    planned: Sequence[Planned],
    progress: Callable[[float], None] = no_progress,
) -> list[PlanResult]:
    """Run the steps of plans side by side; a failed step stops none but its followers.

    `progress` is called with the share of finished steps, 0 to 1, whenever it changes. When the run
    is stopped from outside, the results tell what there is by then, and carry the interruption.

    Raises:
        FaceError: A picture of a plan cannot be fetched; no step has run.
    """
    required = fetch_required(context, planned)
    submitted = [
        _submit(context, request, plan, pictures)
        for (request, plan), pictures in zip(planned, required, strict=True)
    ]
    engine = planned[0][0].status.engine if planned else ""
    steps = [parts.steps for parts in submitted]
    pace = pace_of(context, engine, [plan for _, plan in planned], required, steps)
    interrupt = _wait(context, planned, submitted, pace, progress)
    return [
        _result(context, plan, {**pictures, **parts.fetched()}, parts.steps, interrupt)
        for (_, plan), pictures, parts in zip(planned, required, submitted, strict=True)
    ]


@dataclass(frozen=True)
class _Submitted:
    """The task runs of a plan by names: those of its steps, and of pictures not required."""

    steps: dict[str, Future] = field(default_factory=dict)
    pictures: dict[str, Future] = field(default_factory=dict)

    def fetched(self) -> Fetched:
        """Return the pictures, or why they cannot be had; not those of a run that was stopped."""
        ended = {name: f.state for name, f in self.pictures.items() if f.state.is_final()}
        return {name: state.result(raise_on_failure=False) for name, state in ended.items()}


def _submit(
    context: RunContext, request: RunRequest, plan: Plan, required: Mapping[str, StepOutput]
) -> _Submitted:
    """Submit all steps, and before each the pictures that it is the first to need.

    So pictures of a long plan are fetched shortly before they are used, and few are at hand.
    """
    submitted = _Submitted()
    inputs: dict[str, Any] = dict(required)
    others = {picture.name: picture for picture in plan.pictures if not picture.required}
    for step in plan.steps:
        for name in step.inputs:
            if name in others and name not in inputs:
                fetching = fetch.submit(context, request, others[name])
                inputs[name] = submitted.pictures[name] = fetching
        given = [inputs[name] for name in step.inputs]
        future = run_step.submit(context, request, step, given)
        inputs[step.name] = submitted.steps[step.name] = future
    return submitted


def _wait(
    context: RunContext,
    planned: Sequence[Planned],
    submitted: Sequence[_Submitted],
    pace: Pace,
    progress: Callable[[float], None],
) -> BaseException | None:
    """Wait for all steps; return what stopped the run before their end."""
    waiting = {
        future: (request.failures, request.subject if len(planned) > 1 else name)
        for (request, _), parts in zip(planned, submitted, strict=True)
        for name, future in parts.steps.items()
    }
    fetching = [future for parts in submitted for future in parts.pictures.values()]
    with shown_state(context, pace):
        try:
            for count, future in enumerate(as_completed([*waiting]), start=1):
                future.wait()  # only this gives the future its final state
                failures, what = waiting[future]
                if not (future.state.is_completed() or future.state.is_cancelled()):
                    failures.add(what)
                pace.ended(future)
                progress(count / len(waiting))
            wait(fetching)  # a step ends at the first input that it cannot have
        except INTERRUPTS as raised:
            context.stop()
            _settle([*waiting, *fetching], context.stopping.deadline(SETTLED_SECONDS))
            return raised
    return None


def _result(
    context: RunContext,
    plan: Plan,
    fetched: Fetched,
    futures: dict[str, Future],
    interrupt: BaseException | None,
) -> PlanResult:
    states = {name: future.state for name, future in futures.items()}
    if interrupt is None:
        return plan_result(plan, fetched, states)
    ended = {name: _ended(state) for name, state in states.items()}
    return replace(
        plan_result(plan, fetched, ended, wait_for_measures=False),
        interrupt=interrupt,
        cancelled={
            futures[name].task_run_id: ended[name]
            for name, state in states.items()
            if not state.is_final()
        },
        show_until=context.stopping.deadline(SHOWN_SECONDS),
    )


def _settle(futures: list[Future], until: float) -> None:
    deadline = min(time.monotonic() + SETTLE_SECONDS, until)
    for future in futures:
        future.wait(max(0.0, deadline - time.monotonic()))


def _ended(state: State[Any]) -> State[Any]:
    """Give a step of a stopped run its end, if it has not begun or a host still works on it."""
    if state.is_final():
        return state
    return Cancelled(message=LEFT_TO_HOST if state.is_running() else STOPPED)


def end_interrupted(*results: PlanResult) -> None:
    """Raise what stopped a run before its end, once its open steps are shown as cancelled."""
    interrupts = [result.interrupt for result in results if result.interrupt is not None]
    if interrupts:
        _cancel_steps(results)
        raise interrupts[0]


def _cancel_steps(results: Sequence[PlanResult]) -> None:
    """Show the steps of a stopped run as Cancelled that had to wait for others.

    Prefect leaves them pending. The server knows a step from events, which come with a delay; one
    that it does not know in time is left as it is.
    """
    until = min(result.show_until for result in results)
    deadline = min(time.monotonic() + SETTLE_SECONDS, until)
    open_steps = {step: state for result in results for step, state in result.cancelled.items()}
    with no_client_retries(), get_client(sync_client=True) as client:
        while open_steps:
            for task_run_id, state in list(open_steps.items()):
                with suppress(httpx.HTTPError):  # 404 until it is known, 503 while SQLite is busy
                    client.set_task_run_state(task_run_id, state, force=True)
                    del open_steps[task_run_id]
                if time.monotonic() > deadline:
                    return
            time.sleep(POLL_SECONDS)


@retrying_task("record failures")
def record_failures(context: RunContext, request: RunRequest, result: PlanResult) -> None:
    """Write a single failed history entry for each failed step, whatever its number of tries.

    Without a character there is no history. A step that was done, and whose character has no room
    for it, has its own entry pending.
    """
    if request.character_id is None:
        return
    now = datetime.now(UTC)
    for step in result.plan.steps:
        error = result.errors.get(step.name)
        if error is None or isinstance(error, CharacterTooLarge):
            continue
        inputs = [result.outputs[name] for name in step.inputs]
        entry = failed_entry(request.origin, step, inputs, str(error), now)
        try:
            record_failure(context.database, request.character_id, entry, now)
        except (BrokenCharacter, CharacterTooLarge) as refusal:
            get_run_logger().warning("The failure of %s is not recorded: %s", step.name, refusal)

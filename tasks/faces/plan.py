"""Running a plan: each step as soon as its inputs exist; a failed step stops only its followers."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger
from prefect.states import Cancelled

from db.errors import BrokenCharacter, CharacterTooLarge
from db.ledger import record_failure
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.report import LEFT_TO_HOST, STOPPED, Outcome, StepReport
from storycanvas.gpu.prefect_client import no_client_retries
from tasks.faces.context import RunContext
from tasks.faces.effects import failed_entry
from tasks.faces.inputs import fetch_all
from tasks.faces.step import RunRequest, StepOutput, run_step
from tasks.retries import INTERRUPTS, retrying_task


@dataclass(frozen=True)
class PlanResult:
    """What became of a plan.

    Attributes:
        plan: The plan.
        outputs: What pictures and steps gave, by name; missing where a step failed.
        steps: A report on each step, in the plan's order.
        errors: Why steps failed, by name; skipped ones are not in it.
        interrupt: What stopped the run before its end; to be raised once the rest is shown.
        cancelled: The ends of steps whose task runs were left without one, by their ids.
    """

    plan: Plan
    outputs: dict[str, StepOutput]
    steps: tuple[StepReport, ...]
    errors: dict[str, BaseException]
    interrupt: BaseException | None = None
    cancelled: dict[UUID, State[Any]] = field(default_factory=dict)

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


def plan_result(
    plan: Plan, fetched: dict[str, StepOutput], states: dict[str, State[Any]]
) -> PlanResult:
    """Derive what became of each step from its final state."""
    outputs = dict(fetched)
    errors: dict[str, BaseException] = {}
    reports: list[StepReport] = []
    for step in plan.steps:
        state = states[step.name]
        missing = [name for name in step.inputs if name not in outputs]
        if state.is_completed():
            outputs[step.name] = state.result()
            reports.append(_finished(step, outputs[step.name]))
        elif state.is_cancelled():
            reports.append(_unfinished(step, "skipped", state.message or STOPPED))
        elif missing:
            reports.append(_unfinished(step, "skipped", f"it needs '{missing[0]}', which failed."))
        else:
            errors[step.name] = error = _error(state)
            reports.append(_unfinished(step, "failed", str(error)))
    return PlanResult(plan, outputs, tuple(reports), errors)


def describe(report: StepReport) -> str:
    """Describe in a line what became of a step."""
    line = f"{report.step}: {report.outcome} in {report.seconds:.2f} s"
    if report.engine_seconds is not None:
        line += f" (engine {report.engine_seconds:.2f} s)"
    return f"{report.step}: {report.outcome}, {report.error}" if report.error else line


def _finished(step: Step, output: StepOutput) -> StepReport:
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
        estimated_age=record.estimated_age if record else None,
        sources=step.sources,
    )


def _unfinished(step: Step, outcome: Outcome, error: str) -> StepReport:
    return StepReport(
        step=step.name,
        operation_type=step.operation.operation_type,
        outcome=outcome,
        sources=step.sources,
        error=error,
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


def _ignore(share: float) -> None:
    """Show no progress."""


def run_plan(
    context: RunContext,
    request: RunRequest,
    plan: Plan,
    progress: Callable[[float], None] = _ignore,
) -> PlanResult:
    """Run a plan's steps, each as soon as its inputs are there; a failed step stops no other.

    `progress` is called with the share of finished steps, 0 to 1, whenever it changes. When the run
    is stopped from outside, the result tells what there is by then, and carries the interruption.

    Raises:
        FaceError: A picture of the plan cannot be fetched; no step has run.
    """
    fetched = fetch_all(context, request, plan)
    futures = _submit(context, request, plan, fetched)
    interrupt = None
    try:
        for count, future in enumerate(as_completed(list(futures.values())), start=1):
            future.wait()  # only this gives the future its final state
            progress(count / len(futures))
    except INTERRUPTS as raised:
        interrupt = raised
        context.stop()
        _settle(list(futures.values()))
    states = {name: future.state for name, future in futures.items()}
    if interrupt is not None:
        ended = {name: _ended(state) for name, state in states.items()}
        cancelled = {
            futures[name].task_run_id: ended[name]
            for name, state in states.items()
            if not state.is_final()
        }
        return replace(plan_result(plan, fetched, ended), interrupt=interrupt, cancelled=cancelled)
    return plan_result(plan, fetched, states)


def _settle(futures: list[Future]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    for future in futures:
        future.wait(max(0.0, deadline - time.monotonic()))


def _ended(state: State[Any]) -> State[Any]:
    """Give a step of a stopped run its end, if it has not begun or a host still works on it."""
    if state.is_final():
        return state
    return Cancelled(message=LEFT_TO_HOST if state.is_running() else STOPPED)


def end_interrupted(result: PlanResult) -> None:
    """Raise what stopped a run before its end, once its open steps are shown as cancelled."""
    if result.interrupt is not None:
        _cancel_steps(result)
        raise result.interrupt


def _cancel_steps(result: PlanResult) -> None:
    """Show the steps of a stopped run as Cancelled that had to wait for others.

    Prefect leaves them pending. The server knows a step from events, which come with a delay; one
    that it does not know in time is left as it is.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    open_steps = dict(result.cancelled)
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

    A step that was done, and whose character has no room for it, has its own entry pending.
    """
    now = datetime.now(UTC)
    for step in result.plan.steps:
        error = result.errors.get(step.name)
        if error is None or isinstance(error, CharacterTooLarge):
            continue
        inputs = [result.outputs[name] for name in step.inputs]
        entry = failed_entry(context.run_id, step, inputs, str(error), now)
        try:
            record_failure(context.database, request.character_id, entry, now)
        except (BrokenCharacter, CharacterTooLarge) as refusal:
            get_run_logger().warning("The failure of %s is not recorded: %s", step.name, refusal)


def _submit(
    context: RunContext, request: RunRequest, plan: Plan, fetched: dict[str, StepOutput]
) -> dict[str, Future]:
    futures: dict[str, Future] = {}
    for step in plan.steps:
        inputs: list[Any] = [futures.get(name) or fetched[name] for name in step.inputs]
        futures[step.name] = run_step.submit(context, request, step, inputs)
    return futures

"""Reading from Prefect's states what became of a plan's steps."""

from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State

from faces.plan import Plan, Step
from faces.report import Outcome, StepReport
from tasks.run_step import Made


@dataclass(frozen=True)
class PlanResult:
    """What became of a plan.

    Attributes:
        plan: The plan.
        made: What pictures and steps gave, by name; missing where a step failed.
        steps: A report on each step, in the plan's order.
        errors: Why steps failed, by name; skipped ones are not in it.
    """

    plan: Plan
    made: dict[str, Made]
    steps: tuple[StepReport, ...]
    errors: dict[str, BaseException]


def plan_result(plan: Plan, fetched: dict[str, Made], states: dict[str, State[Any]]) -> PlanResult:
    """Sort out finished states.

    Args:
        plan: The plan.
        fetched: Its pictures, by name.
        states: The final state of each step, by name.
    """
    made = dict(fetched)
    errors: dict[str, BaseException] = {}
    reports: list[StepReport] = []
    for step in plan.steps:
        state = states[step.name]
        missing = [name for name in step.inputs if name not in made]
        if state.is_completed():
            made[step.name] = state.result()
            reports.append(_finished(step, made[step.name]))
        elif missing:
            reports.append(_unfinished(step, "skipped", f"it needs '{missing[0]}', which failed."))
        else:
            errors[step.name] = error = _error(state)
            reports.append(_unfinished(step, "failed", str(error)))
    return PlanResult(plan, made, tuple(reports), errors)


def describe(report: StepReport) -> str:
    """Say in one line what became of a step."""
    line = f"{report.step}: {report.outcome} in {report.seconds:.2f} s"
    if report.engine_seconds is not None:
        line += f" (engine {report.engine_seconds:.2f} s)"
    return f"{report.step}: {report.outcome}, {report.error}" if report.error else line


def _finished(step: Step, made: Made) -> StepReport:
    record = made.record
    return StepReport(
        step=step.name,
        operation_type=step.operation.operation_type,
        outcome=made.outcome or "done",
        host=record.host if record else None,
        seconds=round(made.seconds, 3),
        engine_seconds=record.processing_time_seconds if record else None,
        output_url=made.url or None,
        output_path=made.path,
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

"""Running a plan: every step as soon as its inputs are there, and all that can be done."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed

from db.recording import record_failure
from faces.plan import Plan
from tasks.before_steps import fetch_all
from tasks.effects import failed_entry
from tasks.outcomes import PlanResult, plan_result
from tasks.retrying import may_pass, patient
from tasks.road import Road
from tasks.run_step import Made, Order, run_step

Future = PrefectFuture[Any]


def _unheard(share: float) -> None:
    """Tell nobody."""


def run_plan(
    road: Road, order: Order, plan: Plan, progress: Callable[[float], None] = _unheard
) -> PlanResult:
    """Run a plan's steps, each as soon as its inputs are there.

    Args:
        road: What the run works with.
        order: For whom.
        plan: What to do.
        progress: Told the share of finished steps, 0 to 1, whenever it changes.

    Returns:
        What became of each step. Steps that could not be done do not stop the others.

    Raises:
        FaceError: A picture of the plan cannot be fetched; no step has run.
    """
    fetched = fetch_all(road, order, plan)
    futures = _submit(road, order, plan, fetched)
    for count, future in enumerate(as_completed(list(futures.values())), start=1):
        future.wait()  # only this gives the future its final state
        progress(count / len(futures))
    states = {name: future.state for name, future in futures.items()}
    return plan_result(plan, fetched, states)


@task(cache_policy=NO_CACHE, task_run_name="record failures", retry_condition_fn=may_pass)
def record_failures(road: Road, order: Order, result: PlanResult) -> None:
    """Write one failed history entry for each failed step, whatever the number of its tries.

    Args:
        road: What the run works with.
        order: Whose history.
        result: What became of the plan.

    Raises:
        DatabaseError: It could not be written.
    """
    now = datetime.now(UTC)
    for step in result.plan.steps:
        error = result.errors.get(step.name)
        if error is not None:
            inputs = [result.made[name] for name in step.inputs]
            entry = failed_entry(road.run_id, step, inputs, str(error), now)
            record_failure(road.database, order.character_id, entry, now)


def _submit(road: Road, order: Order, plan: Plan, fetched: dict[str, Made]) -> dict[str, Future]:
    work = patient(run_step, road.environment)
    futures: dict[str, Future] = {}
    for step in plan.steps:
        inputs: list[Any] = [futures.get(name) or fetched[name] for name in step.inputs]
        futures[step.name] = work.submit(road, order, step, inputs)
    return futures

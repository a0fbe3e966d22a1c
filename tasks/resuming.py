"""A crashed run goes on: it is scheduled again, once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled

from storycanvas.services.flow_runs import STANDING

RESUMED = "storycanvas.resumed"
"""The label of a run that was scheduled again, with the time."""
MESSAGE = "The run crashed and goes on by itself, once; what is done is reused."


class RunNotFound(Exception):
    """Prefect's server has no run of an id."""

    retryable: ClassVar[bool] = False


@dataclass(frozen=True)
class ResumedRun:
    """What became of a crashed run.

    Attributes:
        run: Its name.
        resumed: Whether it was scheduled again.
        sentence: That in words, with the reason if it was not.
    """

    run: str
    resumed: bool
    sentence: str

    def summary(self) -> str:
        """The sentence."""
        return self.sentence


@task(cache_policy=NO_CACHE, task_run_name="resume")
def resume(run_id: UUID) -> ResumedRun:
    """Schedule a crashed run again, unless it was before or another run takes its place.

    Raises:
        RunNotFound: There is no such run.
    """
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(run_id)
        except ObjectNotFound:
            raise RunNotFound(
                f"There is no run {run_id}; take the id from the address of the run's page."
            ) from None
        reason = why_not(run)
        if reason:
            return ResumedRun(run.name, resumed=False, sentence=f"{run.name} is left: {reason}")
        # The label first: a kill in between leaves a run to a person, and never a loop.
        client.update_flow_run_labels(run_id, {RESUMED: datetime.now(UTC).isoformat()})
        again: State[Any] = Scheduled(message=MESSAGE)
        client.set_flow_run_state(run_id, again, force=True)
    return ResumedRun(run.name, resumed=True, sentence=f"{run.name} was scheduled again.")


def why_not(run: FlowRun) -> str:
    """Give the reason why a run is not scheduled again; empty if it is."""
    if run.state is None or not run.state.is_crashed():
        return f"it is {run.state_name}, not Crashed."
    if run.deployment_id is None:
        return "no deployment started it, so no worker can; start it where it was started."
    if STANDING in run.tags:
        return "its deployment stands, so the next run begins by itself."
    if RESUMED in run.labels:
        return f"it went on by itself at {run.labels[RESUMED]} and crashed again; see its log."
    return ""

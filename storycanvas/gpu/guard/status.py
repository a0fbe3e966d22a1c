"""What an operator sees of a guard, and how a slot that leaked is freed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.exceptions import ObjectNotFound

from storycanvas.faces.contract import HostStatus
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import Note, RunInfo, read_notes


class ResetRefused(Exception):
    """Something may still run on the host, or nobody can tell."""


@dataclass(frozen=True)
class GuardState:
    """A host's limit as Prefect's server has it, and what processes tell about it.

    Attributes:
        limit: The limit's name.
        slots: Operations that may run at one time; None if there is no such limit.
        taken: Slots that are held.
        active: Whether the limit guards.
        notes: What living processes tell.
    """

    limit: str
    slots: int | None
    taken: int
    active: bool
    notes: tuple[Note, ...]

    @property
    def holders(self) -> tuple[Note, ...]:
        """The processes that hold a slot."""
        return tuple(note for note in self.notes if note.holding is not None)


def read_state(limit_name: str) -> GuardState:
    """Read a guard's state.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    with GpuLimit(limit_name) as limit:
        notes = tuple(note for _, note in read_notes(limit.client, limit_name))
        try:
            found = limit.client.read_global_concurrency_limit_by_name(limit_name)
        except ObjectNotFound:
            return GuardState(limit_name, None, 0, active=False, notes=notes)
        return GuardState(limit_name, found.limit, found.active_slots, found.active, notes)


def check_reset(state: GuardState, status: HostStatus | None) -> None:
    """Refuse to free slots while something may run.

    Args:
        state: The guard's.
        status: What the host says; None if it does not answer.

    Raises:
        ResetRefused: A process holds a slot, the host is busy, or it does not answer.
    """
    if state.slots is None:
        raise ResetRefused(f"There is no limit '{state.limit}'; nothing is held.")
    if state.holders:
        run = state.holders[0].holding
        name = run.run if run else "a run"
        raise ResetRefused(f"'{state.limit}' is held by {name}, which lives; let it end first.")
    if status is None:
        raise ResetRefused(
            f"The host of '{state.limit}' does not answer, so nobody can tell whether it works; "
            "its slot comes free by itself within a minute of its holder's death."
        )
    if status.busy or status.queued:
        raise ResetRefused(
            f"The host of '{state.limit}' runs {status.busy} and queues {status.queued} "
            "operations; wait until it has ended them."
        )


def free_slots(limit_name: str) -> None:
    """Set a limit's taken slots to none; check that nothing runs before.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    with GpuLimit(limit_name) as limit:
        none_taken = GlobalConcurrencyLimitUpdate(active_slots=0)
        limit.client.update_global_concurrency_limit(limit_name, none_taken)


def state_lines(state: GuardState, status: HostStatus | None, ui_url: str | None) -> Sequence[str]:
    """Describe a guard for the operator, a line for the limit, each holder and each waiting run.

    Args:
        state: The guard's.
        status: What the host says; None if it does not answer.
        ui_url: Where Prefect's UI is, for links; None leaves them out.
    """
    lines = [f"{state.limit}: {_slots(state)}, {_host(status)}"]
    for note in state.notes:
        place = f"process {note.process} on {note.machine}"
        if note.holding is not None:
            lines.append(f"  held by {_run(note.holding, ui_url)}, {place}")
        lines += [
            f"  waiting: {_steps(run)} of {_run(run, ui_url)}, {place}" for run in note.waiting
        ]
    return lines


def _slots(state: GuardState) -> str:
    if state.slots is None:
        return "NO LIMIT, so nothing is sent; create it with: python -m deployments.limits"
    guarding = "" if state.active else ", SWITCHED OFF, so nothing is sent"
    unexplained = state.taken - len(state.holders)
    leaked = f", {unexplained} held by nobody who lives" if unexplained > 0 else ""
    return f"{state.taken} of {state.slots} slots taken{leaked}{guarding}"


def _host(status: HostStatus | None) -> str:
    if status is None:
        return "host does not answer"
    return f"host {status.status}, {status.busy} running, {status.queued} queued"


def _steps(run: RunInfo) -> str:
    return "1 step" if run.steps == 1 else f"{run.steps} steps"


def _run(run: RunInfo, ui_url: str | None) -> str:
    since = datetime.fromtimestamp(run.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    link = f" {ui_url.rstrip('/')}/runs/flow-run/{run.run_id}" if ui_url and run.run_id else ""
    return f"{run.run}{link} (priority {run.priority}) since {since}"

"""What an operator sees of a guard, and how a leaked slot is freed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.exceptions import ObjectNotFound

from storycanvas.faces.contract import HostStatus
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import Note, RunInfo, read_notes
from storycanvas.net.wording import counted


class ResetRefused(Exception):
    """Something runs on the host, or may run there."""


@dataclass(frozen=True)
class GuardState:
    """A host's limit as Prefect's server has it, with the notes of living processes.

    Attributes:
        limit: The limit's name.
        slots: Operations that may run at one time; None if there is no such limit.
        taken: Slots that the server counts as held.
        active: Whether the limit guards.
        notes: The notes of living processes.
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

    @property
    def leaked(self) -> int:
        """Slots that are counted without a lease that a living process renews."""
        return max(0, self.taken - len(self.holders))


def read_state(limit_name: str) -> GuardState:
    """Read a guard's state."""
    with GpuLimit(limit_name) as limit:
        notes = tuple(read_notes(limit.client, limit_name))
        try:
            found = limit.client.read_global_concurrency_limit_by_name(limit_name)
        except ObjectNotFound:
            return GuardState(limit_name, None, 0, active=False, notes=notes)
        return GuardState(limit_name, found.limit, found.active_slots, found.active, notes)


def check_reset(state: GuardState, status: HostStatus | None) -> None:
    """Refuse to free slots while something may run.

    Raises:
        ResetRefused: A process holds a slot, the host is busy, or its status is None: no answer.
    """
    if state.slots is None:
        raise ResetRefused(f"There is no limit '{state.limit}'; nothing is held.")
    if state.holders:
        run = state.holders[0].holding
        name = run.run if run else "a run"
        raise ResetRefused(f"'{state.limit}' is held by {name}, which is alive; let it end first.")
    if status is None:
        raise ResetRefused(
            f"The host of '{state.limit}' does not answer, so it may be at work; its "
            "slot comes free by itself within a minute of its holder's death."
        )
    if status.busy or status.queued:
        raise ResetRefused(
            f"The host of '{state.limit}' runs {status.busy} and queues {status.queued} "
            "operations; wait until it has ended them."
        )


def free_slots(limit_name: str) -> None:
    """Set a limit's counted slots to none; call `check_reset` before."""
    with GpuLimit(limit_name) as limit:
        none_taken = GlobalConcurrencyLimitUpdate(active_slots=0)
        limit.client.update_global_concurrency_limit(limit_name, none_taken)


def state_lines(state: GuardState, status: HostStatus | None, ui_url: str | None) -> Sequence[str]:
    """Describe a guard for the operator, a line for the limit, each holder and each waiting run.

    Args:
        state: The guard's.
        status: The host's status; None if it does not answer.
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
        return "NO LIMIT, so nothing is sent; create it with: storycanvas register --limits-only"
    guarding = "" if state.active else ", SWITCHED OFF, so nothing is sent"
    leaked = f", {state.leaked} counted without a living holder" if state.leaked else ""
    return f"{state.taken} of {state.slots} slots taken{leaked}{guarding}"


def _host(status: HostStatus | None) -> str:
    if status is None:
        return "host does not answer"
    return f"host {status.status}, {status.busy} running, {status.queued} queued"


def _steps(run: RunInfo) -> str:
    return counted(run.steps, "step")


def _run(run: RunInfo, ui_url: str | None) -> str:
    since = datetime.fromtimestamp(run.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    link = f" {ui_url.rstrip('/')}/runs/flow-run/{run.run_id}" if ui_url and run.run_id else ""
    return f"{run.run}{link} (priority {run.priority}) since {since}"

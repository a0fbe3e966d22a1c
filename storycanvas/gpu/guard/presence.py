"""What processes tell each other about a GPU host: who holds its slots and who waits, since when.

Prefect keeps no readable list of lease holders and none of waiters, so each process that holds or
waits leaves a note in a Prefect variable of its own, and writes it anew every two seconds. A note
that is not is one of a process that is gone. Times are the server's, as it writes them with each
variable, so the clocks of machines need not agree.
"""

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.gpu.guard.fairness import Claim

BEAT_SECONDS = 2.0
STALE_SECONDS = 8.0
FORGET_SECONDS = 300.0
_PREFIX = "gpu_note_"
_MAX_SHOWN = 20
_NOBODY = (
    "nobody says that they hold it; a slot that leaked is freed by: "
    "python -m deployments.guard reset HOST"
)


class RunInfo(BaseModel):
    """A run that holds a slot or waits for one.

    Attributes:
        run: Its name.
        run_id: The flow run's id; empty outside of runs.
        priority: Larger goes first.
        since: When it got the slot or began to wait, seconds since 1970 by its machine's clock.
        steps: How many of its steps.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    run_id: str = ""
    priority: int = 0
    since: float
    steps: int = 1


class Note(BaseModel):
    """What one process tells about one limit.

    Attributes:
        limit: The limit's name.
        machine: Where the process runs.
        process: Its number there.
        lane: Which of its slots; a process may have several.
        circle: Those among whom it hands slots on without the server
            (`storycanvas.gpu.guard.handover`).
        claim: What it waits with; None if it does not wait.
        holding: The run whose operation is on the slot.
        waiting: The runs that wait, first come first.
    """

    model_config = ConfigDict(frozen=True)

    limit: str
    machine: str
    process: int
    lane: int
    peer_group_id: str = ""
    claim: Claim | None = None
    holding: RunInfo | None = None
    waiting: tuple[RunInfo, ...] = ()


class PresenceWriter:
    """One lane's note; used by one thread.

    Args:
        client: A connection to Prefect's API.
        limit_name: The host's limit.
        lane: Which of the process's slots.
        peer_group_id: Those among whom the process hands slots on.
    """

    def __init__(
        self, client: SyncPrefectClient, limit_name: str, lane: int, peer_group_id: str = ""
    ) -> None:
        self._client = client
        self._blank = Note(
            limit=limit_name,
            machine=socket.gethostname(),
            process=os.getpid(),
            lane=lane,
            peer_group_id=peer_group_id,
        )
        place = f"{self._blank.machine}_{self._blank.process}_{lane}"
        self._name = _variable_prefix(limit_name) + re.sub(r"[^a-z0-9]+", "_", place.lower())
        self._written: float | None = None
        self._last: Note | None = None

    def is_news(self, holding: RunInfo | None, claim: Claim | None) -> bool:
        """Tell whether others act upon it at once; the rest may wait for the next beat."""
        last = self._last
        if last is None:
            return True
        return _priority(claim) != _priority(last.claim) or bool(holding) != bool(last.holding)

    def write(
        self, holding: RunInfo | None, waiting: Sequence[RunInfo], claim: Claim | None
    ) -> None:
        """Tell what this lane holds and waits for, if that is news or the last beat is over.

        Raises:
            httpx.HTTPError: Prefect's server does not answer.
        """
        age = time.monotonic() - (self._written or 0.0)
        if age < BEAT_SECONDS and not self.is_news(holding, claim):
            return
        shown = tuple(by_run(waiting)[:_MAX_SHOWN])
        note = self._blank.model_copy(update={"holding": holding, "waiting": shown, "claim": claim})
        self._save(note.model_dump(mode="json"))
        self._last, self._written = note, time.monotonic()

    def remove(self) -> None:
        """Take the note away."""
        if self._last is None:
            return
        self._last = None
        with contextlib.suppress(ObjectNotFound, httpx.HTTPError):
            self._client.delete_variable_by_name(self._name)

    def _save(self, value: dict[str, Any]) -> None:
        try:
            self._client.update_variable(VariableUpdate(name=self._name, value=value))
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            self._client.create_variable(VariableCreate(name=self._name, value=value))


def read_notes(client: SyncPrefectClient, limit_name: str) -> list[tuple[str, Note]]:
    """Read what living processes tell about a limit; old notes are removed.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    response = client.request(
        "POST",
        "/variables/filter",
        json={"variables": {"name": {"like_": _variable_prefix(limit_name)}}, "limit": 200},
    )
    response.raise_for_status()
    now = _server_time(response)
    found = []
    for variable in response.json():
        age = now - datetime.fromisoformat(variable["updated"]).timestamp()
        if age > FORGET_SECONDS:
            with contextlib.suppress(ObjectNotFound):
                client.delete_variable_by_name(variable["name"])
        with contextlib.suppress(ValidationError):
            note = Note.model_validate(variable["value"])
            if note.limit == limit_name and age <= STALE_SECONDS:
                found.append((variable["name"], note))
    return found


def by_run(waiting: Iterable[RunInfo]) -> list[RunInfo]:
    """Take the waiting steps of each run and priority together, with the longest wait of them."""
    runs: dict[object, RunInfo] = {}
    for step in waiting:
        first = runs.setdefault((step.run, step.run_id, step.priority), step)
        if first is not step:
            both = {"since": min(first.since, step.since), "steps": first.steps + step.steps}
            runs[step.run, step.run_id, step.priority] = first.model_copy(update=both)
    return list(runs.values())


def claims_beyond(peer_group_id: str, notes: Iterable[Note]) -> list[Claim]:
    """Choose what processes outside of a circle wait with.

    Args:
        peer_group_id: Those who tell each other without the server, and faster.
        notes: What all tell.
    """
    return [
        note.claim
        for note in notes
        if note.claim is not None and note.peer_group_id != peer_group_id
    ]


def described(notes: Sequence[Note]) -> str:
    """Say in half a sentence who holds the slots."""
    held = [note for note in notes if note.holding is not None]
    return "; ".join(map(_holder, held)) or _NOBODY


def _holder(note: Note) -> str:
    run = note.holding
    if run is None:
        return ""
    since = datetime.fromtimestamp(run.since, UTC).isoformat(timespec="seconds")
    return f"held by {run.run} (process {note.process} on {note.machine}) since {since}"


def _priority(claim: Claim | None) -> int | None:
    return claim.priority if claim is not None else None


def _server_time(response: httpx.Response) -> float:
    """Take the server's clock from its answer."""
    date = response.headers.get("Date")
    if not date:
        return time.time()
    return datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()


def _variable_prefix(limit_name: str) -> str:
    return _PREFIX + re.sub(r"[^a-z0-9]+", "_", limit_name.lower()) + "__"

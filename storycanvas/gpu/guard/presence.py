"""Presence notes: which process holds a slot of a GPU host, which waits, and since when.

Prefect keeps no readable list of lease holders and none of waiters, so each process that holds or
waits writes a note into a Prefect variable of its own and renews it every two seconds. A note that
is not renewed belongs to a dead process. The age of a note comes from the server's clock alone, so
the clocks of machines need not agree.
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
from storycanvas.gpu.guard.settings import DEFAULTS, GuardSettings

_PREFIX = "gpu_note_"
_TAGS = ["who holds or waits for a GPU slot"]
_MAX_SHOWN = 20
_NO_HOLDER = "no living process holds it; a leaked slot is freed by: storycanvas guard reset HOST"


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
    """What one process publishes about one limit.

    Attributes:
        limit: The limit's name.
        machine: Where the process runs.
        process: Its number there.
        lane: Which of its slots; a process may have several.
        peer_group_id: The processes among which it hands slots over without the server
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
    """One lane's note; used by one thread."""

    def __init__(
        self,
        client: SyncPrefectClient,
        limit_name: str,
        lane: int,
        peer_group_id: str,
        settings: GuardSettings,
    ) -> None:
        self._client = client
        self._settings = settings
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
        """Check whether other processes act upon it at once; the rest waits for a renewal."""
        last = self._last
        if last is None:
            return True
        return _priority(claim) != _priority(last.claim) or bool(holding) != bool(last.holding)

    def write(
        self, holding: RunInfo | None, waiting: Sequence[RunInfo], claim: Claim | None
    ) -> None:
        """Publish what this lane holds and waits for, if that is news or the note is due."""
        age = time.monotonic() - (self._written or 0.0)
        if age < self._settings.note and not self.is_news(holding, claim):
            return
        shown = tuple(by_run(waiting)[:_MAX_SHOWN])
        note = self._blank.model_copy(update={"holding": holding, "waiting": shown, "claim": claim})
        self._save(note.model_dump(mode="json"))
        self._last, self._written = note, time.monotonic()

    def remove(self) -> None:
        """Delete the note."""
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
            self._client.create_variable(VariableCreate(name=self._name, value=value, tags=_TAGS))


def read_notes(
    client: SyncPrefectClient, limit_name: str, settings: GuardSettings = DEFAULTS
) -> list[Note]:
    """Read the notes of living processes about a limit; notes of dead ones are deleted."""
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
        if age > settings.note_forgotten:
            with contextlib.suppress(ObjectNotFound):
                client.delete_variable_by_name(variable["name"])
        with contextlib.suppress(ValidationError):
            note = Note.model_validate(variable["value"])
            if note.limit == limit_name and age <= settings.note_stale:
                found.append(note)
    return found


def by_run(waiting: Iterable[RunInfo]) -> list[RunInfo]:
    """Group waiting steps by run and priority, each group with its longest wait."""
    runs: dict[object, RunInfo] = {}
    for step in waiting:
        first = runs.setdefault((step.run, step.run_id, step.priority), step)
        if first is not step:
            both = {"since": min(first.since, step.since), "steps": first.steps + step.steps}
            runs[step.run, step.run_id, step.priority] = first.model_copy(update=both)
    return list(runs.values())


def claims_beyond(peer_group_id: str, notes: Iterable[Note]) -> list[Claim]:
    """Choose the claims of processes outside of a peer group, whose members share claims faster."""
    return [
        note.claim
        for note in notes
        if note.claim is not None and note.peer_group_id != peer_group_id
    ]


def described(notes: Sequence[Note]) -> str:
    """Describe in half a sentence who holds the slots."""
    held = [note for note in notes if note.holding is not None]
    return "; ".join(map(_holder, held)) or _NO_HOLDER


def _holder(note: Note) -> str:
    run = note.holding
    if run is None:
        return ""
    since = datetime.fromtimestamp(run.since, UTC).isoformat(timespec="seconds")
    return f"held by {run.run} (process {note.process} on {note.machine}) since {since}"


def _priority(claim: Claim | None) -> int | None:
    return claim.priority if claim is not None else None


def _server_time(response: httpx.Response) -> float:
    """Read the server's clock from its response."""
    date = response.headers.get("Date")
    if not date:
        return time.time()
    return datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()


def _variable_prefix(limit_name: str) -> str:
    return _PREFIX + re.sub(r"[^a-z0-9]+", "_", limit_name.lower()) + "__"

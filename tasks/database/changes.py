"""One Prefect event for each change of what maintenance finds in a database.

What was told last stands in an artifact of its own, so that the same finding is told once and told
again when it comes back; `check-hosts` keeps what it has shown in the same way.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid5

import httpx
from prefect.events import Event, Resource
from pymongo.database import Database

from db.connection import Document
from storycanvas.gpu.prefect_client import run_log
from tasks.artifacts import ReportArtifact, latest_artifact
from tasks.database.connection import place_of
from tasks.events import current_run, emit_once
from tasks.faces.reporting.report import artifact_key

_CHANGES = UUID("0d6b8f0e-3f0e-4a55-9a3c-6f0b2d1c7e94")
"""The UUID namespace of all changes."""
NOTHING = "nothing"
"""The worst of a database in which nothing is wrong."""
WORST = "storycanvas.database.worst"
"""The label that has the worst of what was found; automations read it."""
_COLUMN = "told"


@dataclass(frozen=True)
class DatabaseState:
    """What a run of maintenance found in a database.

    Attributes:
        kind: Last part of the event's name, such as `drift`.
        found: What is to be told, a text each; the same texts are the same state.
        left: Those of them that the run has not mended.
        counts: Numbers by what is counted.
        sentence: What an event says.
        worst: The worst of what was found, in a word by which an automation can choose.
        question: What else was asked for; another question has answers of its own.
        unsure: How texts begin that may hold although this run has not found them.
    """

    kind: str
    found: frozenset[str]
    left: frozenset[str]
    counts: Mapping[str, int]
    sentence: str
    worst: str = NOTHING
    question: str = ""
    unsure: tuple[str, ...] = ()

    def after(self, before: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Tell what holds before and after the run, with what was told and may still hold."""
        kept = {text for text in before if text.startswith(self.unsure)} if self.unsure else set()
        return self.found | kept, self.left | kept


def tell_change(database: Database[Document], state: DatabaseState) -> None:
    """Emit an event for a state that differs from the one that was told last, and note it.

    The event's id is derived from both, so runs that overlap, and one that follows a killed one,
    emit the same event. What Prefect's server does not take now, the next run tells.
    """
    try:
        _tell_change(database, state)
    except httpx.HTTPError as error:
        message = "The event storycanvas.database.%s is left to the next run: %s"
        run_log(__name__).warning(message, state.kind, type(error).__name__)


def _tell_change(database: Database[Document], state: DatabaseState) -> None:
    where = f"{artifact_key(database.name)}-{sha256(place_of(database).encode()).hexdigest()[:8]}"
    key = artifact_key("database", state.kind, state.question, where)
    before, told_by = _told_last(key)
    found, left = state.after(before)
    if found != before:
        emit_once(_event(state, database.name, where, [told_by, key, *sorted(found)]))
    if found != before or left != before:
        rows = [{_COLUMN: text} for text in sorted(left)]
        ReportArtifact(key, rows).publish(state.sentence)


def _told_last(key: str) -> tuple[frozenset[str], str]:
    """Read what was told last, and the id of the artifact that holds it."""
    artifact = latest_artifact(key)
    if artifact is None:
        return frozenset(), NOTHING
    try:
        rows = json.loads(str(artifact.data))
        told = frozenset(str(row[_COLUMN]) for row in rows)
    except (ValueError, TypeError, KeyError):
        told = frozenset()  # another program's artifact with this key
    return told, str(artifact.latest_id)


def _event(state: DatabaseState, name: str, where: str, change: Iterable[str]) -> Event:
    labels = {"prefect.resource.name": name, WORST: state.worst}
    return Event(
        id=uuid5(_CHANGES, "\n".join(change)),
        occurred=datetime.now(UTC),
        event=f"storycanvas.database.{state.kind}",
        resource=Resource({"prefect.resource.id": f"storycanvas.database.{where}", **labels}),
        related=current_run(),
        payload={"database": name, "counts": dict(state.counts), "sentence": state.sentence},
    )

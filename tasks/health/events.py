"""One Prefect event for each host that goes down or comes up, even if several runs find it."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from prefect.events import Event, Resource

from storycanvas.catalog.health.report import HostChange
from tasks.events import current_run, emit_once
from tasks.faces.reporting.report import artifact_key


def host_resource(kind: str, name: str) -> str:
    """Name a host, of a kind such as `face host`, as a resource of Prefect's events.

    Returns:
        `storycanvas.host.{kind}.{name}` in lower-case ASCII letters, digits and dashes; a name with
        other letters gets a few digits of its hash, because those letters are lost.
    """
    suffix = artifact_key(name)
    if not name.isascii():
        suffix = f"{suffix}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}".strip("-")
    return f"storycanvas.host.{artifact_key(kind)}.{suffix}"


LAST = "storycanvas.host.last"
"""The label that tells whether no other host of its kind is up; automations read it."""
_CHANGES = UUID("5b0f1d5e-7a0c-4c38-9d5b-2f0f7f8a6c11")
"""The UUID namespace of all changes."""


def emit_change_event(change: HostChange, *, is_last: bool) -> None:
    """Emit a Prefect event for a host that went down or came up, unless that was done.

    The event's id is derived from the change, so runs that overlap, and one that follows a killed
    one, emit the same event.

    Args:
        change: What happened to the host.
        is_last: Whether no other host of its kind is up.

    Raises:
        httpx.HTTPError: Prefect's server does not accept it.
    """
    emit_once(_event(change, is_last=is_last))


def _event(change: HostChange, *, is_last: bool) -> Event:
    check = change.check
    word = "up" if check.is_up else "down"
    payload: dict[str, Any] = {
        **check.model_dump(mode="json"),
        "is_up": check.is_up,
        "before": change.before,
        "sentence": change.sentence,
    }
    labels = {"prefect.resource.name": check.name, LAST: str(is_last).lower()}
    return Event(
        id=uuid5(_CHANGES, "\n".join([change.check_id, *check.key, word])),
        occurred=datetime.now(UTC),
        event=f"storycanvas.host.{word}",
        resource=Resource({"prefect.resource.id": host_resource(check.kind, check.name), **labels}),
        related=current_run(),
        payload=payload,
    )

"""What a finished step adds to its character: a history entry, and a gallery entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from db.schema.documents.characters import HistoryEntry
from db.schema.documents.faces import (
    Effect,
    GalleryEffect,
    HistoryEffect,
    OperationRecord,
    effect_id,
)
from storycanvas.faces.operations import SwapOperation
from storycanvas.faces.plan import Gallery, Step


class Input(Protocol):
    """A picture that a step took."""

    @property
    def url(self) -> str:
        """What the app can show."""


def pending_effects(
    record: OperationRecord,
    step: Step,
    inputs: Sequence[Input],
    character_id: str,
    flow: str | None = None,
) -> list[Effect]:
    """Derive the effects of a step for a character, the same in every try; `flow` is noted.

    `detect` changes no picture and has none; other steps have a history entry and, where the step
    is shown, a gallery entry.
    """
    if record.output is None:
        return []
    meaning = (record.operation_key, record.repeat, character_id)
    entry_id = effect_id(*meaning, "history")
    entry = HistoryEntry(
        id=entry_id,
        operation_type=record.operation_type,
        input_image_url=inputs[0].url,
        output_image_url=record.output.url,
        parameters=history_parameters(step, inputs),
        processing_time_seconds=record.processing_time_seconds,
        created_at=record.created_at,
    )
    effects: list[Effect] = [
        HistoryEffect(id=entry_id, character_id=character_id, flow=flow, entry=entry)
    ]
    if step.gallery is not None:
        effects.append(_gallery_effect(record, step.gallery, step, character_id))
    return effects


def failed_entry(
    origin: str, step: Step, inputs: Sequence[Input], error: str, now: datetime
) -> HistoryEntry:
    """Make the history entry of a step that failed for an origin, the same in every try."""
    return HistoryEntry(
        id=effect_id(origin, step.name, "failed"),
        operation_type=step.operation.operation_type,
        input_image_url=inputs[0].url,
        parameters=history_parameters(step, inputs),
        success=False,
        error_message=error,
        created_at=now,
    )


def history_parameters(step: Step, inputs: Sequence[Input]) -> dict[str, Any]:
    """Name the parameters as StoryCanvas stores them; a swap also names its pictures."""
    parameters = step.operation.model_dump(mode="json", exclude_none=True)
    del parameters["operation_type"]
    if isinstance(step.operation, SwapOperation):
        source, target = inputs
        parameters |= {"source_face_url": source.url, "target_image_url": target.url}
    return parameters


def _gallery_effect(
    record: OperationRecord, gallery: Gallery, step: Step, character_id: str
) -> GalleryEffect:
    url = record.output.url if record.output else ""
    return GalleryEffect(
        id=effect_id(record.operation_key, record.repeat, character_id, gallery, str(step.age)),
        character_id=character_id,
        gallery=gallery,
        age=step.age,
        url=url,
    )

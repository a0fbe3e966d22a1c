"""Finding the face in each input before work is planned: whether, how large, how old."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from db.ledger import record_operation
from db.schema.documents.faces import OperationRecord
from storycanvas.faces.pictures.contact_sheet import Box
from storycanvas.faces.pictures.sizes import size_remarks
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.steps import inspection
from tasks.faces.context import RunContext
from tasks.faces.plan import PlanResult, end_interrupted, run_plan
from tasks.faces.step import RunRequest
from tasks.retries import retrying_task


@dataclass(frozen=True)
class Inspection:
    """What was found in the pictures.

    Attributes:
        estimated_ages: The engine's estimate in years, by picture; None where it gives none.
        faces: Left, top, width and height in pixels of the face that counts, by picture.
        warnings: Sentences for the report.
        notes: Sentences that matter less.
    """

    estimated_ages: dict[str, float | None]
    faces: dict[str, Box]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def inspect(
    context: RunContext,
    request: RunRequest,
    pictures: dict[str, str],
    preferences: Preferences,
    *,
    source: str,
) -> Inspection:
    """Find the face in each picture; `pictures` maps the names that messages use to references.

    `source` names the picture whose face the work starts from: a small face there is worth a
    warning.

    Raises:
        NoFace: A picture shows none; nothing has been recorded.
    """
    unrecorded = replace(request, record=False)
    result = run_plan(context, unrecorded, inspection(pictures, preferences))
    end_interrupted(result)
    for error in result.errors.values():
        raise error
    records = {name: result.outputs[f"detect {name}"].record for name in pictures}
    keep_records(context, list(records.values()))
    found = _inspection(records)
    return _with_sizes(found, result, source)


@retrying_task("record detections")
def keep_records(context: RunContext, records: Sequence[OperationRecord | None]) -> None:
    """Record the detections, now that no picture is refused."""
    for record in records:
        if record is not None:
            record_operation(context.database, record, datetime.now(UTC))


def _inspection(records: dict[str, OperationRecord | None]) -> Inspection:
    ages: dict[str, float | None] = {}
    boxes: dict[str, Box] = {}
    warnings: list[str] = []
    for name, record in records.items():
        faces = (record.faces if record else None) or []
        ages[name] = record.estimated_age if record else None
        warnings += _several_faces(name, faces)
        if faces:
            boxes[name] = _box(faces[0])
    return Inspection(ages, boxes, tuple(warnings))


def _with_sizes(found: Inspection, result: PlanResult, source: str) -> Inspection:
    """Add what is worth a remark about the sizes of the pictures, and of the face in `source`.

    A small face in a picture that receives one is no loss: the new face is scaled down to it.
    """
    warnings, notes = list(found.warnings), list(found.notes)
    for name, output in result.outputs.items():
        if output.picture is not None:
            box = found.faces.get(name) if name == source else None
            size = output.picture.width, output.picture.height
            remarks = size_remarks(name, size, box[2:] if box else None)
            warnings += remarks.warnings
            notes += remarks.notes
    return replace(found, warnings=tuple(warnings), notes=tuple(notes))


def _box(face: dict[str, Any]) -> Box:
    return face["x"], face["y"], face["width"], face["height"]


def _several_faces(name: str, faces: Sequence[object]) -> list[str]:
    if len(faces) < 2:  # noqa: PLR2004 - more than one face
        return []
    return [
        f"The {name} picture shows {len(faces)} faces; the selector order decides which counts."
    ]

"""Finding the face in each input before work is planned: whether, how large, how old."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from db.ledger import OperationLedger, record_operation
from db.schema.documents.faces import OperationRecord
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import NotDoneYet
from storycanvas.faces.pictures.sizes import size_remarks
from storycanvas.faces.plan import Plan
from storycanvas.faces.poses import pose_remarks
from storycanvas.faces.recipes.pipeline import SeenPicture
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.sheets.contact_sheet import Box
from storycanvas.faces.sources.earlier_results import MADE_BY, earlier_result_notes
from tasks.faces.context import RunContext
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.plan import PlanResult, end_interrupted
from tasks.faces.step import RunRequest
from tasks.retries import retrying_task


@dataclass(frozen=True)
class Inspection:
    """What was found in the pictures.

    Attributes:
        estimated_ages: The engine's estimate in years, by picture; None where it gives none.
        faces: Left, top, width and height in pixels of the face that counts, by picture.
        seen: Size and all faces of each picture.
        warnings: Sentences for the report.
        about: Which picture a warning is about, by its sentence.
        notes: Sentences that matter less.
        looks: In a dry run, the steps that look at the pictures where they are not done yet; then
            nothing else is known.
    """

    estimated_ages: dict[str, float | None] = field(default_factory=dict)
    faces: dict[str, Box] = field(default_factory=dict)
    seen: dict[str, SeenPicture] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    looks: tuple[StepReport, ...] = ()

    def estimated_age_of(self, plan: Plan) -> float | None:
        """Return the estimate for a plan's first picture, from which its ages are planned."""
        return self.estimated_ages.get(plan.pictures[0].name)


def inspect_all(
    context: RunContext, looks: Sequence[tuple[RunRequest, Plan]], *, source: str | None
) -> list[Inspection | Exception]:
    """Find the face in each picture of plans of `detect` steps.

    Args:
        context: The run's context.
        looks: Plans whose pictures are not required, each with its request.
        source: The picture whose face the work starts from: a small face there is worth a warning.
            None where nothing is known yet of which faces count, so nothing is said of them.

    Returns:
        What was found, or the error of a picture that cannot be had or shows no face; nothing has
        been recorded then.
    """
    unrecorded = [(replace(request, record=False), plan) for request, plan in looks]
    results = run_or_look_up(context, unrecorded)
    end_interrupted(*results)
    return [_inspected(context, result, source) for result in results]


def _inspected(
    context: RunContext, result: PlanResult, source: str | None
) -> Inspection | Exception:
    for error in (*result.missing.values(), *result.errors.values()):
        if isinstance(error, NotDoneYet):
            return Inspection(looks=result.steps)
        if not isinstance(error, Exception):
            raise error
        return error
    records = {step.inputs[-1]: result.outputs[step.name].record for step in result.plan.steps}
    if not context.dry_run:
        keep_records(context, list(records.values()))
    found = _with_picture_notes(_inspection(records), result, source)
    if source is None:
        found = replace(found, seen=_seen(records, result))
    else:
        several = {text: name for name in records for text in _several_faces(name, records[name])}
        found = replace(found, warnings=(*several, *found.warnings), about=several | found.about)
        found = with_pose_remarks(found, records, source)
    fetched = [output for output in result.outputs.values() if output.picture is not None]
    earlier = find_earlier_results(context, {output.name: output.sha256 for output in fetched})
    return replace(found, notes=(*found.notes, *earlier))


@retrying_task("look for earlier results")
def find_earlier_results(context: RunContext, pictures: dict[str, str]) -> tuple[str, ...]:
    """Name the pictures that an earlier operation has made, by their pixel hashes."""
    ledger = OperationLedger(context.database)
    return earlier_result_notes(pictures, ledger.made_by(pictures.values(), MADE_BY))


@retrying_task("record detections")
def keep_records(context: RunContext, records: Sequence[OperationRecord | None]) -> None:
    """Record the detections, now that no picture is refused."""
    for record in records:
        if record is not None:
            record_operation(context.database, record, datetime.now(UTC))


def _inspection(records: dict[str, OperationRecord | None]) -> Inspection:
    ages: dict[str, float | None] = {}
    boxes: dict[str, Box] = {}
    for name, record in records.items():
        ages[name] = record.estimated_age if record else None
        face = _face_that_counts(record)
        if face is not None:
            boxes[name] = _box(face)
    return Inspection(ages, boxes)


def _faces(record: OperationRecord | None) -> list[dict[str, Any]]:
    return (record.faces if record else None) or []


def _seen(records: dict[str, OperationRecord | None], result: PlanResult) -> dict[str, SeenPicture]:
    pictures = {name: output.picture for name, output in result.outputs.items()}
    return {
        name: SeenPicture(
            (picture.width, picture.height),
            tuple(DetectedFace(**face) for face in _faces(records[name])),
        )
        for name in records
        if (picture := pictures.get(name)) is not None
    }


def _face_that_counts(record: OperationRecord | None) -> dict[str, Any] | None:
    faces = (record and (record.selected_faces or record.faces)) or []
    return faces[0] if faces else None


def with_pose_remarks(
    found: Inspection, records: dict[str, OperationRecord | None], source: str
) -> Inspection:
    """Add remarks on angles and scores of the faces that count, by the detections of pictures."""
    faces = {name: _face_that_counts(record) for name, record in records.items()}
    known = {name: DetectedFace(**face) for name, face in faces.items() if face is not None}
    remarks = pose_remarks(source, known)
    return replace(
        found,
        warnings=(*found.warnings, *remarks.warnings),
        about=found.about | dict.fromkeys(remarks.warnings, source),
        notes=(*found.notes, *remarks.notes),
    )


def _with_picture_notes(found: Inspection, result: PlanResult, source: str | None) -> Inspection:
    """Add what is worth a remark about files and sizes of pictures, and the face in `source`.

    A small face in a picture that receives one is no loss: the new face is scaled down to it.
    """
    about: dict[str, str] = {}
    notes = list(found.notes)
    for name, output in result.outputs.items():
        if output.picture is not None:
            box = found.faces.get(name) if name == source else None
            size = output.picture.width, output.picture.height
            remarks = size_remarks(name, size, box[2:] if box else None)
            about |= dict.fromkeys(remarks.warnings, name)
            notes += (*output.picture.notes, *remarks.notes)
    warnings = (*found.warnings, *about)
    return replace(found, warnings=warnings, about=found.about | about, notes=tuple(notes))


def _box(face: dict[str, Any]) -> Box:
    return face["x"], face["y"], face["width"], face["height"]


def _several_faces(name: str, record: OperationRecord | None) -> list[str]:
    faces = _faces(record)
    if len(faces) < 2:  # noqa: PLR2004 - more than one face
        return []
    return [
        f"The {name} picture shows {len(faces)} faces; the selector order decides which counts."
    ]

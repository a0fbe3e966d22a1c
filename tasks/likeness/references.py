"""Measuring a character's reference images, ranking them, and writing their order."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from pymongo.database import Database

from db.applied_pictures import order_reference_images
from db.characters import CharacterRepository
from db.connection import Document
from db.errors import CharacterWithoutPicture
from storycanvas.faces.errors import FaceError, MeasuringFailed
from storycanvas.faces.likeness.face_cuts import FaceCut
from storycanvas.faces.likeness.ranking import (
    RankedReference,
    ReferenceFacts,
    in_order,
    ranked,
)
from storycanvas.faces.likeness.reading import pairwise_distances, read_largest_face
from storycanvas.faces.measures.baseline import character_baseline
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import shown
from tasks.artifacts import ReportArtifact, subject_key
from tasks.faces.reporting.report import artifact_key
from tasks.likeness.meters import GalleryMeters
from tasks.retries import database_task

NAME = "rank-references"
MAX_REFERENCES = 30
"""Compared with each other: 435 pairs."""


class ReferencesReport(BaseModel):
    """Which reference image of a character is the best source of its face.

    Attributes:
        references: The best first; all of them.
        same_below: A face nearer than this to a reference shows the character; None where fewer
            than three references are alike, or likeness was not measured.
        not_measured: What was not measured and why, in sentences.
        done: What was written; empty unless `apply`.
        undo: A line for mongosh that takes back what was written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    apply: bool
    references: tuple[RankedReference, ...]
    same_below: float | None = None
    not_measured: tuple[str, ...] = ()
    done: str = ""
    undo: str = ""

    def summary(self) -> str:
        """Say which reference is the best, and what was written."""
        best = self.references[0]
        if not best.score:
            return f"None of the reference images of {self.character_id!r} shows a face."
        best_of_all = (
            f"The best of {len(self.references)} reference images of {self.character_id!r} is "
            f"number {best.was}, {shown(best.reference)}: {', '.join(best.reasons)}."
        )
        sentences = [best_of_all]
        if self.done:
            sentences.append(self.done)
        elif self.is_in_order:
            sentences.append("They are in the best order already.")
        else:
            sentences.append(
                f"Proposed order: {', '.join(str(each.was) for each in self.references)}. Nothing "
                "was changed; start the flow again with apply on to write it."
            )
        return " ".join(sentences)

    @property
    def is_in_order(self) -> bool:
        """Whether the references stand in the proposed order now."""
        return all(reference.was == reference.place for reference in self.references)

    def lines(self) -> list[str]:
        """Write each reference as a line, and how what was written is undone."""
        lines = [
            f"{each.place}. (was {each.was}) {shown(each.reference)}: score {each.score:.2f}; "
            f"{', '.join(each.reasons)}."
            for each in self.references
        ]
        return [*lines, f"To undo it, in mongosh: {self.undo}"] if self.undo else lines

    def table(self) -> ReportArtifact:
        """Write the references as a table with reasons, the best first."""
        return ReportArtifact(
            artifact_key(NAME, subject_key(self.character_id)),
            [_row(each) for each in self.references],
        )


@dataclass(frozen=True)
class _Measured:
    facts: ReferenceFacts
    cut: FaceCut | None = None


@database_task("measure reference images")
def measure_references(
    database: Database[Document], meters: GalleryMeters, character_id: str
) -> ReferencesReport:
    """Measure the reference images of a character, and rank them.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
        CharacterWithoutPicture: It has no reference image.
        MeasuringFailed: Faces cannot be measured here.
    """
    character = CharacterRepository(database).find(character_id)
    if not character.reference_images:
        raise CharacterWithoutPicture(
            f"The character {character_id!r} has no reference image; add one in the app."
        )
    references = [*dict.fromkeys(character.reference_images)][:MAX_REFERENCES]
    measured = [_measured(reference, meters) for reference in references]
    cuts = {each.facts.reference: each.cut for each in measured if each.cut}
    distances = pairwise_distances(meters.likeness, cuts) if meters.likeness else {}
    scale = meters.likeness.scale if meters.likeness else None
    baseline = character_baseline(distances, scale) if scale else None
    return ReferencesReport(
        character_id=character_id,
        apply=False,
        references=ranked([each.facts for each in measured], distances, scale),
        same_below=baseline.same_below if baseline else None,
        not_measured=meters.missing,
    )


def _measured(reference: str, meters: GalleryMeters) -> _Measured:
    try:
        found = read_largest_face(
            fetch_picture(reference, meters.store, meters.trust), meters.faces
        )
    except MeasuringFailed:
        raise
    except FaceError as error:
        return _Measured(ReferenceFacts(reference, problem=str(error).rstrip(".")))
    if found is None:
        return _Measured(ReferenceFacts(reference, problem="no face was found in it"))
    face = found.cut.face
    facts = ReferenceFacts(
        reference,
        faces=found.faces,
        side=found.cut.side,
        yaw=face.yaw,
        pitch=face.pitch,
        sharpness=found.cut.sharpness or 0.0,
    )
    return _Measured(facts, found.cut)


@database_task("write the order")
def write_order(database: Database[Document], report: ReferencesReport) -> ReferencesReport:
    """Write the proposed order; what the app added or removed meanwhile is kept as it is."""
    proposed = [each.reference for each in report.references]
    applied = order_reference_images(
        database, report.character_id, lambda stored: in_order(stored, proposed), datetime.now(UTC)
    )
    return report.model_copy(update={"apply": True, "done": applied.done, "undo": applied.undo})


def _row(reference: RankedReference) -> dict[str, str | int | float]:
    unlike = "not measured" if reference.unlike is None else reference.unlike
    return {
        "place": reference.place,
        "was": reference.was,
        "reference": reference.reference,
        "score": round(reference.score, 2),
        "face pixels": reference.side or "none",
        "turned by degrees": "none" if reference.turned is None else reference.turned,
        "sharpness": "none" if reference.sharpness is None else reference.sharpness,
        "distance to the others": unlike,
        "reasons": ", ".join(reference.reasons),
    }

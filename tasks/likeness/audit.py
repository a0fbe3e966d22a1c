"""Measuring the pictures of galleries: each once, a few at a time, without a host."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from pymongo.database import Database

from db.connection import Document, in_batches
from db.ledger import OperationLedger
from db.likeness.galleries import (
    CharacterGallery,
    GalleryPicture,
    characters_with_galleries,
    gallery_of,
)
from db.likeness.gallery_measures import (
    forget_characters,
    forget_measures,
    keep_measures,
    known_measures,
    measure_id,
)
from db.schema.documents.measures import GalleryMeasure
from storycanvas.faces.errors import FaceError, MeasuringFailed
from storycanvas.faces.likeness.audit import AuditedPicture, CharacterAudit
from storycanvas.faces.likeness.reading import (
    FaceInPicture,
    ReadFaces,
    References,
    faces_of_character,
    pairwise_distances,
    read_faces,
    read_largest_face,
)
from storycanvas.faces.measures.baseline import character_baseline
from storycanvas.faces.measures.measure import MEASURE_VERSION, SAME_BELOW
from storycanvas.faces.sources.references import fetch_picture
from tasks.faces.measuring.measuring import known_faces
from tasks.likeness.meters import GalleryMeters
from tasks.progress import Progress
from tasks.retries import database_task

MAX_COMPARED = 5
"""Reference images of a character that its pictures are compared with, the first ones."""
_BATCH = 16
"""Pictures whose measures are kept at once: what a stopped run has to do again at most."""
_AT_ONCE = min(4, os.cpu_count() or 1)
"""Pictures that are in memory, whatever the galleries hold."""


@database_task("list characters")
def list_audited(
    database: Database[Document], character_id: str | None, project_id: str | None
) -> list[str]:
    """List the ids of the characters whose galleries are measured."""
    return characters_with_galleries(database, character_id, project_id)


@database_task("measure gallery of {character_id}")
def measure_gallery(
    database: Database[Document],
    meters: GalleryMeters,
    character_id: str,
    progress: Progress,
    *,
    anew: bool,
) -> tuple[CharacterAudit, int] | None:
    """Measure what is new in the gallery of a character.

    Args:
        database: The StoryCanvas database.
        meters: What it is measured with.
        character_id: Of the character.
        progress: Told of each batch.
        anew: Whether what was measured before, here or by the run that made it, is measured again.

    Returns:
        The audit and how many old measures were removed; None if the character was deleted.

    Raises:
        MeasuringFailed: Faces cannot be measured here.
    """
    gallery = gallery_of(database, character_id)
    if gallery is None:
        return None
    known = known_measures(database, character_id)
    there = {picture.picture for picture in gallery.pictures}
    forgotten = forget_measures(database, character_id, known.keys() - there)
    compared = _compared_with(gallery)
    valid = (
        {}
        if anew
        else {name: each for name, each in known.items() if _is_valid(each, compared, meters)}
    )
    new = [picture for picture in gallery.pictures if picture.picture not in valid]
    problems: dict[str, str] = {}
    said: tuple[str, ...] = ()
    if new:
        references, said = _references(gallery, meters)
        ledger = None if anew else OperationLedger(database)
        read = partial(_read, meters, ledger, compared=references is not None)
        measured, problems = _measure(database, gallery, new, references, read, progress)
        valid |= {measure.picture: measure for measure in measured}
    rows = tuple(_row(each, valid.get(each.picture), problems) for each in gallery.pictures)
    audit = CharacterAudit(
        character_id=character_id,
        name=gallery.name,
        pictures=rows,
        measured=len(new) - len(problems),
        not_measured=said,
    )
    return audit, forgotten


@database_task("remove measures of characters that are gone")
def forget_others(database: Database[Document], kept: Sequence[str]) -> int:
    """Remove the measures of characters that are not there any more; return how many."""
    return forget_characters(database, kept)


def _compared_with(gallery: CharacterGallery) -> str:
    references = "\n".join(gallery.references[:MAX_COMPARED])
    return hashlib.sha256(references.encode()).hexdigest()[:16]


def _is_valid(measure: GalleryMeasure, compared: str, meters: GalleryMeters) -> bool:
    """Whether it need not be taken again; a likeness that can be measured now is missing."""
    same = (measure.version, measure.compared_with) == (MEASURE_VERSION, compared)
    likeness = meters.likeness
    return same and (likeness is None or not measure.faces or measure.scale == likeness.scale)


def _references(
    gallery: CharacterGallery, meters: GalleryMeters
) -> tuple[References | None, tuple[str, ...]]:
    """Read the reference images; a sentence where likeness has nothing to compare with."""
    if meters.likeness is None:
        return None, ()
    cuts = {}
    for reference in gallery.references[:MAX_COMPARED]:
        try:
            found = read_largest_face(
                fetch_picture(reference, meters.store, meters.trust), meters.faces
            )
        except MeasuringFailed:
            raise
        except FaceError:
            continue  # rank-references says why
        if found is not None:
            cuts[reference] = found.cut
    if not cuts:
        whose = gallery.name or gallery.character_id
        return None, (f"Likeness not measured: no reference image of {whose} shows a face.",)
    scale = meters.likeness.scale
    baseline = character_baseline(pairwise_distances(meters.likeness, cuts), scale)
    used = baseline.references if baseline else tuple(cuts)
    bound = baseline.same_below if baseline else SAME_BELOW[scale]
    return References(tuple(cuts[name] for name in used), meters.likeness, bound), ()


def _read(
    meters: GalleryMeters,
    ledger: OperationLedger | None,
    picture: GalleryPicture,
    *,
    compared: bool,
) -> ReadFaces | str:
    """Read the faces of a picture, or tell why it cannot be read."""
    try:
        fetched = fetch_picture(picture.picture, meters.store, meters.trust)
        known = None if ledger is None else known_faces(ledger, fetched.sha256)
        return read_faces(fetched, meters.faces, known, compared=compared)
    except MeasuringFailed:
        raise
    except FaceError as error:
        return str(error)


def _measure(
    database: Database[Document],
    gallery: CharacterGallery,
    new: Sequence[GalleryPicture],
    references: References | None,
    read: Callable[[GalleryPicture], ReadFaces | str],
    progress: Progress,
) -> tuple[list[GalleryMeasure], dict[str, str]]:
    kept: list[GalleryMeasure] = []
    problems: dict[str, str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for batch in in_batches(new, _BATCH):
            found = [*zip(batch, threads.map(read, batch), strict=True)]
            problems |= {each.picture: why for each, why in found if isinstance(why, str)}
            readable = {
                each.picture: faces for each, faces in found if isinstance(faces, ReadFaces)
            }
            chosen = faces_of_character([*readable.values()], references)
            measures = [
                _measure_of(gallery, picture, face, references)
                for picture, face in zip(readable, chosen, strict=True)
            ]
            keep_measures(database, measures)
            kept += measures
            progress(gallery.name or gallery.character_id, len(kept) + len(problems), len(new))
    return kept, problems


def _measure_of(
    gallery: CharacterGallery, picture: str, face: FaceInPicture, references: References | None
) -> GalleryMeasure:
    return GalleryMeasure(
        measure_id=measure_id(gallery.character_id, picture),
        character_id=gallery.character_id,
        picture=picture,
        version=MEASURE_VERSION,
        compared_with=_compared_with(gallery),
        faces=face.faces,
        age=face.age,
        distance=face.distance,
        scale=references.meter.scale if references else None,
        same_below=references.same_below if references else None,
        measured_at=datetime.now(UTC),
    )


def _row(
    picture: GalleryPicture, measure: GalleryMeasure | None, problems: dict[str, str]
) -> AuditedPicture:
    found = (
        measure.model_dump(include={"faces", "age", "distance", "same_below"}) if measure else {}
    )
    return AuditedPicture(
        picture=picture.picture,
        gallery=picture.gallery,
        asked_age=picture.age,
        problem=problems.get(picture.picture, ""),
        **found,
    )

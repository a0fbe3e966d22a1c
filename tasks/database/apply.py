"""Finding a picture that an operation made, and putting it where the app uses it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.database import Database

from db.applied_pictures import (
    AppliedPicture,
    clip_entry,
    put_clip_picture,
    put_reference_image,
)
from db.connection import Document
from db.errors import PictureNotInLedger
from db.ledger import OperationLedger
from db.schema.documents.faces import OperationRecord, Output
from storycanvas.faces.errors import BadField, PictureNotFound
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import shown
from tasks.artifacts import ReportArtifact, subject_key
from tasks.retries import database_task

ARTIFACT_KEY = "apply-picture"
_KEY = re.compile(r"[0-9a-f]{64}")
"""How operation keys are written."""


@dataclass(frozen=True)
class MadePicture:
    """A picture, the operation that made it, and the store that has it."""

    record: OperationRecord
    output: Output
    store: ImageStore

    def is_same(self, address: str) -> bool:
        """Check whether an address or a path leads to this picture."""
        path = self.output.path
        return address in {self.output.url, path} or self.store.path_of(address) == path


def only_for(use: str, needed: dict[str, str | None], unused: dict[str, str | None]) -> str:
    """Get the id that a use needs.

    Args:
        use: As a person chose it.
        needed: The parameter with the id, and its value.
        unused: The parameter of the other use, and its value.

    Raises:
        BadField: It is missing, or that of another use is given.
    """
    [(name, value)] = needed.items()
    for other, given in unused.items():
        if given is not None:
            raise BadField(f"{other} is not for the use {use!r}; leave it empty.")
    if value is None:
        raise BadField(f"The use {use!r} needs {name}.")
    return value


@database_task("find the picture")
def find_made_picture(
    database: Database[Document], store: ImageStore, reference: str
) -> MadePicture:
    """Find a picture of the ledger by its operation key, or else by its pixels.

    Args:
        database: The StoryCanvas database.
        store: The image store.
        reference: An operation key, or an address or a path by which the picture is read.

    Raises:
        PictureNotInLedger: No operation made it.
        PictureNotFound: There is none, or the store has lost it.
    """
    ledger = OperationLedger(database)
    record = ledger.find(reference) if _KEY.fullmatch(reference) else None
    if record is not None:
        if record.output is None:
            raise PictureNotInLedger(
                f"The operation {reference!r} is a {record.operation_type}, which makes no "
                "picture; give one that does."
            )
        return _stored(MadePicture(record, record.output, store), reference)
    found = [
        MadePicture(record, output, store)
        for record, output in ledger.pictures_with(_pixel_hash(reference, store))
    ]
    if not found:
        raise PictureNotInLedger(
            f"No operation of the ledger made the picture {shown(reference)}; give the address, "
            "the path in the image store or the operation key of one that a face flow made."
        )
    return _stored(next((each for each in found if each.is_same(reference)), found[0]), reference)


def _pixel_hash(reference: str, store: ImageStore) -> str:
    if _KEY.fullmatch(reference):
        raise PictureNotInLedger(
            f"The ledger has no operation {reference!r}; take a key from the run's report."
        )
    return fetch_picture(reference, store).sha256


def _stored(made: MadePicture, reference: str) -> MadePicture:
    if made.store.holds(made.output.path):
        return made
    raise PictureNotFound(
        f"The image store no longer has {made.output.path!r}, the picture of {shown(reference)}; "
        "run its flow again, which makes it anew."
    )


@database_task("put the picture first")
def put_first(database: Database[Document], made: MadePicture, character_id: str) -> AppliedPicture:
    """Put a picture first among the reference images of a character."""
    now = datetime.now(UTC)
    return put_reference_image(database, character_id, made.output, made.is_same, now)


@database_task("put the picture into the clip")
def put_into_clip(
    database: Database[Document], made: MadePicture, clip_id: str, *, select: bool
) -> AppliedPicture:
    """Add a picture to a clip, which shows it if it is to be selected."""
    now = datetime.now(UTC)
    entry = clip_entry(made.record, made.output, now)
    return put_clip_picture(database, clip_id, entry, made.is_same, now, select=select)


def applied_table(report: AppliedPicture, subject: str) -> ReportArtifact:
    """Write a report as a table of one row, named after the id of what was changed."""
    row = {"done": report.done, "undo": report.undo, "picture": report.picture}
    return ReportArtifact(f"{ARTIFACT_KEY}-{subject_key(subject)}", [row])

"""Following a picture to what it was made from, by the ledger or the provenance in its file."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from pymongo.database import Database

from db.connection import Document
from db.errors import PictureNotInLedger
from db.ledger import OperationLedger
from db.schema.documents.faces import HistoryEffect, OperationRecord, Output
from storycanvas.faces.errors import FaceError
from storycanvas.faces.lineage.listing import summary, tree_lines, tree_markdown, tree_rows
from storycanvas.faces.lineage.tree import MadeBy, TracedPicture, made_by_statement, trace
from storycanvas.faces.pictures.formats import refused
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.provenance import read_provenance
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.faces.sources.references import read_file
from storycanvas.faces.sources.trust import shown
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

NAME = "trace-picture"
_HASH = re.compile(r"[0-9a-f]{64}")
"""How operation keys and pixel hashes are written."""


class TraceReport(BaseModel):
    """Where a picture comes from.

    Attributes:
        picture: What was asked about.
        tree: The picture, and above it all that it was made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str
    tree: TracedPicture

    def summary(self) -> str:
        """Say in a sentence or two where it comes from."""
        return summary(self.tree)

    def lines(self) -> list[str]:
        """Write the tree as lines."""
        return tree_lines(self.tree)

    def artifacts(self, viewing: Callable[[str], str]) -> tuple[ReportArtifact, ReportArtifact]:
        """Show the tree, and a table that says the same; `viewing` finds what a browser opens."""
        key = f"{NAME}-{self.tree.sha256[:12]}"
        tree = ReportArtifact(key, tree_markdown(self.tree, viewing))
        return tree, ReportArtifact(f"{key}-steps", tree_rows(self.tree))


@database_task("trace the picture")
def trace_to_originals(
    database: Database[Document], store: ImageStore, reference: str
) -> TraceReport:
    """Follow a picture to its originals.

    Args:
        database: The StoryCanvas database.
        store: The image store.
        reference: An address or a path by which the picture is read, an operation key of the
            ledger, or a pixel hash of it.

    Raises:
        PictureNotInLedger: It is a key or a hash that the ledger does not have.
        PictureNotFound: There is no such picture.
        NotAPicture: It is something else.
    """
    known = _Known(OperationLedger(database), store)
    sha256, address = known.start(reference)
    return TraceReport(picture=shown(reference), tree=trace(sha256, address, known.find))


@dataclass
class _Known:
    """What the ledger and the files know of pictures.

    Attributes:
        asked: Key of the operation that was asked about by its key.
        file: The file that was asked about, which may lie anywhere.
    """

    ledger: OperationLedger
    store: ImageStore
    asked: str | None = None
    file: bytes | None = None

    def start(self, reference: str) -> tuple[str, str]:
        """Find pixel hash and address of the picture that is asked about."""
        if _HASH.fullmatch(reference):
            return self._start_by_hash(reference)
        self.file = read_file(reference, self.store)
        return read_picture(self.file, shown(reference)).sha256, reference

    def _start_by_hash(self, reference: str) -> tuple[str, str]:
        record = self.ledger.find(reference)
        if record is not None and record.output is not None:
            self.asked = reference
            return record.output.sha256, record.output.url
        if record is not None or not self.ledger.pictures_with(reference):
            raise PictureNotInLedger(
                f"The ledger has no operation and no picture {reference!r} that shows something; "
                "give the picture's address, its path in the image store or its file."
            )
        return reference, ""

    def find(self, sha256: str, address: str) -> tuple[str, MadeBy | None]:
        """Find where a picture is, and what made it: by the ledger, else by its file."""
        found = self.ledger.pictures_with(sha256)
        made = [each for each in found if sha256 not in each[0].inputs]
        made.sort(key=lambda each: not self._is_asked(each, address))  # the newest first otherwise
        newest = made or found
        address = address or (newest[0][1].url if newest else "")
        statement, self.file = self._statement(address), None
        if not made:
            return address, statement
        record, output = made[0]
        others = tuple(each.operation_key for each, _ in made[1:])
        made_by = _of_record(record, output, others)
        if statement is None or statement.inputs != made_by.inputs:
            return address, made_by
        # What the engine itself told is in the file alone.
        told = {"models": statement.models, "used": statement.used, "made_at": statement.made_at}
        return address, made_by.model_copy(update=told)

    def _is_asked(self, made: tuple[OperationRecord, Output], address: str) -> bool:
        record, output = made
        same = address in {output.url, output.path} or self._path_of(address) == output.path
        return record.operation_key == self.asked or same

    def _path_of(self, address: str) -> str | None:
        return self.store.path_of(address) if address else None

    def _statement(self, address: str) -> MadeBy | None:
        """Read the provenance of a file; of others than the first, only those of a store."""
        with suppress(FaceError), refused(shown(address)):
            file = self.file
            if file is None:
                place = self.store.place_of(address) or (self.store, address)
                if not address or place[0].leads_out(place[1]):
                    return None
                file = place[0].read(place[1])
            return made_by_statement(read_provenance(file))
        return None


def _of_record(record: OperationRecord, output: Output, others: tuple[str, ...]) -> MadeBy:
    is_current = output == record.output
    return MadeBy(
        known_from="ledger",
        operation_type=record.operation_type,
        settings=record.parameters,
        inputs=tuple(record.inputs),
        input_addresses=_input_addresses(record),
        engine=record.engine,
        engine_version=record.engine_version,
        made_at=record.created_at,
        operation_key=record.operation_key,
        host=record.host,
        seconds=record.processing_time_seconds if is_current else None,
        others=others,
    )


def _input_addresses(record: OperationRecord) -> tuple[str, ...]:
    """Find where the inputs were, as the history of a character tells it."""
    entries = [effect.entry for effect in record.effects if isinstance(effect, HistoryEffect)]
    if not entries:
        return ()
    entry = entries[-1]
    named = [entry.parameters.get(f"{which}_url") for which in ("source_face", "target_image")]
    places = named if all(isinstance(place, str) for place in named) else [entry.input_image_url]
    return tuple(map(str, places)) if len(places) == len(record.inputs) else ()

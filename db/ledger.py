"""The ledger of face operations and their pending effects on characters: an outbox.

This is the transactional outbox pattern on a server without transactions: one insert stores the
finished operation together with its effects, and each effect is then applied by an update that is
safe to repeat, and marked as applied. A kill between any two writes loses nothing and doubles
nothing: the effects without a mark are applied by the retry, by the next run of the flow or by
`audit-db`.
"""

from collections.abc import Collection
from datetime import datetime

from pymongo import DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.characters import CharacterRepository
from db.connection import Document, settled, translated_errors
from db.errors import BrokenCharacter, CharacterTooLarge
from db.schema.documents.characters import HistoryEntry
from db.schema.documents.faces import (
    Effect,
    GalleryEffect,
    HistoryEffect,
    OperationRecord,
    Output,
)

MAX_NEWEST = 50


def _of_size(longest_side: tuple[int, int | None] | None) -> Document:
    if longest_side is None:
        return {}
    above, upto = longest_side
    sides = ("output.width", "output.height")
    most = {} if upto is None else {side: {"$lte": upto} for side in sides}
    return {**most, "$or": [{side: {"$gt": above}} for side in sides]}


class OperationLedger:
    """One document for each operation ever done, found by its operation key."""

    def __init__(self, database: Database[Document]) -> None:
        self._operations = settled(database)["facefusion_operations"]

    def find(self, operation_key: str) -> OperationRecord | None:
        """Read the record of an operation, or None if it was never done."""
        with translated_errors():
            document = self._operations.find_one({"_id": operation_key})
        return None if document is None else OperationRecord.model_validate(document)

    def made_by(self, hashes: Collection[str], operations: Collection[str]) -> dict[str, set[str]]:
        """Find by which operations pictures were made, by their pixel hashes.

        An operation whose output is its own input has made nothing.

        Args:
            hashes: Of the pictures.
            operations: Values of `operation_type` that are asked for.

        Returns:
            The operations of each picture that has some.
        """
        wanted = {"output.sha256": {"$in": [*hashes]}, "operation_type": {"$in": [*operations]}}
        fields = {"output.sha256": True, "operation_type": True, "inputs": True}
        made: dict[str, set[str]] = {}
        with translated_errors():
            for record in self._operations.find(wanted, fields):
                sha256 = record["output"]["sha256"]
                if sha256 not in record.get("inputs", ()):
                    made.setdefault(sha256, set()).add(record["operation_type"])
        return made

    def pictures_with(self, sha256: str) -> list[tuple[OperationRecord, Output]]:
        """Find the outputs with a pixel hash, the newest first, also those replaced by force."""
        either = [{"output.sha256": sha256}, {"earlier_outputs.sha256": sha256}]
        with translated_errors():
            found = self._operations.find({"$or": either}, sort={"created_at": DESCENDING})
            records = [OperationRecord.model_validate(document) for document in found]
        return [
            (record, output)
            for record in records
            for output in (record.output, *record.earlier_outputs)
            if output is not None and output.sha256 == sha256
        ]

    def newest_engine(self) -> tuple[str, str] | None:
        """Read name and version of the engine of the newest operation; None where none was done."""
        with translated_errors():
            found = self._operations.find_one(
                {}, ["engine", "engine_version"], sort=[("created_at", DESCENDING)]
            )
        return None if found is None else (str(found["engine"]), str(found["engine_version"]))

    def newest_seconds(
        self, which: Document, longest_side: tuple[int, int | None] | None, before: datetime
    ) -> list[float]:
        """List what engines needed for operations, the newest 50 first.

        Args:
            which: Values of `operation_type`, `engine` and each parameter that names a model, None
                where the operation has none: the beginning of an index.
            longest_side: Pixels that a side of the picture exceeds, and that none does; None for
                operations without a picture.
            before: When the engine had finished, UTC.
        """
        # Where no face was seen nothing was worked on, and a host that refuses tells no time.
        worked = {"faces_detected": {"$ne": 0}, "created_at": {"$lt": before}}
        wanted = {**which, **worked, **_of_size(longest_side)}
        with translated_errors():
            found = self._operations.find(wanted, ["processing_time_seconds"])
            newest = found.sort("created_at", DESCENDING).limit(MAX_NEWEST)
            return [float(document["processing_time_seconds"]) for document in newest]

    def complete(self, record: OperationRecord) -> None:
        """Store a finished operation together with its pending effects.

        An existing record stays as it is, except for a forced repetition, whose output replaces
        the old one, which moves to `earlier_outputs`. Effects that are not in the record are added
        in either case. Any of it may be repeated.
        """
        document = record.model_dump(by_alias=True)
        with translated_errors():
            try:
                self._operations.insert_one(document)
            except DuplicateKeyError:
                if record.repeat is not None:
                    self._replace_output(record)
                self.add_effects(record.operation_key, record.effects)

    def add_effects(self, operation_key: str, effects: list[Effect]) -> None:
        """Add effects to a record unless they are there."""
        with translated_errors():
            for effect in effects:
                self._operations.update_one(
                    {"_id": operation_key, "effects.id": {"$ne": effect.id}},
                    {"$push": {"effects": effect.model_dump()}},
                )

    def keep_measure(self, record: OperationRecord, measure: Document) -> None:
        """Keep what was measured of a record's output, unless another one has replaced it."""
        if record.output is None:
            return
        same = {"_id": record.operation_key, "output.sha256": record.output.sha256}
        with translated_errors():
            self._operations.update_one(same, {"$set": {"measure": measure}})

    def mark_applied(self, operation_key: str, effect_id: str, now: datetime) -> None:
        """Mark an effect as applied."""
        with translated_errors():
            self._operations.update_one(
                {"_id": operation_key, "effects.id": effect_id},
                {"$set": {"effects.$.applied_at": now}},
            )

    def _replace_output(self, record: OperationRecord) -> None:
        document = record.model_dump()
        changed = (
            "output",
            "faces",
            "faces_detected",
            "selected_faces",
            "estimated_age",
            "measure",
            "processing_time_seconds",
            "created_at",
        )
        fields = {name: document[name] for name in (*changed, "repeat", "host")}
        other = {"_id": record.operation_key, "repeat": {"$ne": record.repeat}}
        # Not by a pipeline, at which MongoDB 6.0.5 aborts where the record has a field twice.
        while found := self._operations.find_one(other, {"output": True, "repeat": True}):
            update: Document = {"$set": fields}
            if found.get("output") is not None:
                update["$push"] = {"earlier_outputs": found["output"]}
            # Matches nothing where another forced run has replaced the output since. Once it has
            # matched, what another run writes stays: replacing that would note an output twice.
            same = {**other, "repeat": found.get("repeat")}
            if self._operations.update_one(same, update).matched_count:
                return


def record_operation(database: Database[Document], record: OperationRecord, now: datetime) -> None:
    """Record a finished operation and apply its effects."""
    # First the record with its pending effects: a kill after it leaves what the next run applies.
    OperationLedger(database).complete(record)
    apply_effects(database, record.operation_key, now)
    _show_age_variants(CharacterRepository(database), record, now)


def apply_effects(database: Database[Document], operation_key: str, now: datetime) -> int:
    """Apply the pending effects of a record and count them.

    Effects on a deleted character stay pending, so that restoring it loses nothing. So do those for
    which a character has no room, or whose document cannot be changed; the others are applied.

    Raises:
        CharacterTooLarge: An effect found no room; all others were tried.
        BrokenCharacter: A character has the same field twice; all others were tried.
    """
    ledger = OperationLedger(database)
    record = ledger.find(operation_key)
    pending = [effect for effect in record.effects if effect.applied_at is None] if record else []
    characters = CharacterRepository(database)
    applied = 0
    changeable: set[str] = set()
    refused: CharacterTooLarge | BrokenCharacter | None = None
    for effect in pending:
        try:
            if effect.character_id not in changeable:
                characters.refuse_doubled(effect.character_id)
                changeable.add(effect.character_id)
            _apply(characters, effect, now)
        except (CharacterTooLarge, BrokenCharacter) as error:
            refused = refused or error
            continue
        # Read after the update, which leaves out a character that was deleted before it.
        if not characters.is_deleted(effect.character_id):
            ledger.mark_applied(operation_key, effect.id, now)
            applied += 1
    if refused is not None:
        raise refused
    return applied


def record_failure(
    database: Database[Document], character_id: str, entry: HistoryEntry, now: datetime
) -> None:
    """Write the failed history entry of a step; its id makes a repetition harmless.

    Raises:
        CharacterTooLarge: It finds no room.
        BrokenCharacter: The character has the same field twice.
    """
    characters = CharacterRepository(database)
    characters.refuse_doubled(character_id)
    characters.add_history(character_id, entry, now)


def _show_age_variants(
    characters: CharacterRepository, record: OperationRecord, now: datetime
) -> None:
    """Set each age in the gallery to the picture requested last, made now or reused."""
    for effect in record.effects:
        if isinstance(effect, GalleryEffect) and effect.age is not None:
            characters.set_age_variant(effect.character_id, effect.age, effect.url, now)


def _apply(characters: CharacterRepository, effect: Effect, now: datetime) -> None:
    match effect:
        case HistoryEffect():
            characters.add_history(effect.character_id, effect.entry, now)
        case GalleryEffect(age=int(age)):
            characters.set_age_variant(effect.character_id, age, effect.url, now)
        case GalleryEffect():
            characters.add_to_gallery(effect.character_id, effect.gallery, effect.url, now)

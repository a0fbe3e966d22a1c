"""Recording what was done, so that a kill between any two writes loses nothing and doubles nothing.

The order is the point: first the ledger's record naming the effects it owes, then each effect by
an update that is safe to repeat, then the mark that it was applied. Whoever meets a record with
effects still owed settles them.
"""

from datetime import datetime

from pymongo.database import Database

from db.characters import CharacterRepository
from db.connection import Document
from db.ledger.operations import OperationLedger
from db.schema.documents.characters import HistoryEntry
from db.schema.documents.faces import Effect, GalleryEffect, HistoryEffect, OperationRecord


def record_operation(database: Database[Document], record: OperationRecord, now: datetime) -> None:
    """Record a finished operation and carry out its effects.

    Args:
        database: The StoryCanvas database.
        record: The operation with the effects it owes.
        now: UTC.
    """
    OperationLedger(database).complete(record)
    apply_effects(database, record.operation_key, now)
    _show_age_variants(CharacterRepository(database), record, now)


def apply_effects(database: Database[Document], operation_key: str, now: datetime) -> int:
    """Carry out the effects that a record still owes.

    What is owed to a deleted character stays owed, so that restoring it loses nothing.

    Args:
        database: The StoryCanvas database.
        operation_key: The record.
        now: UTC.

    Returns:
        How many were carried out.
    """
    ledger = OperationLedger(database)
    record = ledger.find(operation_key)
    owed = [effect for effect in record.effects if effect.applied_at is None] if record else []
    characters = CharacterRepository(database)
    settled = 0
    for effect in owed:
        _apply(characters, effect, now)
        # Asked after the update, which has left out a character that was deleted before it.
        if not characters.is_deleted(effect.character_id):
            ledger.mark_applied(operation_key, effect.id, now)
            settled += 1
    return settled


def record_failure(
    database: Database[Document], character_id: str, entry: HistoryEntry, now: datetime
) -> None:
    """Write the one failed history entry of a failed step.

    Args:
        database: The StoryCanvas database.
        character_id: Whose history.
        entry: What failed and why; its id makes a repetition harmless.
        now: UTC.
    """
    CharacterRepository(database).add_history(character_id, entry, now)


def _show_age_variants(
    characters: CharacterRepository, record: OperationRecord, now: datetime
) -> None:
    """Let the gallery show for an age what was asked for last, made now or reused."""
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

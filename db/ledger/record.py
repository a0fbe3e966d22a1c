"""Recording what was done, so that a kill between any two writes loses nothing and doubles nothing.

The order matters: first the ledger's record with its pending effects, then each effect by an
update that is safe to repeat, then the mark that it was applied. A retry, a later run or
`audit-db` applies what is still pending.
"""

from datetime import datetime

from pymongo.database import Database

from db.characters import CharacterRepository
from db.connection import Document
from db.ledger.operations import OperationLedger
from db.schema.documents.characters import HistoryEntry
from db.schema.documents.faces import Effect, GalleryEffect, HistoryEffect, OperationRecord


def record_operation(database: Database[Document], record: OperationRecord, now: datetime) -> None:
    """Record a finished operation and apply its effects."""
    OperationLedger(database).complete(record)
    apply_effects(database, record.operation_key, now)
    _show_age_variants(CharacterRepository(database), record, now)


def apply_effects(database: Database[Document], operation_key: str, now: datetime) -> int:
    """Apply the pending effects of a record and count them.

    Effects on a deleted character stay pending, so that restoring it loses nothing.
    """
    ledger = OperationLedger(database)
    record = ledger.find(operation_key)
    pending = [effect for effect in record.effects if effect.applied_at is None] if record else []
    characters = CharacterRepository(database)
    applied = 0
    for effect in pending:
        _apply(characters, effect, now)
        # Read after the update, which leaves out a character that was deleted before it.
        if not characters.is_deleted(effect.character_id):
            ledger.mark_applied(operation_key, effect.id, now)
            applied += 1
    return applied


def record_failure(
    database: Database[Document], character_id: str, entry: HistoryEntry, now: datetime
) -> None:
    """Write the failed history entry of a step; its id makes a repetition harmless."""
    CharacterRepository(database).add_history(character_id, entry, now)


def _show_age_variants(
    characters: CharacterRepository, record: OperationRecord, now: datetime
) -> None:
    """Set each age in the gallery to what was asked for last, made now or reused."""
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

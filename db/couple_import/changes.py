"""What a row changes in the document that it became in an earlier import.

Three things: values that the earlier import did not bring, since it did not know the columns or
the names of them; the end that the app gave to what still waits here; and a task that the app left
unfinished, which waits again. What was claimed here is left as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from db.connection import Document
from db.couple_import.tables import Table

_ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Change:
    """New values of a document.

    Attributes:
        guard: Selects the document while it is what the change was decided on.
    """

    guard: Document
    set: Document


@dataclass(frozen=True)
class Rule:
    """How documents of a table follow their rows.

    Attributes:
        mended: Fields that are filled where they are null.
        status: The field that says whether a document waits; empty where none does.
        waiting: The states in which a document takes over the app's end.
        end: What it takes over.
    """

    mended: tuple[str, ...] = ()
    status: str = ""
    waiting: frozenset[str] = frozenset()
    end: tuple[str, ...] = ()


RULES: Mapping[str, Rule] = {
    "templates": Rule(mended=("image_id", "category")),
    "template_preprocessing": Rule(
        status="preprocessing_status",
        waiting=frozenset({"pending", "processing"}),
        end=(
            *("preprocessing_status", "faces_detected", "face_data", "masked_image_id"),
            *("error_message", "processed_at"),
        ),
    ),
    # A batch in which something has ended here is counted here.
    "batch_tasks": Rule(
        status="status",
        waiting=frozenset({"pending"}),
        end=("status", "completed_tasks", "failed_tasks", "completed_at"),
    ),
    "faceswap_tasks": Rule(
        mended=("husband_image_id", "wife_image_id"),
        status="status",
        waiting=frozenset({"pending", "processing"}),
        end=(
            *("status", "progress", "result_image_id", "error_message", "processing_time"),
            *("started_at", "completed_at"),
        ),
    ),
}


def seen_fields(table: Table) -> tuple[str, ...]:
    """Name the fields of documents by which changes are decided."""
    own = (column.field for column in table.columns)
    return (*own, "claim_token", "lease_expires_at", "attempts")


def may_change(table: Table, stored: Document) -> bool:
    """Check whether a row could change its document, before the row is read."""
    rule = RULES[table.name]
    if stored.get("claim_token") is not None:
        return False
    lacks = any(stored.get(name) is None for name in rule.mended)
    return lacks or _waits(rule, stored) or any(_unknown(table, stored))


def change_of(table: Table, stored: Document, document: Document) -> Change | None:
    """Decide what a row's document changes in the stored one; None when it changes nothing."""
    rule = RULES[table.name]
    lacking = {*_unknown(table, stored)}
    lacking |= {name for name in rule.mended if stored.get(name) is None}
    new = {name: document[name] for name in lacking if document.get(name) is not None}
    guard: Document = {"_id": stored["_id"], "claim_token": None}
    if _waits(rule, stored) and _follows(stored[rule.status], document[rule.status]):
        new |= {name: document[name] for name in rule.end}
        guard |= {rule.status: stored[rule.status], "attempts": {"$in": [None, 0]}}
    return Change(guard, new) if new else None


def _waits(rule: Rule, stored: Document) -> bool:
    """Whether the app may still end it, and nothing was begun here."""
    begun = stored.get("lease_expires_at") is not None or stored.get("attempts")
    status = stored.get(rule.status)
    return isinstance(status, str) and status in rule.waiting and not begun


def _follows(stored: str, row: str) -> bool:
    return row in _ENDED or (stored == "processing" and row == "pending")


def _unknown(table: Table, stored: Document) -> set[str]:
    """Find the fields that the import did not know when it made the document."""
    return {column.field for column in table.columns if column.field not in stored}

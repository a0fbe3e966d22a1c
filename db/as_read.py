"""Changing a document only as long as it is as it was read, and writing down how to undo that.

The app saves whole documents at any moment. A change is one update whose filter holds the values
that the change was decided on; where they have changed, it is read and decided again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import json_util
from pymongo.database import Database

from db.connection import Document, translated_errors
from db.errors import DocumentKeepsChanging, UnknownDocument
from db.schema.indexes import NOT_DELETED

TRIES = 10


@dataclass(frozen=True)
class Change:
    """What a document was changed from, and what was set.

    Attributes:
        before: The fields as they were read, without those that were missing.
        after: What was set; empty where nothing had to be changed.
    """

    before: Document
    after: Document


def change_as_read(
    database: Database[Document],
    collection: str,
    document_id: str,
    fields: Sequence[str],
    decide: Callable[[Document], Document],
    now: datetime,
) -> Change:
    """Change a document that is not deleted, in one update that holds what was read.

    Args:
        database: The StoryCanvas database.
        collection: Of the document.
        document_id: Its `id`.
        fields: What the decision depends on; missing and null count as the same.
        decide: Makes what is to be set of these fields; nothing where nothing is to be changed.
        now: Becomes `updated_at`.

    Raises:
        UnknownDocument: There is none, or it has been deleted.
        DocumentKeepsChanging: It was another each time that it was to be written.
    """
    documents = database[collection]
    for _ in range(TRIES):
        with translated_errors():
            found = documents.find_one({"id": document_id, **NOT_DELETED}, [*fields])
            if found is None:
                raise UnknownDocument(
                    f"There is no {document_id!r} in {collection}, or it has been deleted."
                )
            before = {field: found[field] for field in fields if field in found}
            after = decide(dict(before))
            if not after:
                return Change(before, {})
            same = {field: {"$eq": before.get(field)} for field in fields}
            update = {"$set": {**after, "updated_at": now}}
            if documents.update_one(
                {"id": document_id, **NOT_DELETED, **same}, update
            ).matched_count:
                return Change(before, after)
    raise DocumentKeepsChanging(
        f"{document_id!r} of {collection} was not as it had been read at any of {TRIES} tries, so "
        "nothing was changed; start the run again. If that does not help, a field stands twice in "
        f"its {' or '.join(fields)}: write them anew in the app."
    )


def taking_back(change: Change) -> Document:
    """Make the update that sets fields to what they were, or removes those that were missing."""
    old = {field: change.before[field] for field in change.after if field in change.before}
    missing = {field: "" for field in change.after if field not in change.before}
    return {name: part for name, part in (("$set", old), ("$unset", missing)) if part}


def mongosh_line(
    database: Database[Document], collection: str, which: Document, *update: Document
) -> str:
    """Write an update as a line for mongosh, which may be connected to any database.

    Args:
        database: Where the collection is.
        collection: Of the document.
        which: The filter of the update.
        update: The update, and its options.
    """
    written = ", ".join(map(_literal, (which, *update)))
    return f"db.getSiblingDB({json.dumps(database.name)}).{collection}.updateOne({written})"


def _literal(value: Any) -> str:  # noqa: ANN401 - whatever a document holds
    """Write a value in JavaScript: JSON, unless it holds a date or what else JSON has not."""
    try:
        return json.dumps(value)
    except TypeError:
        return f"EJSON.deserialize({json_util.dumps(value)})"

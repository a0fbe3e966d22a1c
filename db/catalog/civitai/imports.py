"""The position of an import of Civitai's catalog, so that it continues where it was stopped.

The cursor is stored after the rows of the page before it. After a kill in between, that page is
read again, and its rows, which are there, count as unchanged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.catalog.bulk import shown
from db.connection import Document, translated_errors
from db.errors import ImportReplaced
from db.schema.documents.models import CatalogImport

MAX_EXAMPLES = 200
"""Problems of an import that are kept; the rest is counted."""
MAX_TEXT_LENGTH = 500
"""Characters of a problem's subject and reason that are kept."""

_WITHOUT_ID = {"_id": False}


@dataclass(frozen=True, slots=True)
class PageDone:
    """A page whose rows are stored, or a batch of a file.

    Attributes:
        items: How many it held.
        cursor: Of the next page; None for a file.
        new: Rows stored for the first time.
        changed: Rows that differed.
        unchanged: Rows that were there.
        problems: Subject and reason of each item that could not be read or stored.
        run_id: The run that stored it; None outside of a run.
    """

    items: int
    cursor: str | None = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    run_id: str | None = None


def begin(
    database: Database[Document],
    source: str,
    now: datetime,
    *,
    restart: bool = False,
    run_id: str | None = None,
) -> CatalogImport:
    """Continue an import that was stopped or has failed, or begin a new one.

    Args:
        database: The StoryCanvas database.
        source: What is imported: the key of a query, or a file.
        now: UTC.
        restart: Whether a new import begins in any case, without cursor and counts. What this run
            itself has begun is continued all the same: a run that is retried restarts once.
        run_id: The run; None outside of one.
    """
    imports = database["catalog_imports"]
    wanted: Document = {"id": source, "status": {"$in": ["running", "failed"]}}
    if not restart or run_id is not None:
        running = {"status": "running", "updated_at": now, "finished_at": None, "error": None}
        with translated_errors():
            found = imports.find_one_and_update(
                wanted | ({"run_id": run_id} if restart else {}),
                {"$set": running},
                _WITHOUT_ID,
                return_document=ReturnDocument.AFTER,
            )
        if found is not None:
            return CatalogImport.model_validate(found)
    return begin_anew(database, source, now, run_id)


def begin_anew(
    database: Database[Document], source: str, now: datetime, run_id: str | None = None
) -> CatalogImport:
    """Begin a new import, without cursor and counts, in place of any other of the same source."""
    imports = database["catalog_imports"]
    created = CatalogImport(
        id=source,
        import_id=uuid4().hex,
        status="running",
        run_id=run_id,
        started_at=now,
        updated_at=now,
    )
    with translated_errors():
        try:
            imports.replace_one({"id": source}, created.model_dump(), upsert=True)
        except DuplicateKeyError:
            # Two runs began it at once; the later one owns it.
            imports.replace_one({"id": source}, created.model_dump())
    return created


def advance(
    database: Database[Document], state: CatalogImport, page: PageDone, now: datetime
) -> CatalogImport:
    """Record that the rows of a page are stored, after they are.

    Raises:
        ImportReplaced: Another run has continued the import, or begun it anew.
    """
    counts = {
        "position": page.items,
        "pages": 1,
        "new": page.new,
        "changed": page.changed,
        "unchanged": page.unchanged,
        "failed": len(page.problems),
    }
    listed = {"$each": [*_problems(page.problems)], "$slice": MAX_EXAMPLES}
    update: Document = {
        "$set": {"cursor": page.cursor, "run_id": page.run_id, "updated_at": now},
        "$inc": counts,
        "$push": {"problems": listed},
    }
    return _change(database, state, update)


def finish(
    database: Database[Document],
    state: CatalogImport,
    status: Literal["complete", "failed"],
    now: datetime,
    *,
    error: str | None = None,
) -> CatalogImport:
    """Record the end of an import: `complete`, which drops the cursor, or `failed` with its error.

    Raises:
        ImportReplaced: Another run has continued the import, or begun it anew.
    """
    fields: Document = {"status": status, "updated_at": now, "finished_at": now, "error": error}
    if status == "complete":
        fields["cursor"] = None
    return _change(database, state, {"$set": fields})


def _change(database: Database[Document], state: CatalogImport, update: Document) -> CatalogImport:
    with translated_errors():
        found = database["catalog_imports"].find_one_and_update(
            {"id": state.id, "import_id": state.import_id, "position": state.position},
            update,
            _WITHOUT_ID,
            return_document=ReturnDocument.AFTER,
        )
    if found is None:
        raise ImportReplaced(
            f"Another run has continued or begun the import {state.id!r} anew; let that run go on."
        )
    return CatalogImport.model_validate(found)


def _problems(problems: Iterable[tuple[str, str]]) -> Iterable[Document]:
    for subject, reason in problems:
        yield {
            "subject": shown(subject)[:MAX_TEXT_LENGTH],
            "reason": shown(reason)[:MAX_TEXT_LENGTH],
        }

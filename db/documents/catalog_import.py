"""How far an import of Civitai's catalog has come."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from db.documents.stored import Count, Id, Stored

ImportStatus = Literal["running", "complete", "failed"]


class ImportProblem(Stored):
    """Something that an import could not read or store.

    Attributes:
        subject: An id, or a line's number.
        reason: A sentence.
    """

    subject: str
    reason: str


class CatalogImport(Stored):
    """A document of `catalog_imports`; counts are of the import under way, or of the last one.

    Attributes:
        id: Names the source: a query of the API, or a file.
        import_id: Which import of this source it is; a new one has another.
        cursor: Of the next page, for the API; null at the beginning and once complete.
        position: How many items have been taken in, for files.
        unchanged: Rows that were there already, so that they were not written; after a kill also
            those that the interrupted page had written.
        failed: Items that could not be read or stored.
        problems: The first 200 of them.
        error: Why it failed.
    """

    id: Id
    import_id: Id
    status: ImportStatus
    cursor: str | None = None
    position: Count = 0
    pages: Count = 0
    new: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    failed: Count = 0
    problems: list[ImportProblem] = Field(default_factory=list)
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None

"""Putting a job into its queue, once however often it is tried."""

from datetime import datetime
from typing import Any

from pymongo.database import Database

from db.connection import Document, settled, translated_errors
from db.queues.queue import JOBS
from db.schema.documents.base import Frozen
from db.schema.documents.faces import FacefusionJob, JobType


class NewJob(Frozen):
    """A job that a person submits; `input_data` has been checked.

    Attributes:
        not_before: It is not claimed before, UTC.
    """

    job_type: JobType
    input_data: dict[str, Any]
    character_id: str | None = None
    project_id: str | None = None
    priority: int = 0
    not_before: datetime | None = None


class SubmittedJob(Frozen):
    """A job that is in its queue.

    Attributes:
        id: Of its document.
        label: What logs and tasks call it.
        not_before: It is not claimed before, UTC.
        remarks: What of it cannot be done as it is written.
        drain: What was done so that it is worked on.
    """

    id: str
    label: str
    not_before: datetime | None = None
    remarks: tuple[str, ...] = ()
    drain: str = ""

    def summary(self) -> str:
        """State in a few sentences that it waits, and for what."""
        when = f", not before {self.not_before:%Y-%m-%d %H:%M:%S} UTC" if self.not_before else ""
        waits = f"The {self.label} waits in {JOBS.collection} (id {self.id}){when}."
        return " ".join(filter(None, [waits, *self.remarks, self.drain]))


def submit_job(database: Database[Document], job_id: str, job: NewJob, now: datetime) -> None:
    """Insert a job, unless it is there: a retry neither doubles it nor changes it."""
    document = FacefusionJob(
        id=job_id, created_at=now, updated_at=now, **job.model_dump()
    ).model_dump(exclude={"id"})
    with translated_errors():
        settled(database)[JOBS.collection].update_one(
            {"id": job_id}, {"$setOnInsert": document}, upsert=True
        )

"""What is asked of a queue by a person, and answered: a list, and what was changed."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from db.schema.documents.base import Frozen
from storycanvas.net.wording import counted, verb

MAX_LISTED = 500
"""Documents of one list; it counts all of them."""
_MAX_TEXT = 300

QueueAction = Literal["list", "cancel", "retry"]
_DONE = {"cancel": "cancelled", "retry": "put back to wait"}


class QueueFilter(Frozen):
    """Which documents of a queue are meant; what is None or 0 leaves out none.

    Attributes:
        id: Of one document; of a couple task, its `task_id` as well.
        older_than_hours: Hours since it was made.
    """

    id: str | None = None
    status: str | None = None
    job_type: str | None = None
    character_id: str | None = None
    project_id: str | None = None
    older_than_hours: int = 0


class QueuedDocument(Frozen):
    """A document of a queue as a list shows it; another program may have written anything."""

    id: str
    type: str
    status: str
    character: str
    project: str
    priority: str
    progress: str
    attempts: str
    created: str
    not_before: str
    claimed_by: str
    error: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "QueuedDocument":
        """Read a document, whatever it holds."""
        code, message = _text(found.get("error_code")), _text(found.get("error_message"))
        return cls(
            id=_text(found.get("id")),
            type=_text(found.get("job_type")),
            status=_text(found.get("status")),
            character=_text(found.get("character_id")),
            project=_text(found.get("project_id")),
            priority=_text(found.get("priority")),
            progress=_text(found.get("progress")),
            attempts=_text(found.get("attempts")),
            created=_text(found.get("created_at")),
            not_before=_text(found.get("not_before")),
            claimed_by=_text(found.get("claimed_by")),
            error=": ".join(filter(None, (code, message))),
        )

    def line(self) -> str:
        """Describe it in a line."""
        parts = [self.type, self.status, f"{self.progress or 0} %", self.error]
        return f"{self.id}: {', '.join(filter(None, parts))}"


class QueueReport(Frozen):
    """What was found in a queue, and what was done about it.

    Attributes:
        counts: What is asked for, by status.
        due: Of those, what the action may change.
        changed: What it has changed; 0 of a dry run.
        with_expired_photo: Ended tasks that are not put back: a photo's time is over.
        documents: What is asked for, or may be changed, the newest first; at most 500.
        drain: What was done so that it is worked on.
    """

    queue: str
    action: QueueAction
    dry_run: bool
    counts: dict[str, int]
    due: int = 0
    changed: int = 0
    with_expired_photo: int = 0
    documents: tuple[QueuedDocument, ...] = ()
    drain: str = ""

    def summary(self) -> str:
        """Summarise in a sentence or two."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        total = sum(self.counts.values())
        parts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        found = f"{counted(total, 'document')} of {self.queue}"
        yield f"{found}: {parts}." if parts else f"No such document in {self.queue}."
        if self.action == "list":
            if total > len(self.documents):
                yield f"The newest {len(self.documents)} are listed."
            return
        if self.dry_run:
            yield f"{self.due} would be {_DONE[self.action]}."
        elif parts:
            yield f"{self.changed} {verb(self.changed, 'was', 'were')} {_DONE[self.action]}."
        if self.with_expired_photo:
            yield f"{self.with_expired_photo} stay as they are: a temporary photo has expired."
        if self.drain:
            yield self.drain


def _text(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"

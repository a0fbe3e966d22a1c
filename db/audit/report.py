"""What `audit-db` found and did."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, get_args

from db.connection import Document, translated_errors
from db.errors import DocumentTooLarge, OperationRefused, UnreadableDocument
from db.schema.documents.base import Frozen

Severity = Literal["critical", "warning", "info"]
Kind = Literal[
    "orphan",
    "child of a deleted parent",
    "invalid document",
    "missing collection",
    "missing index",
    "different index",
    "blocked index",
    "unused index",
    "expiring index",
    "oversized document",
    "long history",
    "large character",
    "similar users",
    "same server",
    "stuck job",
    "miscounted batch",
    "owed effect",
    "odd value",
    "different copy",
    "not looked at",
]

MAX_EXAMPLES = 20
"""Most ids that a finding lists; it counts all of them."""

_IN_A_LINE = 5


class AuditFinding(Frozen):
    """Something that is not as it should be, or that a person should know.

    Attributes:
        subject: What it is about: a relation, a field and the reason, an index.
        count: Of how many documents, or of how many indexes for an index.
        ids: The first of them: `id`, `_id` where there is no such text, or an index's name.
        severity: `critical` loses or stops something, `warning` is wrong, `info` may be meant.
        remedy: What a person should do, in a sentence; empty when nothing is left to do.
        done: What this run did, beginning with "fixed:", or that another run did it first;
            empty when it is not repaired.
    """

    kind: Kind
    collection: str
    subject: str
    count: int
    ids: tuple[str, ...] = ()
    severity: Severity = "warning"
    remedy: str = ""
    done: str = ""

    def __str__(self) -> str:
        some = self.ids[:_IN_A_LINE]
        more = ", ..." if self.count > len(some) else ""
        ids = f" ({', '.join(some)}{more})" if some else ""
        count = f": {self.count}{ids}" if self.count else ""
        what = f"{self.kind} in {self.collection}, {self.subject}{count}."
        return " ".join(filter(None, (what, self.done, self.remedy)))


class ValidatedCount(Frozen):
    """How many documents of a collection were validated."""

    collection: str
    documents: int
    validated: int


class AuditReport(Frozen):
    """What is wrong in a database, the worst first.

    Attributes:
        fix: Whether it repaired what is safe to repair, or looked only.
        looked_at: When it began, UTC.
        sample_size: Most documents of a collection that were validated; all when null.
        left_out: Findings that are not listed because the report would be too long.
    """

    database: str
    fix: bool
    looked_at: datetime
    sample_size: int | None
    collections: tuple[ValidatedCount, ...]
    findings: tuple[AuditFinding, ...]
    left_out: int = 0

    @property
    def fixed(self) -> tuple[AuditFinding, ...]:
        """Findings about which this run did something."""
        return tuple(finding for finding in self.findings if finding.done.startswith("fixed:"))

    def of(self, *kinds: Kind) -> tuple[AuditFinding, ...]:
        """Choose the findings of some kinds."""
        return tuple(finding for finding in self.findings if finding.kind in kinds)

    def lines(self) -> Iterator[str]:
        """Write each finding in one line, then how much of each collection was validated."""
        for finding in self.findings:
            yield f"{finding.severity}: {finding}"
        for count in self.collections:
            if count.documents or count.validated:
                yield f"{count.collection}: {count.validated} of {count.documents} validated."

    def summary(self) -> str:
        """Count in one sentence how many findings there are of each severity."""
        counts = Counter(finding.severity for finding in self.findings)
        parts = [
            f"{counts[severity]} {severity}" for severity in get_args(Severity) if counts[severity]
        ]
        found = ", ".join(parts) or "nothing found"
        done = f"{len(self.fixed)} with repairs" if self.fix else "looked only"
        validated = sum(count.validated for count in self.collections)
        return f"Database {self.database}: {found}; {done}; {validated} document(s) validated."

    def as_json(self, longest: int) -> str:
        """Write the report as indented JSON of at most `longest` characters.

        While it is too long, the less severe half of the findings is left out and counted.
        """
        kept, text = len(self.findings), self.model_dump_json(indent=2)
        while len(text) > longest and kept:
            kept //= 2
            shorter = {"findings": self.findings[:kept], "left_out": len(self.findings) - kept}
            text = self.model_copy(update=shorter).model_dump_json(indent=2)
        return text


def worst_first(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """Sort findings by their severity; among equals their order stays."""
    order = get_args(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def run_check(
    part: str, collection: str, look: Callable[[], Iterable[AuditFinding]]
) -> list[AuditFinding]:
    """Do a part of an audit, or find that the server cannot do it here."""
    try:
        with translated_errors():
            return [*look()]
    except (OperationRefused, UnreadableDocument, DocumentTooLarge) as error:
        return [check_skipped(part, collection, str(error))]


def check_skipped(part: str, collection: str, remedy: str) -> AuditFinding:
    """Find that a part of the audit could not be done, and why (`remedy`)."""
    return AuditFinding(
        kind="not looked at", collection=collection, subject=part, count=0, remedy=remedy
    )


MAX_LENGTH = 100
"""Most characters of a name; an id may be of any type and length."""

NAME: Document = {"$cond": [{"$eq": [{"$type": "$id"}, "string"]}, "$id", {"_id": "$_id"}]}
"""Expression for what `named` reads: the app's `id` if it is text, else the `_id`."""


def named(value: object) -> str:
    """Name a document by its `id`, or by `_id` and its value, in one short line."""
    return shortened(f"_id {value.get('_id')!r}" if isinstance(value, dict) else str(value))


def name_of(document: Document) -> str:
    """Name a document that was read; the same as the server would."""
    found: Any = document.get("id")
    return named(found if isinstance(found, str) else {"_id": document.get("_id")})


def shortened(text: str) -> str:
    """Make a text one short, printable line."""
    printable = text if text.isprintable() else ascii(text)
    return printable if len(printable) <= MAX_LENGTH else f"{printable[: MAX_LENGTH - 3]}..."

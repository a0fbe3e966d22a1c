"""Documents that are not as their model says, counted by reason."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from pymongo.database import Database

from db.audit.document_names import name_of
from db.audit.reasons import Reason, reasons
from db.audit.report import LISTED, AuditFinding, CollectionSeen
from db.collections import Collection
from db.connection import Document

REASONS = 50
"""Most reasons of a collection that are told apart; the documents of the others are counted."""

_OTHERS: Reason = ("other fields", "reasons beyond the first that are listed")
_REMEDY = "Correct the field in these documents; docs/database.md says what it has to be."


class Validation:
    """The reasons of one collection's invalid documents; memory does not grow with them.

    Args:
        collection: Whose documents.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._counts: Counter[Reason] = Counter()
        self._ids: defaultdict[Reason, list[str]] = defaultdict(list)
        self._documents = 0
        self._validated = 0

    def run(self, database: Database[Document], sample_size: int | None) -> Iterator[AuditFinding]:
        """Validate the documents, one after another.

        Args:
            database: The StoryCanvas database.
            sample_size: Most documents to validate, chosen by chance; all when None.

        Yields:
            One finding for each reason, the most frequent first.

        Raises:
            pymongo.errors.PyMongoError: The server does not answer or refuses.
        """
        documents = database[self._collection.name]
        self._documents = documents.estimated_document_count()
        sampled = sample_size is not None and self._documents > sample_size
        sample = [{"$sample": {"size": sample_size}}] if sampled else []
        for document in documents.aggregate(sample, allowDiskUse=True):
            self._note(document)
        for reason, count in self._counts.most_common():
            yield self._finding(reason, count)

    @property
    def seen(self) -> CollectionSeen:
        """How much was validated so far."""
        return CollectionSeen(
            collection=self._collection.name,
            documents=max(self._documents, self._validated),
            validated=self._validated,
        )

    def _note(self, document: Document) -> None:
        self._validated += 1
        found = reasons(self._collection.document, document)
        known = {reason for reason in found if reason in self._counts}
        room = max(REASONS - len(self._counts), 0)
        new = sorted(found - known)
        told_apart = {*known, *new[:room], *([_OTHERS] if new[room:] else [])}
        for reason in told_apart:
            self._counts[reason] += 1
            if len(self._ids[reason]) < LISTED:
                self._ids[reason].append(name_of(document))

    def _finding(self, reason: Reason, count: int) -> AuditFinding:
        path, message = reason
        return AuditFinding(
            kind="invalid document",
            collection=self._collection.name,
            subject=f"{path}: {message}",
            count=count,
            ids=tuple(self._ids[reason]),
            remedy=_REMEDY,
        )

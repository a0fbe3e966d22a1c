"""What `init-db` found and did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, get_args

from db.schema.documents.base import Frozen
from db.setup.expiry import ExpiringIndex

Kind = Literal["collection", "validator", "index"]
Outcome = Literal["created", "existing", "repaired", "different", "blocked", "unknown"]


def words(outcome: Outcome, *, dry_run: bool) -> str:
    """Word an outcome, also of a dry run."""
    if outcome in {"different", "unknown"}:
        return f"{outcome} and left alone"
    would = dry_run and outcome in {"created", "repaired"}
    return f"would be {outcome}" if would else outcome


class Duplicates(Frozen):
    """Documents that share values which should be unique.

    Attributes:
        values: The shared values, by field.
        ids: `_id` of the first of them.
    """

    values: dict[str, str]
    count: int
    ids: tuple[str, ...]

    def __str__(self) -> str:
        shared = ", ".join(f"{field} = {value}" for field, value in self.values.items())
        more = ", ..." if self.count > len(self.ids) else ""
        return f"{shared} in {self.count} documents (_id {', '.join(self.ids)}{more})"


class Finding(Frozen):
    """What became of one collection, validator or index.

    Attributes:
        outcome: `created`, `existing`, `repaired`, `different` (it could be repaired, and only what
            is missing was asked for), `blocked` (it is not as it should be, and nothing was
            dropped), or `unknown` (not of this project, and left alone).
        reason: Why it was repaired, is different or is blocked, in one sentence.
        duplicates: The worst of the documents that block a unique index.
        duplicate_groups: How many sets of such documents there are.
    """

    collection: str
    kind: Kind
    name: str
    outcome: Outcome
    reason: str = ""
    duplicates: tuple[Duplicates, ...] = ()
    duplicate_groups: int = 0

    @property
    def place(self) -> str:
        """Name it within its database."""
        return self.name if self.kind == "collection" else f"{self.collection}.{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.place}: {self.reason}"


class InitReport(Frozen):
    """What `init-db` found and did, in the registry's order.

    Attributes:
        dry_run: Whether it only looked; `created` and `repaired` then mean what it would do.
        only_missing: Whether what differs was left alone.
        expiring: Every TTL index of the database, with what it would remove today.
    """

    database: str
    dry_run: bool
    only_missing: bool = False
    findings: tuple[Finding, ...]
    expiring: tuple[ExpiringIndex, ...] = ()

    @property
    def blocked(self) -> tuple[Finding, ...]:
        """What is not as it should be and could not be repaired."""
        return tuple(self.of("blocked"))

    @property
    def changed(self) -> tuple[Finding, ...]:
        """What was created or repaired, or would be."""
        return tuple(self.of("created", "repaired"))

    def of(self, *outcomes: Outcome) -> Iterable[Finding]:
        """Choose the findings with some outcomes."""
        return (finding for finding in self.findings if finding.outcome in outcomes)

    def lines(self) -> Iterator[str]:
        """Summarise in one line for each collection what became of it, then name TTL indexes."""
        for collection, findings in groupby(self.findings, key=lambda finding: finding.collection):
            by_outcome: dict[Outcome, list[str]] = defaultdict(list)
            for finding in findings:
                by_outcome[finding.outcome].append(finding.name)
            parts = [
                f"{words(outcome, dry_run=self.dry_run)}: {', '.join(names)}"
                for outcome, names in by_outcome.items()
            ]
            yield f"{collection}: {'; '.join(parts)}."
        for index in self.expiring:
            yield f"{index}."

    def summary(self) -> str:
        """Count in one sentence how many there are of each outcome."""
        counts = Counter(finding.outcome for finding in self.findings)
        parts = [
            f"{counts[outcome]} {words(outcome, dry_run=self.dry_run)}"
            for outcome in get_args(Outcome)
            if counts[outcome]
        ]
        return f"Database {self.database}: {', '.join(parts)}."

"""Matching all local models to Civitai's versions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pymongo.database import Database

from db.catalog.matches.candidates import CandidateKeys, find_candidates, find_suggestions
from db.catalog.matches.links import MatchLink, MatchRow
from db.catalog.matches.local_models import StoredLocalModel, local_models
from db.catalog.matches.write import MatchCounts, write_matches
from db.connection import Document
from storycanvas.catalog.civitai.version_files import VersionFile, version_files
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.kinds import LocalType
from storycanvas.catalog.matching.candidate_index import CandidateIndex
from storycanvas.catalog.matching.decide import match
from storycanvas.catalog.matching.local_models import LocalModel, LookupKeys, lookup_keys
from storycanvas.catalog.matching.outcomes import Candidate, Match
from storycanvas.catalog.reporting.reports import MatchReport
from tasks.artifacts import ReportArtifact
from tasks.progress import Progress
from tasks.retries import retrying_task


def match_batch(
    database: Database[Document], models: Sequence[StoredLocalModel], searches: int
) -> list[MatchRow]:
    """Match a few thousand models; return the outcomes in their order.

    The catalog's texts are searched for at most `searches` models without a link.
    """
    locals_ = [_local(model) for model in models]
    items = {item["id"]: item for item in find_candidates(database, _keys(locals_))}
    index = CandidateIndex(file for item in items.values() for file in version_files(item))
    rows = []
    for stored, local in zip(models, locals_, strict=True):
        own, near = index.for_local(local), index.near(local)
        found = match(local, own, near)
        if found.chosen is None and searches > 0 and not stored.is_confirmed:
            searches -= 1
            alike = find_suggestions(database, local.file_name.rpartition(".")[0])
            more = [file for item in alike for file in version_files(item)]
            found = match(local, own, [*near, *more])
        rows.append(_row(stored, found, items))
    return rows


def _local(stored: StoredLocalModel) -> LocalModel:
    return LocalModel(
        model_id=stored.model_id,
        kind=cast("LocalType", stored.model_type),
        file_name=stored.file_name,
        hashes=cast("Mapping[HashKind, frozenset[str]]", stored.hashes),
        sizes=stored.sizes,
    )


def _keys(models: Sequence[LocalModel]) -> CandidateKeys:
    keys: list[LookupKeys] = [lookup_keys(model) for model in models]
    return CandidateKeys(
        sha256={digits for key in keys for digits in key.sha256},
        blake3={digits for key in keys for digits in key.blake3},
        autov2={digits for key in keys for digits in key.autov2},
        autov3={digits for key in keys for digits in key.autov3},
        file_keys={key.file_key for key in keys if key.file_key},
        name_keys={key.name_key for key in keys if key.name_key},
    )


def _row(stored: StoredLocalModel, found: Match, items: Mapping[int, Document]) -> MatchRow:
    return MatchRow(
        model_id=stored.model_id,
        file_name=stored.file_name,
        model_type=stored.model_type,
        link=_link(found, found.chosen, items) if found.chosen else None,
        reason=None if found.chosen else found.reason,
        candidates=tuple(_candidate(candidate) for candidate in found.candidates),
        servers=stored.servers,
        raw_names=stored.raw_names,
    )


def _link(found: Match, chosen: VersionFile, items: Mapping[int, Document]) -> MatchLink | None:
    if found.quality is None or found.method is None:
        return None
    return MatchLink(
        civitai_id=chosen.model_id,
        name=chosen.model_name,
        version_id=chosen.version_id,
        version_name=chosen.version_name,
        quality=found.quality,
        method=found.method,
        score=found.score,
        base_model=chosen.base_model,
        description=_text(items.get(chosen.model_id, {}).get("description")),
        tags=chosen.tags,
        trained_words=chosen.trained_words,
        is_nsfw=chosen.nsfw,
        sha256=chosen.hashes.get("SHA256"),
    )


def _candidate(candidate: Candidate) -> dict[str, Any]:
    file = candidate.file
    return {
        "model_id": file.model_id,
        "model_name": file.model_name,
        "version_id": file.version_id,
        "version_name": file.version_name,
        "file_name": file.file_name,
        "score": candidate.score,
        "method": candidate.method,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


TABLE_KEY = "match-models"
BATCH = 500
MAX_SEARCHES = 2_000
"""Models without a link for which the catalog's texts are searched, in one run."""

MAX_EXAMPLES = 50


class _Tally:
    """The outcomes of the batches so far."""

    def __init__(self) -> None:
        self.models = self.unmatched = self.suggested = self.kept = self.written = 0
        self.by_method: Counter[str] = Counter()
        self.examples: list[str] = []
        self.refused: list[str] = []

    def add(self, rows: Iterable[MatchRow], counts: MatchCounts) -> None:
        for row in rows:
            self.models += 1
            if row.model_id in counts.confirmed:
                self.kept += 1
            elif row.link is not None:
                self.by_method[row.link.method] += 1
            else:
                self._add_unmatched(row)
        self.written += counts.written
        self.refused += [f"{subject}: {reason}" for subject, reason in counts.refused]

    def _add_unmatched(self, row: MatchRow) -> None:
        self.unmatched += 1
        self.suggested += bool(row.candidates)
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{row.reason} ({row.model_id})")

    def report(self) -> MatchReport:
        return MatchReport(
            models=self.models,
            by_method=dict(self.by_method),
            unmatched=self.unmatched,
            suggested=self.suggested,
            kept=self.kept,
            written=self.written,
            examples=tuple(self.examples),
            notes=tuple(self.refused),
        )


@retrying_task("match")
def match_all(database: Database[Document], progress: Progress) -> MatchReport:
    """Match every active local model and store the outcomes, batch by batch."""
    tally = _Tally()
    for models in local_models(database, BATCH):
        left = max(0, MAX_SEARCHES - tally.unmatched)
        rows = match_batch(database, models, left)
        tally.add(rows, write_matches(database, rows, datetime.now(UTC)))
        progress("Models", tally.models, 0)
    return tally.report()


def match_table(report: MatchReport) -> ReportArtifact:
    """Make the table of links by method, and examples of models without one."""
    rows = [
        {"what": f"linked by {way}", "models": count} for way, count in report.by_method.items()
    ]
    rows += [
        {"what": "links of a person, kept", "models": report.kept},
        {"what": "without a link", "models": report.unmatched},
    ]
    rows += [{"what": example, "models": 1} for example in report.examples]
    return ReportArtifact(TABLE_KEY, rows)

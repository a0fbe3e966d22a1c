"""Matching all local models to Civitai's versions, and showing what was found."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.configured import civitai
from blocks.environment import Environment
from catalog.errors import CatalogError
from catalog.reporting.match_report import MatchReport
from db.catalog.local_models import local_models
from db.catalog.match_row import MatchRow
from db.catalog.matches import MatchCounts, write_matches
from db.connection import Document
from tasks.look_up_hashes import LookedUp, look_up_hashes
from tasks.match_batch import match_batch
from tasks.progress import Progress, shown_progress
from tasks.retrying import may_pass, patient
from tasks.story_database import opened_database

TABLE_KEY = "match-models"
BATCH = 500
MOST_SEARCHES = 2_000
"""Models without a link for which the catalog's texts are searched, in one run."""

MOST_EXAMPLES = 50


class _Tally:
    """What came of the batches so far."""

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
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{row.model_id}: {row.reason}")

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


@task(cache_policy=NO_CACHE, task_run_name="match", retry_condition_fn=may_pass)
def match_all(database: Database[Document], progress: Progress) -> MatchReport:
    """Match every active local model and write down what was found, batch by batch.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    tally = _Tally()
    for models in local_models(database, BATCH):
        left = max(0, MOST_SEARCHES - tally.unmatched)
        rows = match_batch(database, models, left)
        tally.add(rows, write_matches(database, rows, datetime.now(UTC)))
        progress("Models", tally.models, 0)
    return tally.report()


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_matches(report: MatchReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for note in report.notes:
        log.warning(note)
    log.info(report.summary())
    rows = [
        {"what": f"linked by {way}", "models": count} for way, count in report.by_method.items()
    ]
    rows += [
        {"what": "links of a person, kept", "models": report.kept},
        {"what": "without a link", "models": report.unmatched},
    ]
    rows += [{"what": example, "models": 1} for example in report.examples]
    create_table_artifact(rows, key=TABLE_KEY, description=report.summary())


def match_catalog(*, ask_civitai: bool) -> MatchReport:
    """Match all local models, show what was found and return it.

    Args:
        ask_civitai: Whether to ask Civitai for unknown hashes first; if it cannot be asked, the
            report says so and the rest is done.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    environment = Environment()
    looked_up, notes = LookedUp(), []
    with (
        opened_database(environment) as database,
        shown_progress(f"{TABLE_KEY}-progress", "models") as progress,
    ):
        if ask_civitai:
            try:
                looked_up = patient(look_up_hashes, environment)(database, civitai(environment))
            except CatalogError as error:
                notes.append(f"Civitai could not be asked for unknown hashes: {error}")
        found = patient(match_all, environment)(database, progress)
    every = (*notes, *looked_up.left_out, *found.notes)
    report = found.model_copy(update={"looked_up": looked_up.models, "notes": every})
    show_matches(report)
    return report

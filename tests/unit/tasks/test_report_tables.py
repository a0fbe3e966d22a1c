"""Tables of reports begin with what it is and what to do; ids and addresses stand last."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from db.audit.report import AuditFinding, AuditReport
from db.couple_import.report import ImportReport, Problem
from db.inference.report import ModelWithoutPresets, SeedReport
from db.migrations.engine.check import MoveReport, Unresolved
from db.setup.report import Finding, InitReport
from db.soft_delete.recycle_bin import BinReport, DeletedDocument
from db.soft_delete.report import KeptDocument, PurgeCount, PurgeReport
from storycanvas.catalog.reporting.reports import (
    CatalogReport,
    MatchReport,
    ReportList,
    ServerSync,
    SyncReport,
)
from storycanvas.net.wording import counted
from tasks.artifacts import ReportArtifact
from tasks.catalog.match import match_table
from tasks.catalog.report import report_artifacts
from tasks.catalog.sync import sync_tables
from tasks.database.audit import audit_artifacts
from tasks.database.import_couple_swap import import_table
from tasks.database.initialise import initialisation_table
from tasks.database.migrate import migration_table
from tasks.database.purge import purge_table
from tasks.database.recycle_bin import bin_table
from tasks.database.seed_inference import seeding_table

NOW = datetime(2026, 11, 21, tzinfo=UTC)
AUDIT = AuditReport(
    database="storyboard",
    fix=False,
    looked_at=NOW,
    sample_size=1,
    collections=(),
    findings=(AuditFinding(kind="orphan", collection="clips", subject="s", count=1, ids=("7",)),),
)
INIT = InitReport(
    database="storyboard",
    dry_run=False,
    findings=(
        Finding(collection="clips", kind="index", name="id_1", outcome="existing"),
        Finding(collection="users", kind="index", name="id_1", outcome="blocked", reason="Why."),
    ),
)
PURGE = PurgeReport(
    database="storyboard",
    dry_run=True,
    deleted_before=NOW,
    removal_done=False,
    counts=(PurgeCount(collection="clips"),),
    kept=(KeptDocument(collection="projects", document_id="7", reason="Why."),),
)
BIN = BinReport(
    database="storyboard",
    older_than_days=30,
    counts={"clips": 1},
    documents=(
        DeletedDocument(
            collection="clips",
            document_id="7",
            name="a",
            deleted_at=None,
            deleted_by="",
            together={"clips": 1},
            days_left=None,
        ),
    ),
    more=False,
)
MOVE = MoveReport(
    number=1,
    name="n",
    direction="up",
    counts={"clips": 2},
    unresolved=(Unresolved(what="Texts", count=1, examples=("7",)),),
)
SYNC = SyncReport(
    servers=(ServerSync(id="7", name="Box", url="http://box", status="error", error="Why."),)
)
IMPORT = ImportReport(
    database="storyboard",
    dry_run=True,
    tables=(),
    problems=(Problem(table="users", legacy_id=7, row=1, reason="Why."),),
)
SEED = SeedReport(
    database="storyboard",
    dry_run=True,
    presets=(),
    unknown=(ModelWithoutPresets(model_id="7", name="a", seen="Why."),),
)
CATALOG = CatalogReport(
    since=NOW, new=ReportList(count=1, rows=({"id": "7", "model_name": "a", "backend_id": "b"},))
)


def rows(table: ReportArtifact) -> list[Mapping[str, Any]]:
    assert not isinstance(table.content, str)
    return [*table.content]


TABLES: dict[str, tuple[ReportArtifact, list[str], str]] = {
    "audit-db": (audit_artifacts(AUDIT)[0], ["severity", "kind", "done or to do"], "first"),
    "init-db": (initialisation_table(INIT), ["outcome", "reason"], "name"),
    "purge-deleted": (purge_table(PURGE), ["collection", "note"], "id"),
    "list-deleted": (bin_table(BIN), ["name", "collection", "deleted together"], "id"),
    "migrate-db": (migration_table("migrate-db", [MOVE]), ["what", "documents"], "direction"),
    "import": (import_table(IMPORT), ["table", "not placed", "note"], "existing"),
    "seed": (seeding_table(SEED), ["base model", "preset", "note"], "existing"),
    "sync": (sync_tables(SYNC)[0], ["server", "status", "note"], "address"),
    "report": ([*report_artifacts(CATALOG, b"")][1], ["model_name"], "backend_id"),
}


@pytest.mark.parametrize(("table", "first", "last"), TABLES.values(), ids=TABLES)
def test_a_table_begins_with_what_to_do_and_ends_with_ids(
    table: ReportArtifact, first: list[str], last: str
) -> None:
    columns = [*rows(table)[0]]

    assert columns[: len(first)] == first
    assert columns[-1] == last


def test_what_needs_a_person_is_in_the_first_row() -> None:
    assert rows(initialisation_table(INIT))[0]["outcome"] == "blocked"
    assert rows(purge_table(PURGE))[0]["note"] == "Kept: Why."
    assert rows(migration_table("migrate-db", [MOVE]))[0]["what"] == "Texts (1: 7)"
    assert rows(match_table(MatchReport(examples=("No file. (7)",))))[-1]["what"] == "No file. (7)"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries")], ids=str
)
def test_a_count_has_the_number_of_its_noun(count: int, words: str) -> None:
    assert counted(count, "entry", "entries") == words
    assert counted(count, "page") == words.replace("entries", "pages").replace("entry", "page")

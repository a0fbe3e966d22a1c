"""What maintenance tells of a database: the same finding is the same state, night after night."""

from datetime import UTC, datetime

import pytest

from db.audit.report import AuditFinding, AuditReport, ValidatedCount
from db.migrations.engine.check import MigrationReport, MoveReport, Unresolved
from db.setup.report import Finding, InitReport
from db.soft_delete.report import PurgeCount, PurgeReport
from tasks.database.audit import audit_state
from tasks.database.changes import NOTHING
from tasks.database.initialise import drift
from tasks.database.migrate import pending_state
from tasks.database.purge import due_state

NOW = datetime(2026, 11, 21, tzinfo=UTC)

QUEUE = Finding(
    collection="facefusion_jobs", kind="collection", name="facefusion_jobs", outcome="created"
)
ITS_INDEX = Finding(collection="facefusion_jobs", kind="index", name="id_1", outcome="created")
BY_NAME = Finding(collection="projects", kind="index", name="name_1", outcome="different")
BY_ID = Finding(collection="users", kind="index", name="id_1", outcome="blocked", reason="Why.")
STRANGE = Finding(collection="films", kind="collection", name="films", outcome="unknown")
THERE = Finding(collection="clips", kind="index", name="id_1", outcome="existing")


def initialised(*findings: Finding, dry_run: bool = False) -> InitReport:
    return InitReport(database="story", dry_run=dry_run, findings=findings)


def test_drift_names_what_is_wrong_and_a_missing_collection_once() -> None:
    state = drift(initialised(THERE, QUEUE, ITS_INDEX, BY_NAME, BY_ID, STRANGE))

    assert state.found == {
        "missing: collection facefusion_jobs",
        "different: index projects.name_1",
        "blocked: index users.id_1",
    }
    assert state.left == state.found - {"missing: collection facefusion_jobs"}
    assert state.counts == {"blocked": 1, "different": 1, "missing": 1}
    assert state.worst == "blocked"
    assert state.sentence == (
        "Database story: blocked: index users.id_1; different and left alone: index projects.name_1"
        "; created: collection facefusion_jobs."
    )


def test_a_look_and_a_repair_find_the_same_drift_and_only_the_repair_ends_it() -> None:
    repaired = BY_NAME.model_copy(update={"outcome": "repaired"})
    looked = drift(initialised(repaired, QUEUE, dry_run=True))
    left_alone = drift(initialised(BY_NAME, QUEUE))
    mended = drift(initialised(repaired, QUEUE))

    assert looked.found == left_alone.found == mended.found == looked.left
    assert left_alone.left == {"different: index projects.name_1"}
    assert mended.left == set()
    assert "would be created: collection facefusion_jobs" in looked.sentence


def test_a_database_as_the_registry_defines_it_has_no_drift() -> None:
    state = drift(initialised(THERE, STRANGE))

    assert (state.found, state.left, state.worst) == (set(), set(), NOTHING)
    assert state.sentence == "Database story: all is as the registry defines it."


def test_a_long_list_is_cut_in_the_sentence() -> None:
    many = [BY_ID.model_copy(update={"collection": f"c{number}"}) for number in range(7)]

    assert "index c4.id_1 and 2 more." in drift(initialised(*many)).sentence


def audited(*findings: AuditFinding, documents: int = 10, sample: int | None = 1000) -> AuditReport:
    return AuditReport(
        database="story",
        fix=False,
        looked_at=NOW,
        sample_size=sample,
        collections=(ValidatedCount(collection="clips", documents=documents, validated=10),),
        findings=findings,
    )


ORPHAN = AuditFinding(kind="orphan", collection="clips", subject="scene_id of scenes", count=2)
INVALID = AuditFinding(kind="invalid document", collection="clips", subject="name: why", count=1)
BLOCKED = AuditFinding(
    kind="blocked index", collection="users", subject="id_1", count=1, severity="critical"
)
UNUSED = AuditFinding(
    kind="unused index", collection="clips", subject="since", count=1, severity="info"
)
LARGE = AuditFinding(kind="oversized document", collection="clips", subject="5 MB", count=1)


def test_an_audit_is_told_by_what_is_wrong_and_not_by_how_often() -> None:
    state = audit_state(audited(BLOCKED, ORPHAN, UNUSED))
    more = ORPHAN.model_copy(update={"count": 9, "ids": ("7",)})

    assert state.found == audit_state(audited(BLOCKED, more)).found
    assert state.found == {
        "critical: blocked index in users, id_1",
        "warning: orphan in clips, scene_id of scenes",
    }
    assert (state.counts["critical"], state.counts["warning"], state.counts["info"]) == (1, 1, 1)
    assert state.worst == "critical"
    assert "Worst: blocked index in users, id_1: 1." in state.sentence
    assert audit_state(audited(UNUSED)).found == set()


def test_numbers_that_grow_by_nights_are_no_change() -> None:
    larger = LARGE.model_copy(update={"subject": "6 MB"})

    assert audit_state(audited(LARGE)).found == audit_state(audited(larger)).found


def test_what_was_mended_is_not_left() -> None:
    mended = ORPHAN.model_copy(update={"done": "fixed: 2."})

    assert audit_state(audited(mended)).found == audit_state(audited(ORPHAN)).found
    assert audit_state(audited(mended)).left == set()


@pytest.mark.parametrize(
    ("documents", "sample", "kept"), [(9000, 1000, True), (900, 1000, False), (9000, None, False)]
)
def test_what_a_sample_did_not_find_again_is_no_change(
    documents: int, sample: int | None, kept: bool
) -> None:
    before = audit_state(audited(INVALID, ORPHAN)).found

    found, left = audit_state(audited(documents=documents, sample=sample)).after(before)

    expected = {"warning: invalid document in clips, name: why"} if kept else set()
    assert found == left == expected


def migrated(*moves: MoveReport, dry_run: bool) -> MigrationReport:
    return MigrationReport(database="story", dry_run=dry_run, target="latest", moves=moves)


def test_pending_migrations_and_older_documents_are_told_until_they_are_carried_out() -> None:
    left = Unresolved(what="Views", count=1)
    moves = (
        MoveReport(
            number=3, name="dates", direction="up", counts={"a.b": 2, "c.d": 0}, repeated=True
        ),
        MoveReport(number=9, name="new", direction="up", counts={"e.f": 5}, unresolved=(left,)),
    )

    looked, done = (pending_state(migrated(*moves, dry_run=dry)) for dry in (True, False))

    assert looked.found == looked.left == {"3: a.b", "9 new", "9: e.f", "9 left: Views"}
    assert (done.found, done.left) == (looked.found, {"9 left: Views"})
    assert looked.counts == {"migrations": 1, "documents": 7, "left to a person": 1}
    assert looked.sentence == (
        "Database story: 1 migration pending (9), 7 documents in an older shape, 1 kind left to a "
        "person."
    )
    assert pending_state(migrated(dry_run=True)).found == set()


def purged(*, removed: int, done: bool) -> PurgeReport:
    counts = (
        PurgeCount(collection="clips", due=4, removed=removed),
        PurgeCount(collection="projects", kept=1),
    )
    return PurgeReport(
        database="story", dry_run=not done, deleted_before=NOW, removal_done=done, counts=counts
    )


def test_what_is_due_is_told_by_its_numbers_until_it_is_removed() -> None:
    looked = due_state(purged(removed=0, done=False), 30)

    assert looked.found == looked.left == {"clips: 4"}
    assert looked.counts == {"due": 4, "kept": 1, "removed": 0, "clips": 4}
    assert looked.question != due_state(purged(removed=0, done=False), 90).question
    assert due_state(purged(removed=3, done=True), 30).left == {"clips: 1"}
    assert due_state(purged(removed=4, done=True), 30).left == set()

"""An audit repairs only where no data can be lost, once, and reports what it did."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from db.audit.audit import audit
from db.audit.documents import reasons
from db.ledger import OperationLedger
from db.ledger import record_operation
from tests.support.db.audit_findings import DOCUMENTS, EARLIER, LATER, job, one_of, statuses
from tests.support.db.database_state import Data
from tests.support.db.records import CHARACTER, character, entry, record
from tests.support.db.stored_documents import NOW

HISTORY = "facefusion_processing_history"


def test_only_jobs_with_an_expired_lease_are_taken_back(database: Data) -> None:
    long_ago = NOW - timedelta(hours=2)
    database["facefusion_jobs"].insert_many(
        [
            job(1, lease_expires_at=EARLIER, attempts=2, progress=40.0),
            job(2, lease_expires_at=EARLIER, attempts=3),
            job(3, lease_expires_at=LATER),
            job(4, updated_at=long_ago),
            job(5, lease_expires_at=EARLIER),
            job(6, lease_expires_at=EARLIER, status="cancelled"),
        ]
    )

    first, second = (audit(database, NOW, fix=True).fixed for _ in range(2))

    assert [finding.done for finding in first] == [
        "fixed: 2 put back to queued, 1 failed after 3 attempts."
    ]
    assert second == ()
    assert statuses(database) == {
        "job-1": "queued",
        "job-2": "failed",
        "job-3": "processing",
        "job-4": "processing",
        "job-5": "queued",
        "job-6": "cancelled",
    }
    back = database["facefusion_jobs"].find_one({"id": "job-1"})
    ended = database["facefusion_jobs"].find_one({"id": "job-2"})
    assert back is not None
    assert ended is not None
    assert (back["lease_expires_at"], back["attempts"], back["progress"]) == (None, 2, 40.0)
    assert "3 attempts" in ended["error_message"]
    assert reasons(DOCUMENTS["facefusion_jobs"], ended) == set()


def test_owed_effects_are_found_and_applied_once(database: Data) -> None:
    database["characters"].insert_one(character())
    ledger = OperationLedger(database)
    ledger.complete(record("key-1"))
    ledger.complete(record("key-2"))
    record_operation(database, record("key-3"), NOW)

    looked = one_of(audit(database, NOW), "owed effect")
    repaired = one_of(audit(database, NOW, fix=True), "owed effect")

    assert (looked.count, looked.ids, looked.done) == (2, ("key-1", "key-2"), "")
    assert repaired.done == "fixed: 4 effect(s) of 2 record(s) applied."
    assert audit(database, NOW, fix=True).of("owed effect") == ()
    kept = database["characters"].find_one({"id": CHARACTER})
    assert kept is not None
    assert len(kept[HISTORY]) == 3


def test_what_cannot_be_applied_is_told_and_the_rest_is_applied(database: Data) -> None:
    database["characters"].insert_many(
        [character(), {"id": "broken", HISTORY: "text", "name": "B"}]
    )
    ledger = OperationLedger(database)
    ledger.complete(record("key-1"))
    entry_of_broken = record("key-2").effects[0].model_copy(update={"character_id": "broken"})
    ledger.complete(record("key-2", effects=[entry_of_broken]))
    database["facefusion_operations"].insert_one({"_id": 7, "effects": [{"kind": "strange"}]})

    report = audit(database, NOW, fix=True)

    assert [
        (finding.subject[:12], finding.count, finding.ids) for finding in report.of("owed effect")
    ] == [
        ("entries with", 3, ("7", "key-1", "key-2")),
        ("entries with", 2, ("7", "key-2")),
    ]
    assert [finding.done for finding in report.fixed] == [
        "fixed: 2 effect(s) of 1 record(s) applied."
    ]


def test_repairs_by_two_at_once_are_done_once(database: Data) -> None:
    database["characters"].insert_one(character())
    for number in range(20):
        OperationLedger(database).complete(record(f"key-{number}"))
    jobs = [job(number, lease_expires_at=EARLIER) for number in range(20)]
    database["facefusion_jobs"].insert_many(jobs)

    with ThreadPoolExecutor(2) as pool:
        reports = [*pool.map(lambda _: audit(database, NOW, fix=True), range(2))]

    kept = database["characters"].find_one({"id": CHARACTER})
    assert kept is not None
    assert len(kept[HISTORY]) == len({kept_entry["id"] for kept_entry in kept[HISTORY]}) == 20
    assert set(statuses(database).values()) == {"queued"}
    assert all(finding.done for report in reports for finding in report.of("owed effect"))


def test_an_orphan_is_never_removed_and_nothing_else_is_changed(database: Data) -> None:
    database["clips"].insert_one({"_id": 1, "id": "c", "scene_id": "gone", "character_id": "gone"})
    before = [*database["clips"].find()]

    report = audit(database, NOW, fix=True)

    assert len(report.of("orphan")) == 2
    assert [*database["clips"].find()] == before
    assert database.list_collection_names() == ["clips"]


def test_a_history_that_is_too_long_is_told_and_left_as_it_is(database: Data) -> None:
    entries = [entry(number).model_dump() for number in range(201)]
    database["characters"].insert_many(
        [
            character(**{HISTORY: entries}),
            {"id": "full", HISTORY: entries[:200]},
            {"id": "strange", HISTORY: {"200": 1}},
        ]
    )

    long = one_of(audit(database, NOW, fix=True), "long history")

    assert (long.count, long.ids, long.done) == (1, (CHARACTER,), "")
    kept = database["characters"].find_one({"id": CHARACTER})
    assert kept is not None
    assert len(kept[HISTORY]) == 201

"""An audit repairs only where no data can be lost, once, reports it, and needs few rights."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from db.audit.audit import audit
from db.audit.documents import reasons
from db.errors import DatabaseRefused
from db.ledger import OperationLedger, record_operation
from tests.support.db.database_state import Data
from tests.support.db.fixtures import as_user
from tests.support.db.records import CHARACTER, character, entry, record
from tests.support.db.stored_documents import (
    DOCUMENTS,
    EARLIER,
    HELD,
    NOW,
    found,
    job,
    statuses,
    the_finding,
)

HISTORY = "facefusion_processing_history"


def history(database: Data) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (database["characters"].find_one({"id": CHARACTER}) or {})[
        HISTORY
    ]
    return found


def test_only_jobs_with_an_expired_lease_are_requeued(database: Data) -> None:
    long_ago = NOW - timedelta(hours=2)
    database["facefusion_jobs"].insert_many(
        [
            job(1, lease_expires_at=EARLIER, attempts=2, progress=40.0),
            job(2, lease_expires_at=EARLIER, attempts=3),
            job(3, lease_expires_at=HELD),
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
    back, ended = (database["facefusion_jobs"].find_one({"id": f"job-{n}"}) or {} for n in (1, 2))
    assert (back["lease_expires_at"], back["attempts"], back["progress"]) == (None, 2, 40.0)
    assert "3 attempts" in ended["error_message"]
    assert reasons(DOCUMENTS["facefusion_jobs"], ended) == set()


def test_pending_effects_are_found_and_applied_once(database: Data) -> None:
    database["characters"].insert_one(character())
    ledger = OperationLedger(database)
    ledger.complete(record("key-1"))
    ledger.complete(record("key-2"))
    record_operation(database, record("key-3"), NOW)

    looked = the_finding(audit(database, NOW), "owed effect")
    repaired = the_finding(audit(database, NOW, fix=True), "owed effect")

    assert (looked.count, looked.ids, looked.done) == (2, ("key-1", "key-2"), "")
    assert repaired.done == "fixed: 4 effect(s) of 2 record(s) applied."
    assert audit(database, NOW, fix=True).of("owed effect") == ()
    assert len(history(database)) == 3


def test_effects_that_cannot_be_applied_are_reported_and_the_rest_applied(
    database: Data,
) -> None:
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


def test_repairs_by_two_audits_at_once_are_done_once(database: Data) -> None:
    database["characters"].insert_one(character())
    for number in range(20):
        OperationLedger(database).complete(record(f"key-{number}"))
    jobs = [job(number, lease_expires_at=EARLIER) for number in range(20)]
    database["facefusion_jobs"].insert_many(jobs)

    with ThreadPoolExecutor(2) as pool:
        reports = [*pool.map(lambda _: audit(database, NOW, fix=True), range(2))]

    kept = history(database)
    assert len(kept) == len({kept_entry["id"] for kept_entry in kept}) == 20
    assert set(statuses(database).values()) == {"queued"}
    assert all(finding.done for report in reports for finding in report.of("owed effect"))


def test_an_orphan_is_never_removed_and_nothing_else_is_changed(database: Data) -> None:
    database["clips"].insert_one({"_id": 1, "id": "c", "scene_id": "gone", "character_id": "gone"})
    before = [*database["clips"].find()]

    report = audit(database, NOW, fix=True)

    assert len(report.of("orphan")) == 2
    assert [*database["clips"].find()] == before
    assert database.list_collection_names() == ["clips"]


def test_a_history_that_is_too_long_is_reported_and_left_as_it_is(database: Data) -> None:
    entries = [entry(number).model_dump() for number in range(201)]
    database["characters"].insert_many(
        [
            character(**{HISTORY: entries}),
            {"id": "full", HISTORY: entries[:200]},
            {"id": "strange", HISTORY: {"200": 1}},
        ]
    )

    long = the_finding(audit(database, NOW, fix=True), "long history")

    assert (long.count, long.ids, long.done) == (1, (CHARACTER,), "")
    assert len(history(database)) == 201


def test_missing_rights_end_only_what_needs_them(guarded_url: str) -> None:
    app, viewer = as_user(guarded_url, "app"), as_user(guarded_url, "viewer")
    stranger = as_user(guarded_url, "stranger")
    app["projects"].insert_one({"id": 1})
    app["facefusion_jobs"].insert_one(job(1, lease_expires_at=EARLIER))

    for user in (app, viewer):
        report = audit(user, NOW)
        assert found(report, "not looked at") == {("all collections", "use of indexes"): 0}
        assert "clusterMonitor" in the_finding(report, "not looked at").remedy
        assert ("projects", "id: Input should be a valid string") in found(
            report, "invalid document"
        )
    with pytest.raises(DatabaseRefused, match="refuses this user"):
        audit(viewer, NOW, fix=True)
    with pytest.raises(DatabaseRefused, match="refuses this user"):
        audit(stranger, NOW)
    for user in (app, viewer, stranger):
        user.client.close()

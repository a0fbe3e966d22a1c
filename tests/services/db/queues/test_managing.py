"""What a person cancels and puts back in a queue, by the states alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.queues.claims import ClaimRepository
from db.queues.managing import QueueManager
from db.queues.queue import COUPLE_TASKS, JOBS, QUEUES, Queue
from db.queues.reports import QueueAction, QueueFilter
from db.queues.submitting import NewJob, submit_job
from tests.support.db.database_state import Data

NOW = datetime.now(UTC).replace(microsecond=0)
LEASE = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=3)
both = pytest.mark.parametrize("queue", QUEUES, ids=[queue.collection for queue in QUEUES])


def manage(database: Data, queue: Queue = JOBS, **wanted: Any) -> QueueManager:
    return QueueManager(database, queue, QueueFilter(**wanted))


def put(database: Data, queue: Queue, **fields: Any) -> None:
    database[queue.collection].insert_one({"id": "1", "created_at": NOW, **fields})


def stored(database: Data, queue: Queue, name: str = "1") -> dict[str, Any]:
    found: dict[str, Any] | None = database[queue.collection].find_one({"id": name}, {"_id": False})
    assert found is not None
    return found


TRANSITIONS: list[tuple[Queue, dict[str, Any], QueueAction, str]] = [
    (JOBS, {"status": "queued"}, "cancel", "cancelled"),
    (JOBS, {"status": "processing", "lease_expires_at": LEASE}, "cancel", "cancelled"),
    (JOBS, {"status": "processing"}, "cancel", "processing"),
    (JOBS, {"status": "completed"}, "cancel", "completed"),
    (JOBS, {"status": "failed"}, "cancel", "failed"),
    (JOBS, {"status": "failed"}, "retry", "queued"),
    (JOBS, {"status": "cancelled"}, "retry", "queued"),
    (JOBS, {"status": "completed"}, "retry", "completed"),
    (JOBS, {"status": "processing", "lease_expires_at": LEASE}, "retry", "processing"),
    (COUPLE_TASKS, {"status": "pending"}, "cancel", "failed"),
    (COUPLE_TASKS, {"status": "processing", "lease_expires_at": LEASE}, "cancel", "failed"),
    (COUPLE_TASKS, {"status": "processing"}, "cancel", "processing"),
    (COUPLE_TASKS, {"status": "completed"}, "cancel", "completed"),
    (COUPLE_TASKS, {"status": "failed", "error_message": "No face."}, "retry", "pending"),
    (COUPLE_TASKS, {"status": "failed", "error_message": "Canceled by user"}, "retry", "failed"),
    (COUPLE_TASKS, {"status": "completed"}, "retry", "completed"),
]


@pytest.mark.parametrize(("queue", "fields", "action", "status"), TRANSITIONS)
def test_a_document_changes_as_the_table_of_states_says_and_no_other_way(
    database: Data, queue: Queue, fields: dict[str, Any], action: QueueAction, status: str
) -> None:
    put(database, queue, **fields)
    before = stored(database, queue)

    due = manage(database, queue).report(action, dry_run=True).due
    changed = manage(database, queue).change(action)

    after = stored(database, queue)
    assert after["status"] == status
    assert changed == due == (1 if status != fields["status"] else 0)
    assert changed or after == before


def test_a_cancelled_job_has_an_end_and_its_claim_writes_nothing_more(database: Data) -> None:
    put(database, JOBS, status="queued", progress=0.0)
    claims = ClaimRepository(database, JOBS, "drain", "run")
    claim = claims.claim()
    assert claim is not None
    claims.write(claim, {"progress": 40.0})

    manage(database, id="1").change("cancel")

    assert not claims.write(claim, {"progress": 60.0})
    assert not claims.end(claim, "completed", {})
    after = stored(database, JOBS)
    assert (after["status"], after["progress"], after["claim_token"]) == ("cancelled", 40.0, None)
    assert abs(after["completed_at"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_cancelled_task_ends_as_the_app_ends_it(database: Data) -> None:
    put(database, COUPLE_TASKS, status="pending", task_id="t-1", error_code="timed_out")

    assert manage(database, COUPLE_TASKS, id="t-1").change("cancel") == 1

    after = stored(database, COUPLE_TASKS)
    assert (after["status"], after["error_message"]) == ("failed", "Canceled by user")
    assert (after["error_code"], after["completed_at"] is None) == (None, False)


@both
def test_what_is_put_back_begins_anew_and_is_claimed_again(database: Data, queue: Queue) -> None:
    put(
        database,
        queue,
        status="failed",
        attempts=3,
        claim_token="old",  # noqa: S106
        error_code="no_face",
        error_message="No face.",
        progress=50,
        completed_at=NOW,
        not_before=LEASE,
        result_image_id="kept",
    )

    manage(database, queue).change("retry")

    after = stored(database, queue)
    cleared = ("claim_token", "error_code", "error_message", "completed_at", "not_before")
    assert [after[name] for name in cleared] == [None] * len(cleared)
    assert (after["attempts"], after["progress"], after["result_image_id"]) == (0, 0, "kept")
    assert ClaimRepository(database, queue, "drain", "run").claim() is not None


def test_a_batch_counts_the_tasks_that_were_cancelled_and_put_back(database: Data) -> None:
    database["batch_tasks"].insert_one({"batch_id": "b", "status": "pending", "total_tasks": 2})
    for name in ("1", "2"):
        put(database, COUPLE_TASKS, id=name, status="pending", batch_id="b")

    counted = []
    steps: list[tuple[str, QueueAction]]
    steps = [("1", "cancel"), ("1", "retry"), ("1", "cancel"), ("2", "cancel")]
    for wanted, action in steps:
        manage(database, COUPLE_TASKS, id=wanted).change(action)
        batch = database["batch_tasks"].find_one() or {}
        counted.append((batch["status"], batch["failed_tasks"]))

    assert counted == [("processing", 1), ("processing", 0), ("processing", 1), ("failed", 2)]


def test_a_task_that_a_user_cancelled_is_put_back_by_its_id(database: Data) -> None:
    put(database, COUPLE_TASKS, status="failed", error_message="Canceled by user")

    assert manage(database, COUPLE_TASKS, status="failed").change("retry") == 0
    assert manage(database, COUPLE_TASKS, id="1").change("retry") == 1


@pytest.mark.parametrize("field", ["husband_image_id", "wife_photo_id"])
@pytest.mark.parametrize(
    ("expires", "back"), [(LONG_AGO, 0), (LEASE, 1), (None, 1), ("2020-01-01", 1)]
)
def test_a_task_whose_photo_has_expired_is_not_put_back(
    database: Data, field: str, expires: object, back: int
) -> None:
    put(database, COUPLE_TASKS, status="failed", **{field: "photo"})
    database["images"].insert_many([{"id": "photo", "expires_at": expires}, {"id": None}])

    report = manage(database, COUPLE_TASKS, id="1").report("retry", dry_run=True)

    assert manage(database, COUPLE_TASKS, id="1").change("retry") == report.due == back
    assert report.with_expired_photo == 1 - back


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"a", "b", "c", "d"}),
        ({"id": "a"}, {"a"}),
        ({"id": "task"}, set()),
        ({"status": "failed"}, {"b"}),
        ({"job_type": "swap"}, {"b"}),
        ({"job_type": "batch"}, {"a", "c", "d"}),
        ({"character_id": "mara"}, {"a"}),
        ({"project_id": "p"}, {"c"}),
        ({"older_than_hours": 24}, {"b"}),
        ({"older_than_hours": 24 * 4}, set()),
        ({"status": "queued", "character_id": "mara"}, {"a"}),
        ({"id": "$ne"}, set()),
    ],
)
def test_jobs_are_chosen_by_what_is_named(
    database: Data, wanted: dict[str, Any], found: set[str]
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "status": "queued", "character_id": "mara", "created_at": NOW},
        {"id": "b", "status": "failed", "job_type": "swap", "created_at": LONG_AGO},
        {"id": "c", "status": "queued", "job_type": "batch", "project_id": "p"},
        {"id": "d", "status": 7, "created_at": "2020-01-01", "error_message": {"odd": 1}},
    ]
    database[JOBS.collection].insert_many(rows)

    report = manage(database, **wanted).report("list", dry_run=False)

    assert {document.id for document in report.documents} == found
    assert sum(report.counts.values()) == len(found)


def test_a_job_is_in_its_queue_once_and_is_claimed_by_priority(database: Data) -> None:
    low = NewJob(job_type="enhance", input_data={"image_url": "a"}, priority=-5)
    high = NewJob(job_type="swap", input_data={"target_image_url": "$b"}, priority=5)
    for job_id, job in (("low", low), ("high", high), ("high", low)):
        submit_job(database, job_id, job, NOW)

    claims = ClaimRepository(database, JOBS, "drain", "run")
    claimed = [claims.claim(), claims.claim(), claims.claim()]

    assert [claim and claim.id for claim in claimed] == ["high", "low", None]
    assert stored(database, JOBS, "high")["input_data"] == {"target_image_url": "$b"}


def test_a_job_for_later_is_not_claimed_before(database: Data) -> None:
    submit_job(
        database,
        "1",
        NewJob(job_type="detect", input_data={}, not_before=NOW + timedelta(days=1)),
        NOW,
    )

    assert ClaimRepository(database, JOBS, "drain", "run").claim() is None

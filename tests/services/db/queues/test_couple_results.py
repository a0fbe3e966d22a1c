"""What the end of a couple swap task leaves is written once, by any number of workers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from db.audit.audit import audit
from db.couple_results import CoupleResults
from tests.support.db.database_state import Data
from tests.support.db.stored_documents import NOW


def add_batch(database: Data, total: int, *statuses: str, **fields: Any) -> None:
    database["batch_tasks"].insert_one(
        {"id": "1", "batch_id": "b", "total_tasks": total, "status": "pending", **fields}
    )
    database["faceswap_tasks"].insert_many(
        [{"id": str(n), "batch_id": "b", "status": s} for n, s in enumerate(statuses)]
    )


def the_batch(database: Data) -> dict[str, Any]:
    return database["batch_tasks"].find_one({"batch_id": "b"}) or {}


BATCHES = [
    (("pending", "pending"), ("pending", 0, 0)),
    (("completed", "processing"), ("processing", 1, 0)),
    (("failed", "pending"), ("processing", 0, 1)),
    (("completed", "failed"), ("completed", 1, 1)),
    (("completed", "completed"), ("completed", 2, 0)),
    (("failed", "failed"), ("failed", 0, 2)),
]


@pytest.mark.parametrize(("statuses", "counted"), BATCHES)
def test_a_batch_is_what_its_tasks_are(
    database: Data, statuses: tuple[str, ...], counted: tuple[str, int, int]
) -> None:
    add_batch(database, 2, *statuses)

    CoupleResults(database).recount_batch("b")

    batch = the_batch(database)
    assert (batch["status"], batch["completed_tasks"], batch["failed_tasks"]) == counted
    assert ("completed_at" in batch) == (batch["status"] in {"completed", "failed"})


@pytest.mark.parametrize("status", ["cancelled", "completed", "failed"])
def test_a_batch_that_has_ended_is_left_alone(database: Data, status: str) -> None:
    add_batch(database, 2, "completed", "failed", status=status)
    before = the_batch(database)

    assert CoupleResults(database).recount_batch("b") is False
    assert the_batch(database) == before


def test_workers_that_count_at_once_end_with_all(database: Data) -> None:
    add_batch(database, 40, *["processing"] * 40)

    def end(number: int) -> None:
        database["faceswap_tasks"].update_one({"id": str(number)}, {"$set": {"status": "failed"}})
        CoupleResults(database).recount_batch("b")

    with ThreadPoolExecutor(8) as threads:
        assert len([*threads.map(end, range(40))]) == 40

    assert (the_batch(database)["status"], the_batch(database)["failed_tasks"]) == ("failed", 40)


def test_an_audit_counts_what_a_kill_left_out(database: Data) -> None:
    add_batch(database, 2, "completed", "failed")

    [found] = audit(database, NOW).of("miscounted batch")
    [fixed] = audit(database, NOW, fix=True).of("miscounted batch")

    assert (found.ids, found.severity, fixed.done) == (("b",), "warning", "fixed: 1 counted.")
    assert the_batch(database)["status"] == "completed"
    assert audit(database, NOW).of("miscounted batch") == ()


def test_a_completed_task_counts_once_for_its_template(database: Data) -> None:
    database["templates"].insert_one({"id": "t"})
    database["faceswap_tasks"].insert_one({"id": "1", "status": "completed"})
    results = CoupleResults(database)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: results.count_use("1", "t"), range(8)))

    assert (database["templates"].find_one({"id": "t"}) or {})["popularity_score"] == 1


def test_a_failed_task_does_not_count(database: Data) -> None:
    database["templates"].insert_one({"id": "t", "popularity_score": 3})
    database["faceswap_tasks"].insert_one({"id": "1", "status": "failed"})

    CoupleResults(database).count_use("1", "t")

    assert (database["templates"].find_one({"id": "t"}) or {})["popularity_score"] == 3


def test_a_result_has_one_row(database: Data) -> None:
    results = CoupleResults(database)
    database["images"].create_index("id", unique=True)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: results.add_image({"id": "i", "width": n}), range(8)))

    assert database["images"].count_documents({}) == 1

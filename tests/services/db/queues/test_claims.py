"""A claim holds until its end, its cancelling or its lease; nothing is written without it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.queues.claims import Claim, ClaimRepository
from db.queues.expired import USED_UP, requeue_expired
from db.queues.queue import COUPLE_TASKS, JOBS, QUEUES, Queue
from db.queues.waiting import count_queue, seconds_until_due
from db.setup.apply import initialise
from tests.support.db.database_state import Data

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
PAST = datetime(2026, 1, 1, tzinfo=UTC)
both = pytest.mark.parametrize("queue", QUEUES, ids=[queue.collection for queue in QUEUES])


def add(database: Data, queue: Queue, *documents: dict[str, Any]) -> None:
    database[queue.collection].insert_many(
        [
            {"status": queue.waiting, "created_at": BEGUN + timedelta(seconds=n), **document}
            for n, document in enumerate(documents)
        ]
    )


def worker(database: Data, queue: Queue = JOBS, name: str = "drain") -> ClaimRepository:
    return ClaimRepository(database, queue, name, f"run of {name}")


def claimed(database: Data, queue: Queue = JOBS, **fields: Any) -> tuple[ClaimRepository, Claim]:
    """Insert one document and claim it."""
    add(database, queue, {"id": "1", **fields})
    claims = worker(database, queue)
    claim = claims.claim()
    assert claim is not None
    return claims, claim


def stored(database: Data, queue: Queue = JOBS, name: str = "1") -> dict[str, Any]:
    found: dict[str, Any] | None = database[queue.collection].find_one({"id": name})
    assert found is not None
    return found


def let_lease_end(database: Data, queue: Queue) -> None:
    database[queue.collection].update_many({}, {"$set": {"lease_expires_at": PAST}})


@both
def test_a_plain_insert_is_claimed_with_a_lease(database: Data, queue: Queue) -> None:
    _, claim = claimed(database, queue)

    document = stored(database, queue)
    lease = document["lease_expires_at"] - document["updated_at"]
    assert (document["status"], document["claim_token"]) == ("processing", claim.token)
    assert (document["claimed_by"], document["flow_run_id"]) == ("drain", "run of drain")
    assert (document["attempts"], lease) == (1, timedelta(seconds=60))
    assert document["started_at"] == document["updated_at"]


def test_jobs_are_claimed_by_priority_and_then_by_age(database: Data) -> None:
    names = ["usual", "urgent", "usual later", "low", "urgent later"]
    priorities = [0, 5, 0, -5, 5]
    add(database, JOBS, *({"id": n, "priority": p} for n, p in zip(names, priorities, strict=True)))
    claims = worker(database)

    order = [claim.id for claim in iter(claims.claim, None)]

    assert order == ["urgent", "urgent later", "usual", "usual later", "low"]


@both
def test_of_many_workers_each_document_has_one(database: Data, queue: Queue) -> None:
    add(database, queue, *({"id": str(n)} for n in range(60)))

    def drain(name: int) -> list[str]:
        return [claim.id for claim in iter(worker(database, queue, str(name)).claim, None)]

    with ThreadPoolExecutor(8) as threads:
        found = [name for names in threads.map(drain, range(8)) for name in names]

    assert sorted(found, key=int) == [str(n) for n in range(60)]


def test_only_the_kinds_that_are_asked_for_are_claimed(database: Data) -> None:
    add(database, JOBS, {"id": "none"}, {"id": "swap", "job_type": "swap"})

    assert [c.id for c in iter(lambda: worker(database).claim(("swap",)), None)] == ["swap"]
    assert [c.id for c in iter(lambda: worker(database).claim(("batch",)), None)] == ["none"]


def test_what_waits_for_its_time_is_claimed_then(database: Data) -> None:
    now = datetime.now(UTC)
    add(
        database,
        JOBS,
        {"id": "later", "not_before": now + timedelta(hours=1)},
        {"id": "now", "not_before": now - timedelta(seconds=5)},
    )

    assert [claim.id for claim in iter(worker(database).claim, None)] == ["now"]
    due = seconds_until_due(database, JOBS)
    assert due is not None
    assert 3500 < due <= 3600


def test_an_answer_that_was_lost_costs_no_attempt(
    database: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, JOBS, {"id": "1"})
    claims = worker(database)
    documents = type(database["facefusion_jobs"])
    claim = documents.find_one_and_update

    def lose_answer(*args: object, **kwargs: object) -> None:
        claim(*args, **kwargs)
        raise ConnectionError

    monkeypatch.setattr(documents, "find_one_and_update", lose_answer)
    with pytest.raises(ConnectionError):
        claims.claim()
    monkeypatch.undo()

    found = claims.claim()

    assert found is not None
    assert (found.id, found.attempt, claims.claim()) == ("1", 1, None)


@both
def test_one_that_is_too_large_to_be_claimed_fails_and_the_next_is_claimed(
    database: Data, queue: Queue
) -> None:
    full = "x" * (16 * 1024 * 1024 - 200)
    add(database, queue, {"id": "full", "input_data": full}, {"id": "next"})

    claim = worker(database, queue).claim()

    assert claim is not None
    assert (claim.id, stored(database, queue, "full")["status"]) == ("next", "failed")


@both
@pytest.mark.parametrize("how", ["cancelled", "taken over", "ended"])
def test_nothing_is_written_without_the_claim(database: Data, queue: Queue, how: str) -> None:
    claims, claim = claimed(database, queue)
    if how == "cancelled":
        database[queue.collection].update_one({}, {"$set": queue.cancelled})
    elif how == "taken over":
        let_lease_end(database, queue)
        requeue_expired(database, queue)
        database[queue.collection].update_many({}, {"$set": {"not_before": None}})
        assert worker(database, queue, "other").claim() is not None
    else:
        claims.end(claim, "completed", {})
    before = stored(database, queue)

    wrote = (
        claims.renew(claim),
        claims.holds(claim),
        claims.write(claim, {"progress": 50}),
        claims.end(claim, "failed", {}),
        claims.give_back(claim, {}),
        claims.try_later(claim, {}),
    )

    assert not any(wrote)
    assert stored(database, queue) == before


@both
def test_an_end_frees_the_claim_and_has_its_time(database: Data, queue: Queue) -> None:
    claims, claim = claimed(database, queue)

    assert claims.end(claim, "failed", {"error_message": "$oh: no face"})

    document = stored(database, queue)
    assert (document["status"], document["error_message"]) == ("failed", "$oh: no face")
    assert (document["claim_token"], document["lease_expires_at"]) == (None, None)
    assert document["completed_at"] == document["updated_at"]


def test_what_is_given_back_has_lost_no_attempt(database: Data) -> None:
    claims, claim = claimed(database, attempts=1)

    assert claims.give_back(claim, {"error_code": "unreachable"})

    document = stored(database)
    wait = document["not_before"] - document["updated_at"]
    assert (document["status"], document["attempts"]) == ("queued", 1)
    assert (document["claim_token"], wait) == (None, timedelta(seconds=30))


@pytest.mark.parametrize(("attempts", "seconds", "last"), [(0, 60, False), (1, 120, False)])
def test_each_attempt_doubles_the_wait(
    database: Data, attempts: int, seconds: int, last: bool
) -> None:
    claims, claim = claimed(database, attempts=attempts)

    assert claim.is_last == last
    assert claims.try_later(claim, {})
    document = stored(database)
    assert document["not_before"] - document["updated_at"] == timedelta(seconds=seconds)
    assert document["attempts"] == attempts + 1


def test_the_third_attempt_is_the_last(database: Data) -> None:
    _, claim = claimed(database, attempts=2)

    assert claim.is_last


@both
def test_an_expired_lease_puts_it_back_and_the_third_ends_it(database: Data, queue: Queue) -> None:
    add(database, queue, {"id": "1"}, {"id": "3", "attempts": 2})
    claims = worker(database, queue)
    assert len([*iter(claims.claim, None)]) == 2
    assert requeue_expired(database, queue) == ""
    let_lease_end(database, queue)

    done = requeue_expired(database, queue)

    assert done == f"1 put back to {queue.waiting}, 1 failed after 3 attempts"
    back, ended = stored(database, queue, "1"), stored(database, queue, "3")
    assert (back["status"], back["claim_token"]) == (queue.waiting, None)
    assert back["not_before"] - back["updated_at"] == timedelta(seconds=60)  # after one attempt
    assert (ended["status"], ended["error_code"]) == ("failed", USED_UP)
    assert ended["completed_at"] is not None


@both
def test_what_is_in_process_without_a_lease_is_the_apps_own(database: Data, queue: Queue) -> None:
    own = {"id": "1", "status": "processing", "started_at": PAST}
    add(database, queue, own, {**own, "id": "2", "lease_expires_at": "2026-01-01"})

    assert requeue_expired(database, queue) == ""
    assert worker(database, queue).claim() is None


def test_a_queue_tells_how_full_it_is(database: Data) -> None:
    add(database, COUPLE_TASKS, {"id": "1"}, {"id": "2"}, {"id": "3", "status": "processing"})

    counts = count_queue(database, COUPLE_TASKS)

    assert (counts.waiting, counts.processing, counts.oldest) == (2, 1, BEGUN)


@both
def test_a_hundred_thousand_waiting_do_not_slow_a_claim(database: Data, queue: Queue) -> None:
    initialise(database)
    add(database, queue, *({"id": str(n), "priority": n % 7} for n in range(100_000)))

    asked = database[queue.collection].find(queue.claimable(), sort=[*queue.order], limit=1)
    explained = asked.explain()

    assert explained["executionStats"]["totalDocsExamined"] == 1
    assert "'stage': 'SORT'" not in str(explained["queryPlanner"]["winningPlan"])

"""What maintenance finds is one Prefect event a change, and told again only when it comes back."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from prefect.client.orchestration import get_client

from flows.audit_db import audit_db
from flows.init_db import init_db
from flows.migrate_db import migrate_db
from flows.purge_deleted import purge_deleted
from tests.support.db.database_state import Data
from tests.support.flows.runs import nightly_parameters

EVENTS_SECONDS = 60.0
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


def events(database: Data, kind: str) -> list[dict[str, Any]]:
    """Events of a kind about a database, the oldest first."""
    prefix = f"storycanvas.database.{database.name.replace('_', '-')}-"
    wanted = {
        "resource": {"id_prefix": [prefix]},
        "event": {"name": [f"storycanvas.database.{kind}"]},
        "order": "ASC",
    }
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/events/filter", json={"filter": wanted, "limit": 50})
        found: list[dict[str, Any]] = answer.json()["events"]
        return found


def arrived(database: Data, kind: str, count: int) -> list[dict[str, Any]]:
    """Events of a kind, as soon as there are so many: the server takes them at its leisure."""
    end = time.monotonic() + EVENTS_SECONDS
    while len(found := events(database, kind)) < count and time.monotonic() < end:
        time.sleep(0.1)
    assert len(found) == count
    return found


def sentences(database: Data, kind: str, count: int) -> list[str]:
    return [str(event["payload"]["sentence"]) for event in arrived(database, kind, count)]


def test_drift_is_one_event_a_change_and_says_what_came_back(configured: Data) -> None:
    night = partial(init_db, **nightly_parameters("init-db"))
    init_db()
    [made] = sentences(configured, "drift", 1)
    assert "created: collection projects" in made

    configured["users"].drop_index("id_1")
    configured["users"].insert_many(
        [{"_id": n, "id": "same", "username": f"{n}", "email": f"{n}"} for n in range(2)]
    )
    night()
    night()
    init_db(dry_run=True, return_state=True)

    [_, blocked] = arrived(configured, "drift", 2)
    assert blocked["payload"]["counts"] == {"blocked": 1, "different": 0, "missing": 0}
    assert blocked["payload"]["sentence"].endswith("blocked: index users.id_1.")
    assert blocked["resource"]["prefect.resource.name"] == configured.name
    assert blocked["resource"]["storycanvas.database.worst"] == "blocked"
    [run] = blocked["related"]
    assert run["prefect.resource.id"].startswith("prefect.flow-run.")

    for turn in (1, 2):
        configured.drop_collection("facefusion_jobs")
        night()
        back = sentences(configured, "drift", 2 + turn)[-1]
        assert "created: collection facefusion_jobs" in back

    configured["users"].delete_one({"_id": 1})
    night()
    night()
    told = sentences(configured, "drift", 5)[-1]
    assert told.endswith("created: index users.id_1.")


def test_an_audit_tells_a_finding_once_and_its_end_and_its_return(configured: Data) -> None:
    init_db()
    for kept in (False, True, True, False, True):
        configured["clips"].delete_many({})
        if kept:
            configured["clips"].insert_one({"id": "c", "scene_id": "gone"})
        audit_db()

    told = sentences(configured, "audit", 3)
    assert ["orphan in clips" in sentence for sentence in told] == [True, False, True]
    assert "nothing found" in told[1]


def test_what_is_due_is_told_once_until_it_is_removed(configured: Data) -> None:
    init_db()
    for removes in (False, False, True):
        configured["projects"].update_one(
            {"id": "p"}, {"$set": {"deleted_at": LONG_AGO}}, upsert=True
        )
        purge_deleted(dry_run=not removes)
    purge_deleted()
    [told] = arrived(configured, "due-purge", 1)
    assert told["payload"]["counts"]["projects"] == 1
    assert "1 document(s) would be removed" in told["payload"]["sentence"]
    assert told["resource"]["storycanvas.database.worst"] == "due"

    configured["projects"].insert_one({"id": "p", "deleted_at": LONG_AGO})
    purge_deleted()

    arrived(configured, "due-purge", 2)


def test_pending_migrations_are_told_once_and_then_what_is_written_in_an_older_shape(
    configured: Data,
) -> None:
    init_db()
    migrate_db(**nightly_parameters("migrate-db"))
    migrate_db(**nightly_parameters("migrate-db"))
    migrate_db()
    migrate_db(**nightly_parameters("migrate-db"))
    [pending] = arrived(configured, "pending-migrations", 1)
    assert pending["payload"]["counts"]["migrations"] > 1

    configured["characters"].insert_one({"id": "m", "name": "Mara"})
    for _ in range(2):
        migrate_db(**nightly_parameters("migrate-db"))

    [_, older] = sentences(configured, "pending-migrations", 2)
    assert "0 migrations pending (none)" in older
    assert "0 documents" not in older

"""After `init-db` the app's own queries find their indexes, its lists their order, as before."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.schema.indexes import NOT_DELETED
from db.setup.apply import initialise
from tests.support.db.app_queries import SORTED_LISTS, create_app_indexes
from tests.support.db.database_state import Data, indexes_of
from tests.support.db.fixtures import empty_database
from tests.support.db.migrating import migrator

Document = dict[str, Any]
THEN = datetime(2026, 1, 1, tzinfo=UTC)
LOOKUPS = [("users", "email"), ("users", "username"), ("comfyui_servers", "url")]


def only_ours(database: Data) -> None:
    initialise(database)


def app_first(database: Data) -> None:
    create_app_indexes(database)
    initialise(database)


def app_last(database: Data) -> None:
    initialise(database)
    create_app_indexes(database)


def migrated(database: Data) -> None:
    app_first(database)
    migrator(database).apply("latest")


def made_before(database: Data) -> None:
    """Leave the indexes that an earlier version made, then run `init-db` of this one."""
    app_first(database)
    for name, field in LOOKUPS:
        options = {"collation": {"locale": "en", "strength": 2}} if field == "username" else {}
        database[name].drop_indexes()
        database[name].create_index(
            field, unique=True, partialFilterExpression=dict(NOT_DELETED), **options
        )
    database["clips"].drop_index("project_id_1_order_1")
    database["generation_pool"].create_index("tags")
    initialise(database)


@pytest.fixture(
    scope="module",
    params=[only_ours, app_first, app_last, migrated, made_before],
    ids=lambda make: make.__name__,
)
def made(request: pytest.FixtureRequest, any_server: Data) -> Iterator[Data]:
    with empty_database(any_server) as database:
        request.param(database)
        yield database


def scan_of(database: Data, name: str, query: Document) -> str:
    """The stage by which the server finds the documents of a query."""
    stage = database[name].find(query).explain()["queryPlanner"]["winningPlan"]
    stage = stage.get("queryPlan", stage)
    while "inputStage" in stage:
        stage = stage["inputStage"]
    return str(stage["stage"])


def test_a_lookup_of_the_app_uses_an_index(made: Data) -> None:
    assert {scan_of(made, name, {field: "x"}) for name, field in LOOKUPS} == {"IXSCAN"}


def test_the_apps_own_creation_of_indexes_does_not_clash(made: Data) -> None:
    create_app_indexes(made)

    for name, field in LOOKUPS:
        assert {f"{field}_1", f"{field}_1_deleted_at_1"} <= {
            index["name"] for index in indexes_of(made, name)
        }
    report = initialise(made, dry_run=True)
    assert (report.changed, report.blocked) == ((), ())


def test_indexes_of_an_earlier_version_are_replaced_once(any_database: Data) -> None:
    made_before(any_database)

    found = [index for name, _ in LOOKUPS for index in indexes_of(any_database, name)]

    assert [index["name"] for index in found if "partialFilterExpression" in index] == []
    assert initialise(any_database).changed == ()


def sharing(count: int, *, rare: bool) -> Iterator[Document]:
    """Documents that share what lists are sorted by; few or many have what a list asks for."""
    made = random.Random(count)  # noqa: S311
    ids = made.sample(range(count), count)

    def some(asked: object, *others: object) -> object:
        return asked if made.random() < (0.03 if rare else 0.5) else made.choice(others)

    for number in ids:
        yield {
            "_id": number,
            "id": str(number),
            "name": made.choice("abcdefgh"),
            "project_id": made.choice(["p1", "p2"]),
            "scene_id": made.choice(["s1", "s2"]),
            "order": made.randrange(2),
            "timeline_position": float(made.randrange(2)),
            "created_at": THEN + timedelta(days=made.randrange(2)),
            "lease_expires_at": THEN + timedelta(days=made.randrange(3)),
            "priority": made.randrange(2),
            "use_count": made.randrange(2),
            "status": some("processing", "queued", "completed"),
            "character_id": some("c1", "c2"),
            "content_type": some("image", "video"),
            "category": some("custom", "film"),
            "is_public": some(True, False),
            "tags": some(made.sample(["a", "b"], 2), ["c"], ["a"] if not rare else []),
        }


@pytest.mark.parametrize("make", [only_ours, app_first], ids=lambda make: make.__name__)
def test_equal_keys_come_in_the_order_that_the_app_had(
    any_database: Data, make: Callable[[Data], None]
) -> None:
    make(any_database)
    with empty_database(any_database) as bare:
        create_app_indexes(bare)
        for count, rare in ((4, False), (300, False), (1000, True)):
            for name in {each.collection for each in SORTED_LISTS}:
                for database in (bare, any_database):
                    database[name].delete_many({})
                    database[name].insert_many(sharing(count, rare=rare))

            assert [
                str(each) for each in SORTED_LISTS if each.read(any_database) != each.read(bare)
            ] == []

"""What a database looks like from outside, and runs on it at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from pymongo.database import Database

from db.connection import connect

Data = Database[dict[str, Any]]
T = TypeVar("T")
MARKS = {
    "unique": "U",
    "sparse": "sparse",
    "partialFilterExpression": "partial",
    "collation": "collation",
    "expireAfterSeconds": "expiring",
}


def shape(database: Data) -> dict[str, Any]:
    """Options and indexes of every collection, whatever their order."""
    return {
        collection["name"]: (
            collection["type"],
            collection["options"],
            {index["name"]: index for index in indexes_of(database, collection["name"])},
        )
        for collection in database.list_collections()
        if collection["type"] == "collection"
    }


def identities(database: Data) -> dict[str, Any]:
    """What changes when a collection is made again."""
    return {
        collection["name"]: collection["info"]["uuid"] for collection in database.list_collections()
    }


def documents(database: Data) -> dict[str, list[dict[str, Any]]]:
    names = database.list_collection_names()
    return {name: list(database[name].find().sort("_id")) for name in sorted(names)}


def fields(database: Data) -> dict[tuple[str, str], set[str]]:
    """The names of the fields of every document, by its collection and `_id`."""
    return {
        (name, repr(document["_id"])): {*document}
        for name, found in documents(database).items()
        for document in found
    }


def assert_nothing_is_lost(
    before: dict[tuple[str, str], set[str]], after: dict[tuple[str, str], set[str]]
) -> None:
    """Check that every document is there still, with every field that it had."""
    lost = {key: names - after.get(key, set()) for key, names in before.items()}
    assert {key: names for key, names in lost.items() if names} == {}
    assert before.keys() - after.keys() == set()


def indexes_of(database: Data, name: str) -> list[dict[str, Any]]:
    return [dict(index) for index in database[name].list_indexes()]


def as_in_reference(database: Data) -> dict[str, set[str]]:
    """Every collection's indexes as its fields, `-` for descending, then marks."""
    return {
        name: {_written(index) for index in indexes_of(database, name) if index["name"] != "_id_"}
        for name in database.list_collection_names()
    }


def _written(index: dict[str, Any]) -> str:
    if "weights" in index:
        by_weight = sorted(index["weights"].items(), key=lambda item: (-item[1], item[0]))
        return " ".join(["text", *(f"{field}:{weight}" for field, weight in by_weight)])
    fields = [f"-{field}" if order == -1 else field for field, order in index["key"].items()]
    return " ".join([*fields, *(mark for option, mark in MARKS.items() if index.get(option))])


def run_at_once(work: Callable[[Data], T], url: str, name: str, times: int) -> list[T]:
    """Work on a database from several connections that start together."""
    together = Barrier(times)

    def run(_: int) -> T:
        opened = connect(url, name)
        together.wait(30)
        try:
            return work(opened)
        finally:
            opened.client.close()

    with ThreadPoolExecutor(times) as pool:
        return [*pool.map(run, range(times))]

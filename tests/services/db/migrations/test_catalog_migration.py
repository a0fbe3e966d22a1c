"""Models that earlier runs wrote become what the app reads, and again what they were."""

from typing import Any

import pytest
from bson import Decimal128, Int64

from tests.support.db.database_state import Data
from tests.support.db.migrating import assert_reversible, by_id, go_up, unresolved, up_and_down

NUMBERS: dict[str, tuple[Any, Any]] = {
    "a number": ({"modelId": 257749, "name": "Pony"}, {"modelId": "257749", "name": "Pony"}),
    "a long number": ({"modelId": Int64(257749)}, {"modelId": "257749"}),
    "a float": ({"modelId": 257749.0}, {"modelId": "257749"}),
    "a decimal": ({"modelId": Decimal128("7")}, {"modelId": "7"}),
    "a number in its place": ({"a": 1, "modelId": 7, "b": 2}, {"a": 1, "modelId": "7", "b": 2}),
    "a text": ({"modelId": "257749"}, {"modelId": "257749"}),
    "null": ({"modelId": None}, {"modelId": ""}),
    "nothing": ({"mine": True}, {"mine": True, "modelId": ""}),
    "an object": ({"modelId": {"a": 1}}, {"modelId": ""}),
    "no link": (None, None),
    "a list": ([{"modelId": 7}], [{"modelId": 7}]),
}
"""`civitai_info` before and after."""

TYPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "embedding": (
        {"model_type": "embedding"},
        {"model_type": "other", "model_kind": "embedding"},
    ),
    "lora": ({"model_type": "lora"}, {"model_type": "lora"}),
    "other": ({"model_type": "other"}, {"model_type": "other"}),
    "null": ({"model_type": None}, {"model_type": "other"}),
    "missing": ({}, {"model_type": "other"}),
    "a number": ({"model_type": 7}, {"model_type": "other"}),
    "repaired": (
        {"model_type": "other", "model_kind": "embedding"},
        {"model_type": "other", "model_kind": "embedding"},
    ),
}
"""Fields of an active model before and after."""


def add(database: Data) -> None:
    rows = [
        {"_id": number, "id": name, "civitai_info": info, "last": 1}
        for number, (name, (info, _)) in enumerate(NUMBERS.items())
    ]
    database["database_models"].insert_many([*rows, {"_id": "x", "id": "without"}])
    models = [
        {"_id": number, "id": name, **fields, "last": 1}
        for number, (name, (fields, _)) in enumerate(TYPES.items())
    ]
    database["active_backend_models"].insert_many(models)


def test_civitai_s_number_becomes_text(database: Data) -> None:
    add(database)

    go_up(database, 6)

    rows = by_id(database, "database_models")
    assert {name: rows[name]["civitai_info"] for name in NUMBERS} == {
        name: after for name, (_, after) in NUMBERS.items()
    }
    assert "civitai_info" not in rows["without"]


def test_only_types_that_the_app_knows_are_left(database: Data) -> None:
    add(database)

    go_up(database, 6)

    models = by_id(database, "active_backend_models")
    names = ("model_type", "model_kind")
    assert {
        name: {key: models[name][key] for key in names if key in models[name]} for name in TYPES
    } == {name: after for name, (_, after) in TYPES.items()}


def test_a_second_run_changes_nothing_and_undoing_gives_the_same_bytes(database: Data) -> None:
    add(database)

    assert_reversible(database, 6)


@pytest.mark.parametrize(
    ("name", "before", "later"),
    [
        ("database_models", {"civitai_info": {"modelId": 7}}, {"civitai_info": {"modelId": "8"}}),
        ("active_backend_models", {"model_type": "embedding"}, {"model_type": "vae"}),
    ],
)
def test_a_field_that_was_written_since_stays(
    database: Data, name: str, before: dict[str, Any], later: dict[str, Any]
) -> None:
    database[name].insert_one({"_id": 1, **before})

    up_and_down(database, 6, lambda: database[name].update_one({}, {"$set": later}))

    assert database[name].find_one() == {"_id": 1, **before, **later}


def test_a_document_without_room_for_a_note_is_left_and_listed(database: Data) -> None:
    large = {"_id": 1, "id": "large", "civitai_info": {"modelId": 7, "text": "x" * 6_000_000}}
    database["database_models"].insert_one(large)

    go_up(database, 6)

    assert database["database_models"].find_one() == large
    what = "Documents of database_models too large for an undo note"
    assert unresolved(database, 6) == {what: ("large",)}

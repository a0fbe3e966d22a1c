"""Newer names beside the older ones, which stay for the app."""

from typing import Any

import pytest

from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    assert_reversible,
    by_id,
    go_up,
    unresolved,
    up_and_down,
)

Document = dict[str, Any]
Case = tuple[str, Document, Document]

ADDED: dict[str, Case] = {
    "a prompt": ("style_templates", {"prompt_template": "noir"}, {"prompt_additions": "noir"}),
    "a null prompt": (
        "style_templates",
        {"negative_prompt_template": "hands", "negative_prompt": None},
        {"negative_prompt": "hands"},
    ),
    "parameters": ("style_templates", {"default_params": {"steps": 9}}, {"params": {"steps": 9}}),
    "a global style": ("style_templates", {"is_global": True}, {"project_id": None}),
    "counters": (
        "generation_batches",
        {"total": 3, "completed": 2, "failed": 0},
        {"total_jobs": 3, "completed_jobs": 2, "failed_jobs": 0},
    ),
    "a type and a path": (
        "database_models",
        {"model_type": "lora", "filepath": "/a.safetensors"},
        {"type": "lora", "path": "/a.safetensors"},
    ),
    "an older type": (
        "inference_configurations",
        {"model_id": "m", "configuration_type": "speed"},
        {"preset_type": "speed"},
    ),
    "a newer type": (
        "inference_configurations",
        {"model_id": "m", "preset_type": "quality", "configuration_type": None},
        {"configuration_type": "quality"},
    ),
}
KEPT: dict[str, tuple[str, Document]] = {
    "the same": ("database_models", {"model_type": "lora", "type": "lora"}),
    "null": ("database_models", {"filepath": None, "type": "vae"}),
    "a local style": ("style_templates", {"is_global": False}),
    "no model": ("inference_configurations", {"configuration_type": "speed"}),
    "a model on a server": ("active_backend_models", {"model_type": "checkpoint"}),
}
DIFFERENT: dict[str, tuple[str, Document]] = {
    "style_templates whose negative_prompt_template and negative_prompt": (
        "style_templates",
        {"negative_prompt_template": "hands", "negative_prompt": "feet"},
    ),
    "style_templates whose is_global and project_id": (
        "style_templates",
        {"is_global": True, "project_id": "p"},
    ),
    "generation_batches whose total and total_jobs": ("generation_batches", {"total": "many"}),
    "database_models whose model_type and type": ("database_models", {"model_type": "sdxl"}),
    "inference_configurations whose configuration_type and preset_type": (
        "inference_configurations",
        {"model_id": "m", "configuration_type": "speed", "preset_type": "quality"},
    ),
}


def add_all(database: Data) -> None:
    cases = [(name, collection, fields) for name, (collection, fields, _) in ADDED.items()]
    cases += [(name, *case) for name, case in (KEPT | DIFFERENT).items()]
    for name, collection, fields in cases:
        own = {"model_id": name} if "model_id" in fields else {}
        database[collection].insert_one({"_id": name, "id": name, **fields, **own, "last": 1})


@pytest.mark.parametrize("name", ADDED)
def test_the_newer_name_is_added_and_the_older_one_stays(database: Data, name: str) -> None:
    collection, fields, added = ADDED[name]
    database[collection].insert_one({"id": name, **fields})

    go_up(database, 9)

    found = by_id(database, collection)[name]
    assert {key: found[key] for key in fields | added} == fields | added
    assert unresolved(database, 9) == {}


def test_names_that_differ_and_what_is_complete_stay_and_the_former_are_listed(
    database: Data,
) -> None:
    add_all(database)

    go_up(database, 9)

    for name, (collection, fields) in (KEPT | DIFFERENT).items():
        found = by_id(database, collection)[name]
        assert found.keys() == {"_id", "id", "last", *fields}, name
    listed = {f"Documents of {what} differ": (what,) for what in DIFFERENT}
    assert unresolved(database, 9) == listed


def test_a_second_run_changes_nothing_and_undoing_gives_the_same_bytes(any_database: Data) -> None:
    add_all(any_database)

    assert_reversible(any_database, 9)


def test_an_added_name_that_the_app_writes_to_stays(database: Data) -> None:
    database["database_models"].insert_one({"_id": 1, "filepath": "a"})

    up_and_down(database, 9, lambda: database["database_models"].update_one({}, write("path")))

    assert database["database_models"].find_one() == {"_id": 1, "filepath": "a", "path": "own"}


def write(name: str) -> Document:
    return {"$set": {name: "own"}}


def test_two_presets_of_one_type_are_listed_and_no_index_is_in_the_way(database: Data) -> None:
    presets = database["inference_configurations"]
    ours = {"_id": 1, "id": "ours", "model_id": "m", "preset_type": "speed"}
    theirs = {"_id": 2, "id": "theirs", "model_id": "m", "configuration_type": "speed"}
    presets.insert_many([ours, theirs])
    for name in ("preset_type", "configuration_type"):
        presets.create_index(["model_id", name], unique=True, sparse=True)

    go_up(database, 9)

    assert list(presets.find().sort("_id")) == [ours, theirs]
    [(what, examples)] = unresolved(database, 9).items()
    assert what == "Documents of inference_configurations with the same model and type, which stay"
    assert set(examples) == {"ours", "theirs"}

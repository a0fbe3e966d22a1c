"""The contract with the app: it names every collection, and refuses what the back end refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from db.schema.collections import COLLECTIONS
from tests.support.app_contract import NOT_READ, RAW, READ, SORTED, faults, new_faults

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Document = dict[str, Any]

ENTRY = {"operation_type": "swap", "input_image_url": "a", "output_image_url": "b"}
MODEL: Document = {"id": "m", "name": "a", "type": "lora"}
LISTED: Document = {
    "id": "b/loras/a",
    "backend_id": "b",
    "backend_name": "Box",
    "backend_url": "http://b",
    "model_id": "loras/a",
    "model_name": "a",
    "model_type": "lora",
    "model_path": "loras/a",
}
USER: Document = {
    "id": "u",
    "email": "mira@example.org",
    "username": "mira",
    "hashed_password": "x",
    "is_active": True,
    "created_at": NOW,
    "api_keys": {"openai": None},
}
CHARACTER: Document = {"id": "c", "project_id": "p", "name": "Mira"}
READABLE: list[tuple[str, Document]] = [
    ("database_models", MODEL | {"civitai_info": {"modelId": "7"}}),
    ("active_backend_models", LISTED | {"last_seen": NOW}),
    ("users", USER),
    ("characters", CHARACTER | {"facefusion_processing_history": [ENTRY, ENTRY]}),
    ("projects", {"_id": ObjectId(), "id": "p", "name": "Story", "music_file": "a.mp3"}),
    ("facefusion_jobs", {"_id": ObjectId(), "id": "j", "results": [{"at": NOW}]}),
    ("facefusion_operations", {"anything": 1}),
]
UNREADABLE: list[tuple[str, Document, str]] = [
    ("database_models", MODEL | {"civitai_info": {"modelId": 7}}, "civitai_info.modelId"),
    ("database_models", MODEL | {"id": "box/loras/a"}, "id"),
    ("database_models", MODEL | {"configuration_presets": None}, "configuration_presets"),
    ("active_backend_models", LISTED | {"model_type": "embedding"}, "model_type"),
    ("active_backend_models", LISTED | {"last_seen": "2026-11-21"}, "last_seen"),
    ("users", {**USER, "api_keys": None}, "api_keys"),
    ("users", {name: value for name, value in USER.items() if name != "is_active"}, "is_active"),
    ("users", USER | {"username": "Mira"}, "username"),
    (
        "characters",
        CHARACTER | {"facefusion_processing_history": [ENTRY, {**ENTRY, "created_at": NOW}]},
        "facefusion_processing_history",
    ),
    ("characters", CHARACTER | {"facefusion_output_gallery": None}, "facefusion_output_gallery"),
    ("inference_configurations", {"model_id": "m", "preset_type": "speed"}, "configuration_type"),
    ("projects", {"id": "p", "name": "Story", "cover": ObjectId()}, "cover"),
    ("facefusion_jobs", {"id": "j", "progress": float("nan")}, "progress"),
    ("invented", {}, ""),
]


def test_every_collection_of_the_registry_is_read_by_the_app_or_named_as_not_read() -> None:
    names = {collection.name for collection in COLLECTIONS}

    assert names <= READ.keys() | NOT_READ.keys()
    assert not READ.keys() & NOT_READ.keys()
    assert READ.keys() >= RAW | SORTED.keys()
    assert all(demand.__doc__ for demands in READ.values() for demand in demands)


@pytest.mark.parametrize(("collection", "document"), READABLE)
def test_what_the_app_reads_has_no_fault(collection: str, document: Document) -> None:
    assert faults(collection, document) == set()


@pytest.mark.parametrize(("collection", "document", "field"), UNREADABLE)
def test_what_the_app_refuses_is_named_by_its_field(
    collection: str, document: Document, field: str
) -> None:
    assert field in {name for name, _ in faults(collection, document)}


def test_a_document_that_was_unreadable_before_is_at_fault_in_what_is_new() -> None:
    was: Document = {"_id": 1, "id": "m", "type": "lora"}
    before = {"database_models": [was]}

    assert new_faults(before, {"database_models": [{**was, "hash": "x"}]}) == set()
    assert new_faults(before, {"database_models": [was], "locks": [{"_id": 1}]}) == set()
    assert {
        fault[:2]
        for fault in new_faults(
            before,
            {
                "database_models": [
                    {**was, "civitai_info": {"modelId": 7}},
                    {"_id": 2, **MODEL, "id": "a/b"},
                ]
            },
        )
    } == {("database_models", "civitai_info.modelId"), ("database_models", "id")}

"""Why a document is invalid is told by field and rule, never by value."""

from typing import Any

import pytest

from db.audit.documents import reasons
from db.schema.collections import COLLECTIONS, Collection

DOCUMENTS = {collection.name: collection.document for collection in COLLECTIONS}
ENTRY = {"id": "e", "operation_type": "enhance", "input_image_url": "a"}
MIRA = {"id": "1", "project_id": "1", "name": "Mira"}


def paths(collection: str, document: dict[str, Any]) -> set[str]:
    return {path for path, _ in reasons(DOCUMENTS[collection], document)}


def test_places_in_a_list_are_one_reason() -> None:
    history = {"facefusion_processing_history": [ENTRY, ENTRY]}

    assert reasons(DOCUMENTS["characters"], MIRA | history) == {
        ("facefusion_processing_history[].created_at", "Field required")
    }


def test_keys_that_are_values_are_not_told() -> None:
    gallery = {"age_variants": {"secret": "a", "hidden": "b", "45": 3}}

    found = paths("characters", MIRA | {"facefusion_output_gallery": gallery})

    place = "facefusion_output_gallery.age_variants.*"
    assert found == {place, f"{place}.[key]"}


def test_the_branches_of_a_union_are_no_part_of_the_path() -> None:
    model = {"id": 1, "name": "x", "type": "LORA", "allowCommercialUse": [1]}

    assert paths("civitai_models", model) == {
        "allowCommercialUse",
        "allowCommercialUse[]",
    }


@pytest.mark.parametrize(
    ("collection", "document"),
    [
        ("users", {"id": "1", "username": ["hunter2"], "hashed_password": {"hunter2": 1}}),
        ("comfyui_servers", {"id": "1", "name": "x", "url": "u", "status": "hunter2"}),
        ("facefusion_operations", {"effects": [{"kind": "hunter2"}]}),
        ("migrations", {"_id": 1, "counts": {"hunter2": -1}}),
    ],
)
def test_no_value_is_told(collection: str, document: dict[str, Any]) -> None:
    found = reasons(DOCUMENTS[collection], document)

    assert found
    assert "hunter2" not in str(found)


def test_a_field_that_should_not_be_is_named() -> None:
    assert "invented" in paths("facefusion_operations", {"invented": 1})


@pytest.mark.parametrize("strange", [{}, {"id": None}, {"_id": [1], "effects": 3}, {"model_": {}}])
@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_anything_can_be_validated(collection: Collection, strange: dict[str, Any]) -> None:
    assert all(map(all, reasons(collection.document, strange)))

"""Invalid values of the right type stay where they are, and each is told."""

from typing import Any

import pytest

from db.migrations.characters import character_statistics
from db.schema.documents.characters import PreferredSettings
from tests.support.db.database_state import Data
from tests.support.db.migrating import go_up
from tests.support.db.old_database import EMPTY, ENTRY, GALLERY, HISTORY, SETTINGS

INVALID: list[tuple[dict[str, Any], str, str]] = [
    # document -> path, value
    ({SETTINGS: {"face_enhancer_blend": 1.7}}, f"{SETTINGS}.face_enhancer_blend", "1.7"),
    ({SETTINGS: {"age_adjustment_blend": "0.5"}}, f"{SETTINGS}.age_adjustment_blend", "'0.5'"),
    ({SETTINGS: {"enhancement_model": None}}, f"{SETTINGS}.enhancement_model", "None"),
    ({SETTINGS: {"face_mask_types": ["box", 7]}}, f"{SETTINGS}.face_mask_types[]", "7"),
    ({SETTINGS: {"face_editor_head_yaw": 150}}, f"{SETTINGS}.face_editor_head_yaw", "150"),
    ({HISTORY: [{**ENTRY, "success": "yes"}]}, f"{HISTORY}[].success", "'yes'"),
    ({HISTORY: [{**ENTRY, "id": 7}]}, f"{HISTORY}[].id", "7"),
    (
        {HISTORY: [{"id": "a", "operation_type": "swap"}]},
        f"{HISTORY}[].input_image_url",
        "no value",
    ),
    ({SETTINGS: {"face_enhancer_blend": [1.0]}}, f"{SETTINGS}.face_enhancer_blend", "a list"),
    ({SETTINGS: {"face_enhancer_blend": -0.1}}, f"{SETTINGS}.face_enhancer_blend", "-0.1"),
    ({SETTINGS: {"face_editor_head_yaw": 20.5}}, f"{SETTINGS}.face_editor_head_yaw", "20.5"),
    ({SETTINGS: {"face_mask_types": "box"}}, f"{SETTINGS}.face_mask_types", "'box'"),
    ({HISTORY: [ENTRY, {**ENTRY, "error_message": 5}]}, f"{HISTORY}[].error_message", "5"),
    ({HISTORY: [ENTRY, [ENTRY]]}, f"{HISTORY}[]", "a list"),
    ({HISTORY: ["http://u:hunter2@a.example/b"]}, f"{HISTORY}[]", "'http://a.example/b'"),
]
VALID: list[dict[str, Any]] = [
    {},
    {SETTINGS: None, HISTORY: None, GALLERY: None},
    {SETTINGS: PreferredSettings().model_dump()},
    {SETTINGS: {"face_enhancer_blend": 1, "face_editor_head_yaw": 20.0, "of_the_app": {}}},
    {HISTORY: [{**ENTRY, "created_at": "2026-01-02T03:04:05"}], GALLERY: EMPTY},
    {GALLERY: {"age_variants": [[45, "a.png"]], "enhanced_faces": "b.png"}},  # is repaired
]


@pytest.mark.parametrize(("fields", "path", "value"), INVALID)
@pytest.mark.parametrize("repaired", [False, True])
def test_an_invalid_value_is_told_with_its_path_and_its_character(
    database: Data, fields: dict[str, Any], path: str, value: str, *, repaired: bool
) -> None:
    whole = {HISTORY: [], SETTINGS: None, GALLERY: EMPTY}
    database["characters"].insert_many([{"id": "odd", **whole, **fields}, {"id": "good", **whole}])
    if repaired:
        go_up(database, 1)

    found = character_statistics(database)

    (left,) = found.invalid
    assert left.what.startswith(f"{path} is kept as it is (")
    assert left.examples == (f"odd has {value}",)
    assert (found.total, found.complete) == (2, 1)
    assert sorted(found.with_field.values()) == [1, 2, 2]


def test_what_is_valid_or_is_repaired_is_not_told(database: Data) -> None:
    database["characters"].insert_many([{"id": str(n), **fields} for n, fields in enumerate(VALID)])

    before = character_statistics(database)
    go_up(database, 1)
    after = character_statistics(database)

    assert before.invalid == after.invalid == ()
    assert after.complete == after.total == len(VALID)


def test_counts_after_the_migration_are_those_of_looking_again(database: Data) -> None:
    fields = [*(fields for fields, _, _ in INVALID), *VALID]
    database["characters"].insert_many([{"id": str(n), **each} for n, each in enumerate(fields)])

    before = character_statistics(database)
    assert character_statistics(database, before) == before
    go_up(database, 1)

    looked_again = character_statistics(database)
    assert character_statistics(database, before) == looked_again
    assert looked_again.complete == len(VALID)


def test_characters_that_came_meanwhile_are_looked_at(database: Data) -> None:
    database["characters"].insert_one({"id": "0"})
    before = character_statistics(database)
    go_up(database, 1)
    whole = {HISTORY: [], SETTINGS: {"face_enhancer_blend": 1.7}, GALLERY: EMPTY}
    database["characters"].insert_one({"id": "1", **whole})

    after = character_statistics(database, before)

    assert (after.total, after.complete, len(after.invalid)) == (2, 1, 1)

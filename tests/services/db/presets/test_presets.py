"""Presets: which are found by a name, and how often a run counts."""

from datetime import timedelta
from typing import Any

import pytest

from db.errors import UnknownPreset
from db.presets import PresetRepository
from tests.support.db.database_state import Data
from tests.support.db.records import NOW

HOSTILE = ("$where", "a.b", ".*", "^s", "\x00\x1b", "'; drop", "n" * 10_000)


def preset(**fields: Any) -> dict[str, Any]:
    return {"id": "p", "name": "soft", "operation_type": "enhance", **fields}


def stored(database: Data) -> dict[str, Any]:
    found = database["facefusion_presets"].find_one({"id": "p"})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "found_by_name"),
    [
        ({}, True),
        ({"user_id": None, "is_public": False}, True),
        ({"user_id": "ann", "is_public": True}, True),
        ({"user_id": "ann", "is_public": False}, False),
        ({"user_id": "ann"}, False),
    ],
)
def test_a_private_preset_of_a_user_is_found_by_its_id_only(
    database: Data, fields: dict[str, Any], *, found_by_name: bool
) -> None:
    database["facefusion_presets"].insert_one(preset(**fields))
    presets = PresetRepository(database)

    assert presets.find("p").name == "soft"
    if found_by_name:
        assert presets.find("soft").id == "p"
        return
    with pytest.raises(UnknownPreset, match="by its id only"):
        presets.find("soft")


def test_a_private_preset_does_not_make_a_public_name_ambiguous(database: Data) -> None:
    database["facefusion_presets"].insert_many(
        [preset(is_public=True), preset(id="q", user_id="ann", is_public=False)]
    )

    assert PresetRepository(database).find("soft").id == "p"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_compared_as_it_is_written(database: Data, name: str) -> None:
    presets = PresetRepository(database)
    database["facefusion_presets"].insert_one(preset())

    with pytest.raises(UnknownPreset):
        presets.find(name)

    database["facefusion_presets"].insert_one(preset(id="q", name=name))
    assert presets.find(name).id == "q"


@pytest.mark.parametrize(("before", "after"), [(None, 2), ("many", 2), (7, 9)])
def test_each_run_counts_once(database: Data, before: object, after: int) -> None:
    database["facefusion_presets"].insert_one(preset(use_count=before))
    presets = PresetRepository(database)

    for run in ("run-1", "run-1", "$run", "$run"):
        presets.count_use("p", run, NOW)
        presets.count_use("p", run, NOW + timedelta(days=1))

    found = stored(database)
    assert (found["use_count"], found["last_used_run"]) == (after, "$run")
    assert found["last_used_at"].replace(tzinfo=NOW.tzinfo) == NOW


def test_a_deleted_preset_counts_nothing(database: Data) -> None:
    database["facefusion_presets"].insert_one(preset(deleted_at=NOW))

    PresetRepository(database).count_use("p", "run-1", NOW)

    assert "use_count" not in stored(database)

"""Every active model gets the presets of its base model, once, and nothing else changes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.errors import OperationRefused
from db.inference.report import MAX_EXAMPLES, SeedReport
from db.inference.seed import BATCH, seed_inference
from db.setup.apply import initialise
from tests.support.app_contract import faults
from tests.support.db.database_state import Data, run_at_once

DELETED = datetime(2026, 1, 1, tzinfo=UTC)
MODELS: list[dict[str, Any]] = [
    {"id": "xl", "name": "sd_xl_base_1.0", "is_active": True},
    {"id": "wan", "name": "hero", "base_model": "Wan Video 2.2", "is_active": True},
    {"id": "off", "name": "sd_xl_base_1.0", "is_active": False},
    {"id": "gone", "name": "sd_xl_base_1.0", "is_active": True, "deleted_at": DELETED},
    {"id": "new", "name": "sdxl", "metadata": {"baseModel": "SD 3.5"}, "is_active": True},
]


def models(count: int, name: str = "sdxl") -> list[dict[str, Any]]:
    return [{"id": f"m{number}", "name": name, "is_active": True} for number in range(count)]


def add_index(database: Data) -> None:
    database["inference_configurations"].create_index(["model_id", "preset_type"], unique=True)


def stored(database: Data) -> list[dict[str, Any]]:
    return [*database["inference_configurations"].find(sort=[("_id", 1)])]


def keys(database: Data) -> list[tuple[str, str]]:
    return sorted((preset["model_id"], preset["preset_type"]) for preset in stored(database))


def created(report: SeedReport) -> dict[str, int]:
    return {f"{count.base_model} {count.preset_type}": count.created for count in report.presets}


def test_active_models_get_both_presets_in_valid_documents(data: Data) -> None:
    data["database_models"].insert_many(MODELS)

    report = seed_inference(data)

    types = ("quality", "speed")
    assert keys(data) == [(model, kind) for model in ("wan", "xl") for kind in types]
    assert created(report) == {
        f"{model} {kind}": 1 for model in ("sdxl", "wan_2_2") for kind in types
    }
    assert report.existing == 0


def test_a_model_of_unknown_base_model_is_reported_with_the_evidence(database: Data) -> None:
    nameless = {"_id": "row", "name": "sdxl", "is_active": True}
    database["database_models"].insert_many([*MODELS, nameless])

    report = seed_inference(database)

    assert [str(model) for model in report.unknown] == [
        "sdxl (new): metadata.baseModel is 'SD 3.5'",
        "sdxl (row): it has no id to refer to it by",
    ]
    assert report.unknown_count == 2


def test_the_list_of_unknown_models_is_bounded_and_counted(database: Data) -> None:
    database["database_models"].insert_many(models(MAX_EXAMPLES + 1, "hero"))

    report = seed_inference(database)

    assert (len(report.unknown), report.unknown_count) == (MAX_EXAMPLES, MAX_EXAMPLES + 1)
    assert stored(database) == []


def test_a_second_run_changes_nothing(database: Data) -> None:
    database["database_models"].insert_many(models(BATCH + 1))
    first = seed_inference(database)
    before = stored(database)

    second = seed_inference(database)

    assert stored(database) == before
    assert (first.created, first.existing) == (2 * (BATCH + 1), 0)
    assert (second.created, second.existing) == (0, 2 * (BATCH + 1))


@pytest.mark.parametrize("name", ["preset_type", "configuration_type"])
def test_an_existing_preset_is_kept_as_it_is(database: Data, name: str) -> None:
    add_index(database)
    own = {"_id": "own", "model_id": "xl", name: "speed", "steps": 3}
    database["inference_configurations"].insert_one(own)
    database["database_models"].insert_many(MODELS[:1])

    report = seed_inference(database)

    assert (report.created, report.existing) == (1, 1)
    assert database["inference_configurations"].find_one({"_id": "own"}) == own
    assert len(stored(database)) == 2


def test_a_dry_run_counts_and_writes_nothing(database: Data) -> None:
    database["database_models"].insert_many(MODELS)

    report = seed_inference(database, dry_run=True)

    assert report.created == 4
    assert report.summary().endswith(
        "4 would be created, 0 existing, 1 model(s) of unknown base model; "
        "profiles: 3 would be created, 0 existing."
    )
    assert database.list_collection_names() == ["database_models"]


@pytest.mark.parametrize("with_index", [True, False])
def test_runs_at_once_make_each_preset_once(
    database: Data, mongo_url: str, *, with_index: bool
) -> None:
    if with_index:
        add_index(database)
    database["database_models"].insert_many(models(200))

    reports = run_at_once(seed_inference, mongo_url, database.name, 3)

    assert len(stored(database)) == len(set(keys(database))) == 400
    assert sum(report.created for report in reports) == 400
    assert [report.created + report.existing for report in reports] == [400] * 3


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_foreign_unique_index_is_named_and_not_mistaken_for_a_preset(
    database: Data, *, dry_run: bool
) -> None:
    database["inference_configurations"].create_index("model_id", unique=True)
    database["database_models"].insert_many(MODELS[:1])

    with pytest.raises(OperationRefused, match=r"\(model_id\) .*drop that index"):
        seed_inference(database, dry_run=dry_run)


PROFILES = "model_profiles"


def test_profiles_are_added_where_they_are_missing_in_valid_documents(data: Data) -> None:
    by_the_script = {"_id": "illustrious_profile", "name": "Anime", "settings": {"steps": 3}}
    data[PROFILES].insert_one(by_the_script)
    data[PROFILES].insert_one({"id": "realvisxl_profile", "name": "Mine"})

    first, second = (seed_inference(data) for _ in range(2))

    added = [profile.profile_id for profile in first.profiles if profile.created]
    assert added == ["sdxl_lightning_profile"]
    assert not any(profile.created for profile in second.profiles)
    stored = {profile["name"]: profile for profile in data[PROFILES].find()}
    assert {"Anime", "Mine", "SDXL Lightning"} == stored.keys()
    assert stored["Anime"] == by_the_script
    lightning = stored["SDXL Lightning"]
    assert lightning["_id"] == lightning["id"] == "sdxl_lightning_profile"
    settings = {"cfg_scale": 1.5, "steps": 4, "sampler": "euler", "scheduler": "normal"}
    assert lightning["settings"] == {**settings, "clip_skip": -1}
    assert lightning["linked_base_models"] == ["SDXL 1.0-LCM", "SDXL Lightning"]
    assert not faults(PROFILES, lightning)


def test_a_foreign_unique_index_of_profiles_is_named(database: Data) -> None:
    database[PROFILES].create_index("priority", unique=True)

    with pytest.raises(OperationRefused, match=r"\(priority\) of model_profiles .*drop that index"):
        seed_inference(database)


def of_the_apps_script(model: str, kind: str) -> dict[str, Any]:
    """A preset as the app's own script writes it."""
    return {
        "id": f"app {model} {kind}",
        "model_id": model,
        "base_model": "sdxl",
        "configuration_type": kind,
        "steps": 30,
        "cfg_scale": 7.5,
        "sampler": "dpmpp_2m",
        "scheduler": "karras",
        "model_specific_params": {"width": 1024, "clip_skip": -1},
        "created_at": DELETED,
        "updated_at": DELETED,
    }


def test_presets_of_the_apps_script_stand_beside_ours(any_database: Data) -> None:
    """Whichever comes first: its documents and index, `init-db`, or the seed."""
    configurations = any_database["inference_configurations"]
    both = [of_the_apps_script("xl", kind) for kind in ("quality", "speed")]
    configurations.insert_many(both)
    any_database["database_models"].insert_many(MODELS[:2])

    assert initialise(any_database, "error").blocked == ()
    foreseen = seed_inference(any_database, dry_run=True)
    report = seed_inference(any_database)
    configurations.create_index("model_id")
    configurations.create_index(["model_id", "configuration_type"], unique=True)
    configurations.insert_one(of_the_apps_script("new", "speed"))

    assert (foreseen.created, foreseen.existing) == (report.created, report.existing) == (2, 2)
    assert initialise(any_database, "error").blocked == ()
    assert all(not faults(configurations.name, preset) for preset in stored(any_database))
    assert configurations.find_one({"model_id": "wan", "configuration_type": "speed"})
    assert [preset for preset in stored(any_database) if preset in both] == both
    assert seed_inference(any_database).created == 0


def test_two_presets_of_one_type_block_the_index_without_advice_to_remove_one(
    database: Data,
) -> None:
    same = {"model_id": "xl", "preset_type": "speed"}
    database["inference_configurations"].insert_many([{**same}, {**same}])

    [finding] = initialise(database).blocked

    assert finding.name == "preset_type_1_model_id_1"
    assert "remove" not in finding.reason

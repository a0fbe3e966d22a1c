"""Models that earlier runs wrote become what the app reads, and again what they were."""

from typing import Any

import pytest
from bson import Decimal128, Int64

from db.catalog.matches.promote import row_id
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    UNDO,
    assert_reversible,
    by_id,
    go_down,
    go_up,
    unresolved,
    up_and_down,
    whole,
)

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


HERO, POSE = "loras/a/hero_v1.safetensors", "controlnet/pose.pth"
HERO_ID = row_id("box", HERO)
INFO = {"modelId": 7, "versionId": 70, "name": "Hero"}


def of_match_models(model_id: str = HERO, **fields: Any) -> dict[str, Any]:
    """Make a row as match-models added it before."""
    name = model_id.rpartition("/")[2]
    return {
        "_id": model_id,
        "id": model_id,
        "name": name.rpartition(".")[0],
        "type": "lora",
        "is_active": True,
        "source": "civitai-match",
        "is_nsfw": False,
        "filename": name,
        "path": model_id,
        "catalog_model_id": model_id,
        "server_source": "Box",
        "civitai_id": 7,
        "civitai_match_quality": "exact_hash",
        "civitai_info": INFO,
        "base_model": "Pony",
        "hash": "A" * 64,
        **fields,
    }


def of_the_app(name: str, id_: str = "app-1", **fields: Any) -> dict[str, Any]:
    """Make a row as the app adds it when it lists a server."""
    unknown = dict.fromkeys(("filename", "filepath", "hash", "civitai_info", "last_synced_at"))
    own = {"_id": id_, "id": id_, "name": name, "type": "lora", "server_source": "box"}
    return {**own, **unknown, "configuration_presets": [], "metadata": {}, "last": 1, **fields}


def preset(model_id: str, preset_type: str, **fields: Any) -> dict[str, Any]:
    id_ = f"{model_id} {preset_type}"
    return {"_id": id_, "id": id_, "model_id": model_id, "preset_type": preset_type, **fields}


@pytest.fixture
def database(any_database: Data) -> Data:
    """On both topologies, unlike other migrations: what earlier flows wrote is repaired here."""
    return any_database


@pytest.fixture
def servers(database: Data) -> Data:
    """Two servers that have the file; one of them spells its path with a backslash."""
    for id_, name, raw in (("box", "Box", "a/hero_v1.safetensors"), ("cat", "$Cat", r"a\x.pt")):
        database["backends"].insert_one({"_id": id_, "id": id_, "name": name})
        facts = {"backend_id": id_, "backend_name": name, "model_type": "lora", "is_active": True}
        metadata = {"model_id": HERO, "model_metadata": {"raw_name": raw}}
        model = {"_id": f"{id_}/{HERO}", "id": f"{id_}/{HERO}", **facts, **metadata}
        database["active_backend_models"].insert_one(model)
    return database


def test_a_row_gets_an_id_without_a_slash_and_what_names_it_follows(servers: Data) -> None:
    servers["database_models"].insert_many([of_match_models(), of_the_app("other.pt")])
    servers["inference_configurations"].insert_one(preset(HERO, "quality"))
    servers["model_presets"].insert_one({"_id": 1, "id": "p", "model_id": HERO})

    go_up(servers, 6)

    expected = {"id": HERO_ID, "name": "a/hero_v1.safetensors", "server_source": "box"}
    info = {**INFO, "modelId": "7"}
    rows = by_id(servers, "database_models")
    assert rows[HERO_ID] == of_match_models() | expected | {"civitai_info": info}
    assert rows["app-1"] == of_the_app("other.pt")
    for name in ("inference_configurations", "model_presets"):
        assert [link["model_id"] for link in servers[name].find()] == [HERO_ID]


def test_the_app_s_own_row_of_the_file_takes_what_the_other_has(servers: Data) -> None:
    own = of_the_app("a/hero_v1.safetensors", base_model="Mine")
    servers["database_models"].insert_many([of_match_models(description="Long"), own])
    both = [preset(HERO, "quality"), preset(HERO, "speed"), preset("app-1", "quality")]
    servers["inference_configurations"].insert_many(both)

    go_up(servers, 6)

    taken = ("filename", "path", "catalog_model_id", "civitai_id", "civitai_match_quality")
    facts = {name: of_match_models()[name] for name in (*taken, "hash", "is_nsfw")}
    others = {"description": "Long", "civitai_info": {**INFO, "modelId": "7"}}
    assert by_id(servers, "database_models") == {"app-1": own | facts | others}
    links = by_id(servers, "inference_configurations")
    assert {id_: link["model_id"] for id_, link in links.items()} == {
        f"{HERO} speed": "app-1",
        "app-1 quality": "app-1",
    }


@pytest.mark.parametrize(
    "confirmed",
    [{"civitai_match_quality": "manual"}, {"civitai_match_confirmed": True}],
    ids=["manual", "confirmed"],
)
def test_a_link_that_a_person_made_for_the_app_s_own_row_stays(
    servers: Data, confirmed: dict[str, Any]
) -> None:
    own = of_the_app("a/hero_v1.safetensors", civitai_info={"modelId": "9"}, **confirmed)
    servers["database_models"].insert_many([of_match_models(), own])

    go_up(servers, 6)

    [row] = by_id(servers, "database_models").values()
    of_the_file = {name: of_match_models()[name] for name in ("filename", "path", "hash")}
    others = {"catalog_model_id": HERO, "base_model": "Pony", "is_nsfw": False}
    assert row == own | of_the_file | others


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "hero_v1.safetensors"},
        {"type": "checkpoint"},
        {"catalog_model_id": "loras/other.pt"},
        {"filename": "other.pt"},
    ],
    ids=["directory", "type", "another's", "file"],
)
def test_a_row_of_another_file_stays(servers: Data, fields: dict[str, Any]) -> None:
    other = of_the_app("a/hero_v1.safetensors") | fields
    servers["database_models"].insert_many([of_match_models(), other])

    go_up(servers, 6)

    rows = by_id(servers, "database_models")
    assert set(rows) == {HERO_ID, "app-1"}
    assert rows["app-1"] == other


SOURCES: dict[str, tuple[Any, Any]] = {
    "its name": ("$Cat", "cat"),
    "its id": ("cat", "cat"),
    "a server that is gone": ("gone", "gone"),
    "none": (None, None),
}
"""`server_source` of a row that is not to be renamed."""


def test_only_a_server_s_name_becomes_its_id(servers: Data) -> None:
    servers["database_models"].insert_many(
        of_the_app(f"{id_}.pt", id_, server_source=before, catalog_model_id=HERO)
        for id_, (before, _) in SOURCES.items()
    )
    elsewhere = of_the_app("x.pt", "no file", server_source="Box")
    servers["database_models"].insert_one(elsewhere)

    go_up(servers, 6)

    rows = by_id(servers, "database_models")
    assert {id_: rows[id_]["server_source"] for id_ in SOURCES} == {
        id_: after for id_, (_, after) in SOURCES.items()
    }
    assert rows["no file"] == elsewhere


def add_rows(database: Data) -> None:
    twin = of_the_app("a/hero_v1.safetensors", civitai_info={"modelId": 1, "mine": True})
    pose = of_match_models(POSE, type="controlnet", name="My own name", server_source="gone")
    taken = of_the_app("x.pt", "app-2", catalog_model_id="loras/x.pt", server_source="Box")
    database["database_models"].insert_many([of_match_models(), twin, pose, taken])
    links = [(HERO, "quality"), (HERO, "speed"), ("app-1", "quality"), (POSE, "speed")]
    documents = [preset(*link, steps=1.5) for link in links]
    database["inference_configurations"].insert_many(documents)
    database["inference_configurations"].create_index(
        [("model_id", 1), ("preset_type", 1)], unique=True
    )


def test_repairing_rows_twice_changes_nothing_and_undoing_gives_the_same_bytes(
    servers: Data,
) -> None:
    add_rows(servers)

    assert_reversible(servers, 6)


def half_merged(data: Data) -> None:
    """Leave what a kill leaves before the row is removed that was merged."""
    note = (data["database_models"].find_one({"id": "app-1"}) or {})[UNDO]["m0006"]
    data["database_models"].insert_one(note["merged_row"])
    data["inference_configurations"].insert_one(note["removed_links"][0]["document"])


def half_undone(data: Data) -> None:
    """Leave what a kill leaves after the links were restored, before the rows are."""
    half_merged(data)
    noted = {f"{UNDO}.m0006": {"$exists": True}}
    for link in data["inference_configurations"].find(noted):
        was = link[UNDO]["m0006"]["model_id"]["was"][0]
        update = {"$set": {"model_id": was}, "$unset": {UNDO: True}}
        data["inference_configurations"].update_one({"_id": link["_id"]}, update)


@pytest.mark.parametrize("kill", [half_merged, half_undone])
def test_what_a_kill_left_half_done_is_done_and_undone_exactly(servers: Data, kill: Any) -> None:  # noqa: ANN401
    add_rows(servers)
    before = whole(servers)
    go_up(servers, 6)
    after = by_id(servers, "database_models")
    kill(servers)

    go_up(servers, 6)

    assert by_id(servers, "database_models") == after
    go_down(servers, 6)
    assert whole(servers) == before


def test_a_row_that_was_written_since_keeps_what_was_written(servers: Data) -> None:
    servers["database_models"].insert_one(of_match_models())
    later = {"$set": {"name": "By a person", "server_source": "cat"}}

    up_and_down(servers, 6, lambda: servers["database_models"].update_one({}, later))

    expected = of_match_models(name="By a person", server_source="cat")
    assert servers["database_models"].find_one() == expected


def test_of_two_rows_of_one_name_only_the_first_is_merged_into_the_app_s_own(
    servers: Data,
) -> None:
    twin = "lycoris/a/hero_v1.safetensors"
    own = of_the_app("a/hero_v1.safetensors")
    servers["database_models"].insert_many([of_match_models(), of_match_models(twin), own])

    go_up(servers, 6)

    files = {row["id"]: row["catalog_model_id"] for row in servers["database_models"].find()}
    assert files == {"app-1": HERO, row_id("box", twin): twin}

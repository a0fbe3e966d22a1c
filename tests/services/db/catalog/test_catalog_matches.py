"""What matching found out is written once, and never over what a person decided."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from db.catalog.listing.sync import sync_models
from db.catalog.matches.links import MatchLink, MatchRow
from db.catalog.matches.promote import MAX_DESCRIPTION_LENGTH, row_id
from db.catalog.matches.write import MatchCounts, write_matches
from db.catalog.server_rows import BackendRef
from db.schema.documents.models import DatabaseModel, ModelSyncStatus
from tests.support.catalog.catalog_rows import BOX, MONDAY, SHA256, TUESDAY, Data, listing, stored

HERO = "loras/hero_v1.safetensors"
LINK = MatchLink(
    civitai_id=910000001,
    name="Sample Hero",
    version_id=920000010,
    version_name="v1.0",
    quality="exact_hash",
    method="sha256",
    score=1,
    base_model="SDXL 1.0",
    description="<p>A hero</p>",
    tags=("character",),
    trained_words=("hero", "cape"),
    is_nsfw=False,
    sha256=SHA256,
)
CANDIDATES = ({"model_id": 910000001, "version_id": 920000010, "score": 1.0, "method": "sha256"},)
ROW = MatchRow(HERO, "hero_v1.safetensors", "lora", LINK, None, CANDIDATES, ("box",))
ROW_ID = row_id("box", HERO)
NO_LINK = replace(ROW, link=None, reason="No file of Civitai has its hashes or name.")
BAD = replace(ROW, link=replace(LINK, name="\ud800", version_name="\ud800"))
"""A match that MongoDB cannot hold."""


class Listener(CommandListener):
    """Ignores the ends of commands."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


class Person(Listener):
    """Makes a link by hand right before it would be overwritten."""

    def __init__(self, data: Data, collection: str) -> None:
        self._data, self._collection = data, collection

    def started(self, event: CommandStartedEvent) -> None:
        if event.command.get("update") == self._collection:
            mark = {"$set": {"civitai_match_quality": "manual"}}
            self._data[self._collection].update_one({}, mark)


class Written(Listener):
    """Notes the collections that are written to, in their order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names += [
            event.command[kind] for kind in ("insert", "update") if kind in event.command
        ]


@pytest.fixture
def data(data: Data) -> Data:
    sync_models(data, BOX, listing(HERO), True, MONDAY)
    return data


def add_other_server(data: Data) -> None:
    other = BackendRef("box2", "Other", "http://127.0.0.1:8189")
    sync_models(data, other, listing(HERO), True, MONDAY)


def active(data: Data, backend: str = "box") -> dict[str, Any]:
    found: dict[str, Any] = stored(data)[f"{backend}/{HERO}"]
    return found


def row(data: Data, id_: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = stored(data, "database_models")[id_ or ROW_ID]
    return found


def status(data: Data, model_id: str = HERO) -> dict[str, Any]:
    found = data["model_sync_status"].find_one({"model_id": model_id}, {"_id": False})
    assert found is not None
    return found


def everything(data: Data) -> dict[str, list[dict[str, Any]]]:
    names = ("active_backend_models", "model_sync_status", "database_models")
    return {name: [*data[name].find().sort("_id")] for name in names}


def add_row(data: Data, **fields: Any) -> None:
    plain = {"id": "app-1", "name": "Hero", "type": "lora", "filename": "hero_v1.safetensors"}
    data["database_models"].insert_one({**plain, "is_active": True, **fields})


def has(document: Mapping[str, Any], **fields: Any) -> bool:
    return {name: document.get(name) for name in fields} == fields


def test_a_link_is_written_to_the_model_its_status_and_its_row(data: Data) -> None:
    before = active(data)

    counts = write_matches(data, [ROW], TUESDAY)

    assert counts == MatchCounts(synced=1, written=1, promoted=1)
    assert active(data) == before | {
        "civitai_model_id": "910000001",
        "civitai_model_name": "Sample Hero",
        "civitai_version_id": 920000010,
        "civitai_match_quality": "exact_hash",
        "match_method": "sha256",
        "match_score": 1.0,
    }
    ModelSyncStatus.model_validate(status(data))
    assert status(data) == {
        "model_id": HERO,
        "civitai_model_id": "910000001",
        "sync_status": "synced",
        "sync_error": None,
        "last_sync_attempt": TUESDAY,
        "last_sync_success": TUESDAY,
        "candidates": [*CANDIDATES],
    }


def test_a_known_model_without_a_row_gets_one(data: Data) -> None:
    write_matches(data, [ROW], TUESDAY)

    DatabaseModel.model_validate(row(data))
    assert row(data) == {
        "_id": HERO,
        "id": ROW_ID,
        "name": "hero_v1.safetensors",
        "type": "lora",
        "is_active": True,
        "source": "civitai-match",
        "filename": "hero_v1.safetensors",
        "path": HERO,
        "catalog_model_id": HERO,
        "server_source": "box",
        "is_nsfw": False,
        "base_model": "SDXL 1.0",
        "trigger_words": "hero, cape",
        "hash": SHA256,
        "civitai_id": 910000001,
        "civitai_match_quality": "exact_hash",
        "civitai_info": {
            "modelId": "910000001",
            "versionId": 920000010,
            "name": "Sample Hero",
            "versionName": "v1.0",
            "baseModel": "SDXL 1.0",
            "description": "<p>A hero</p>",
            "tags": ["character"],
            "trainedWords": ["hero", "cape"],
            "sha256": SHA256,
            "nsfw": False,
        },
        "created_at": TUESDAY,
        "updated_at": TUESDAY,
        "last_synced_at": TUESDAY,
    }


@pytest.mark.parametrize("result", [ROW, NO_LINK, BAD], ids=["link", "none", "failed"])
def test_the_same_result_again_writes_nothing(data: Data, result: MatchRow) -> None:
    write_matches(data, [result], MONDAY)
    before = everything(data)

    counts = write_matches(data, [result], TUESDAY)

    assert counts.written == 0
    assert everything(data) == before


def test_every_server_that_has_the_model_gets_the_link(data: Data) -> None:
    add_other_server(data)

    write_matches(data, [ROW], TUESDAY)

    assert [active(data, id_)["civitai_version_id"] for id_ in ("box", "box2")] == [920000010] * 2
    assert [*stored(data, "database_models")] == [ROW_ID]


def test_a_model_without_a_link_is_pending_with_its_candidates(data: Data) -> None:
    counts = write_matches(data, [NO_LINK], TUESDAY)

    assert counts == MatchCounts(pending=1, written=1)
    assert has(status(data), sync_status="pending", civitai_model_id=None)
    assert has(status(data), sync_error=NO_LINK.reason, candidates=[*CANDIDATES])
    assert "last_sync_success" not in status(data)
    assert stored(data, "database_models") == {}


def test_a_model_whose_link_cannot_be_written_keeps_its_former_one_and_fails(data: Data) -> None:
    write_matches(data, [ROW], MONDAY)
    before = everything(data)

    assert write_matches(data, [BAD], TUESDAY).failed == 1

    assert has(status(data), sync_status="failed", civitai_model_id="910000001")
    assert "MongoDB cannot hold it" in status(data)["sync_error"]
    assert status(data)["last_sync_attempt"] == TUESDAY
    assert status(data)["last_sync_success"] == MONDAY
    for name in ("active_backend_models", "database_models"):
        assert everything(data)[name] == before[name]


def test_a_link_that_is_none_any_more_is_taken_back_everywhere(data: Data) -> None:
    write_matches(data, [ROW], MONDAY)

    write_matches(data, [NO_LINK], TUESDAY)

    assert has(active(data), civitai_model_id=None, civitai_match_quality=None, match_score=None)
    assert has(row(data), civitai_id=None, civitai_info=None, civitai_match_quality=None)
    assert has(row(data), base_model=None, trigger_words=None, hash=None)
    before = everything(data)
    write_matches(data, [NO_LINK], TUESDAY)
    assert everything(data) == before


@pytest.mark.parametrize("quality", ["exact_hash", "high_confidence", "low_confidence"])
def test_only_a_model_that_is_known_gets_a_row(data: Data, quality: Any) -> None:  # noqa: ANN401
    write_matches(data, [replace(ROW, link=replace(LINK, quality=quality))], TUESDAY)

    assert bool(stored(data, "database_models")) == (quality != "low_confidence")
    assert active(data)["civitai_match_quality"] == quality


CONFIRMED = [
    {"civitai_match_quality": "manual", "civitai_model_id": "7"},
    {"civitai_match_confirmed": True, "civitai_match_quality": "low_confidence"},
]


each_choice = pytest.mark.parametrize("fields", CONFIRMED, ids=["manual", "confirmed"])
each_result = pytest.mark.parametrize("result", [ROW, NO_LINK], ids=["another link", "no link"])


@each_choice
@each_result
def test_a_link_that_a_person_made_or_confirmed_stays(
    data: Data, fields: dict[str, Any], result: MatchRow
) -> None:
    data["active_backend_models"].update_one({}, {"$set": fields})
    before = everything(data)

    counts = write_matches(data, [result], TUESDAY)

    assert (counts.synced, counts.confirmed) == (1, {HERO})
    assert has(status(data), sync_status="synced", sync_error=None)
    assert status(data)["civitai_model_id"] == fields.get("civitai_model_id")
    assert everything(data) | {"model_sync_status": []} == before


@each_choice
@each_result
def test_a_row_that_a_person_linked_or_confirmed_stays(
    data: Data, fields: dict[str, Any], result: MatchRow
) -> None:
    add_row(data, civitai_id=7, **{k: v for k, v in fields.items() if k != "civitai_model_id"})
    before = everything(data)

    write_matches(data, [result], TUESDAY)

    assert status(data)["civitai_model_id"] == "7"
    assert everything(data) | {"model_sync_status": []} == before


@pytest.mark.parametrize("number", ["7", None], ids=["another", "none"])
def test_a_link_goes_where_a_person_chose_another_on_another_server(
    data: Data, number: str | None
) -> None:
    add_other_server(data)
    write_matches(data, [ROW], MONDAY)
    own = {"civitai_match_quality": "manual", "civitai_model_id": number}
    data["active_backend_models"].update_one({"id": f"box/{HERO}"}, {"$set": own})

    write_matches(data, [ROW], TUESDAY)

    assert has(active(data), **own)
    assert has(active(data, "box2"), civitai_model_id=None, civitai_match_quality=None)
    assert has(row(data), civitai_id=None, civitai_match_quality=None)
    assert has(status(data), sync_status="synced", civitai_model_id=number)
    assert write_matches(data, [ROW], TUESDAY).written == 0


def test_what_a_person_chose_holds_when_the_model_goes_from_that_server(data: Data) -> None:
    add_other_server(data)
    own = {"civitai_match_quality": "manual", "civitai_model_id": "7"}
    data["active_backend_models"].update_one({"id": f"box/{HERO}"}, {"$set": own})
    sync_models(data, BOX, listing(), True, TUESDAY)
    before = everything(data)

    write_matches(data, [ROW], TUESDAY)

    assert has(status(data), sync_status="synced", civitai_model_id="7")
    assert everything(data) | {"model_sync_status": []} == before


def test_a_link_that_a_person_confirmed_stays_on_every_server(data: Data) -> None:
    add_other_server(data)
    write_matches(data, [ROW], MONDAY)
    mark = {"$set": {"civitai_match_confirmed": True}}
    data["active_backend_models"].update_one({"id": f"box/{HERO}"}, mark)
    before = everything(data)

    write_matches(data, [NO_LINK], TUESDAY)

    assert everything(data) | {"model_sync_status": []} == before | {"model_sync_status": []}


def test_a_link_goes_where_a_person_chose_another_for_the_row(data: Data) -> None:
    write_matches(data, [ROW], MONDAY)
    own = {"civitai_match_quality": "manual", "civitai_id": 7}
    data["database_models"].update_one({}, {"$set": own})
    before = row(data)

    write_matches(data, [ROW], TUESDAY)

    assert row(data) == before
    assert has(active(data), civitai_model_id=None, match_method=None)


def test_a_status_is_written_after_the_link(data: Data, standalone_url: str) -> None:
    other = "loras/a_confirmed.pt"
    sync_models(data, BOX, listing(HERO, other), True, MONDAY)
    own = {"$set": {"civitai_match_quality": "manual", "civitai_model_id": "7"}}
    data["active_backend_models"].update_one({"id": f"box/{other}"}, own)
    order = Written()
    client = MongoClient[dict[str, Any]](standalone_url, event_listeners=[order], tz_aware=True)
    kept = replace(ROW, model_id=other, file_name="a_confirmed.pt")
    with client:
        write_matches(client[data.name], [kept, ROW], TUESDAY)

    assert order.names == ["active_backend_models", "database_models", "model_sync_status"]


@pytest.mark.parametrize("collection", ["active_backend_models", "database_models"])
def test_a_person_who_comes_between_reading_and_writing_wins(
    data: Data, standalone_url: str, collection: str
) -> None:
    add_row(data)
    client = MongoClient[dict[str, Any]](
        standalone_url, event_listeners=[Person(data, collection)], tz_aware=True
    )
    with client:
        write_matches(client[data.name], [ROW], TUESDAY)

    [found] = data[collection].find()
    assert found["civitai_match_quality"] == "manual"
    assert found.get("civitai_info") is None
    assert found.get("match_method") is None


def test_a_row_of_the_same_file_gets_the_fields_and_keeps_its_own(data: Data) -> None:
    add_row(data, description="Mine", tags=["mine"], civitai_info={"modelId": 1, "mine": True})

    counts = write_matches(data, [ROW], TUESDAY)

    found = row(data, "app-1")
    assert (counts.promoted, [*stored(data, "database_models")]) == (0, ["app-1"])
    assert has(found, name="Hero", description="Mine", tags=["mine"], catalog_model_id=HERO)
    assert has(found, civitai_id=910000001, base_model="SDXL 1.0", trigger_words="hero, cape")
    assert found["civitai_info"] == {"mine": True, **found["civitai_info"], "modelId": "910000001"}
    assert "source" not in found


def test_texts_of_a_person_stay_and_those_of_an_earlier_match_go(data: Data) -> None:
    add_row(data, base_model="Mine", trigger_words="")
    write_matches(data, [ROW], MONDAY)
    link = replace(LINK, version_id=920000011, base_model="Pony", trained_words=("knight",))

    write_matches(data, [replace(ROW, link=link)], TUESDAY)

    assert has(row(data, "app-1"), base_model="Mine", trigger_words="knight")


@pytest.mark.parametrize(
    ("own", "marked", "kept"),
    [({"is_nsfw": True}, False, True), ({"is_nsfw": False}, True, True), ({}, False, False)],
    ids=["a person's", "the app's default", "none"],
)
def test_a_row_is_not_called_harmless_by_civitai(
    data: Data, own: dict[str, bool], marked: bool, kept: bool
) -> None:
    add_row(data, **own)

    write_matches(data, [replace(ROW, link=replace(LINK, is_nsfw=marked))], TUESDAY)

    assert row(data, "app-1")["is_nsfw"] is kept


@pytest.mark.parametrize("marked", [True, False])
def test_a_person_decides_after_a_match_whether_a_row_is_nsfw(data: Data, marked: bool) -> None:
    result = replace(ROW, link=replace(LINK, is_nsfw=marked))
    write_matches(data, [result], MONDAY)
    data["database_models"].update_one({}, {"$set": {"is_nsfw": not marked}})

    write_matches(data, [result], TUESDAY)

    assert row(data)["is_nsfw"] is not marked


def test_a_later_mark_of_civitai_is_taken_over(data: Data) -> None:
    for marked in (True, False, True):
        write_matches(data, [replace(ROW, link=replace(LINK, is_nsfw=marked))], TUESDAY)

        assert row(data)["is_nsfw"] is marked


def test_a_link_that_is_taken_back_leaves_what_others_noted(data: Data) -> None:
    """The app refuses its whole list for a `civitai_info` without `modelId` as text."""
    add_row(data, civitai_info={"mine": True})
    write_matches(data, [ROW], MONDAY)

    write_matches(data, [NO_LINK], TUESDAY)

    assert row(data, "app-1")["civitai_info"] == {"modelId": "", "mine": True}


def test_the_row_that_was_given_to_a_model_comes_before_the_one_with_its_id(
    database: Data,
) -> None:
    add_row(database, catalog_model_id=HERO, filename="older_name.pt")
    add_row(database, id=HERO, filename="x.pt")

    write_matches(database, [ROW], TUESDAY)

    assert row(database, "app-1")["civitai_id"] == 910000001
    assert "civitai_id" not in row(database, HERO)


def add_row_of_the_app(data: Data, name: str, **fields: Any) -> None:
    """Add a row as the app does when it lists a server."""
    unknown = dict.fromkeys(("filename", "filepath", "hash", "civitai_info"))
    own = {"id": "app-1", "name": name, "type": "lora", "server_source": "box", **unknown}
    lists = {"configuration_presets": [], "metadata": {}, "is_active": True}
    data["database_models"].insert_one({**own, **lists, **fields})


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        (HERO, "hero_v1.safetensors"),
        ("loras/a/hero_v1.safetensors", "a/hero_v1.safetensors"),
        ("loras/a/hero_v1.safetensors", r"a\hero_v1.safetensors"),
    ],
    ids=["name", "directory", "Windows"],
)
def test_the_app_s_own_row_of_a_file_is_taken_over(data: Data, model_id: str, name: str) -> None:
    add_row_of_the_app(data, name)
    result = replace(ROW, model_id=model_id, servers=("box", "box2"))

    counts = write_matches(data, [result], TUESDAY)

    assert (counts.promoted, [*stored(data, "database_models")]) == (0, ["app-1"])
    found = row(data, "app-1")
    assert has(found, name=name, filename="hero_v1.safetensors", catalog_model_id=model_id)
    assert has(found, civitai_id=910000001, server_source="box")
    assert write_matches(data, [result], TUESDAY).written == 0


def test_what_a_person_linked_in_the_app_goes_before_a_match(data: Data) -> None:
    add_row_of_the_app(data, "hero_v1.safetensors")
    write_matches(data, [ROW], MONDAY)
    own = {"civitai_match_quality": "manual", "civitai_info": {"modelId": "7", "name": "Mine"}}
    data["database_models"].update_one({}, {"$set": own})
    before = row(data, "app-1")

    counts = write_matches(data, [ROW], TUESDAY)

    assert counts.confirmed == {HERO}
    assert row(data, "app-1") == before
    assert has(status(data), sync_status="synced", civitai_model_id="7")
    assert active(data)["civitai_model_id"] is None


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("other.safetensors", {}),
        ("a/hero_v1.safetensors", {}),
        ("hero_v1.safetensors", {"type": "checkpoint"}),
        ("hero_v1.safetensors", {"path": "checkpoints/other.safetensors"}),
        ("hero_v1.safetensors", {"filename": "other.safetensors"}),
    ],
    ids=["name", "directory", "type", "path", "file"],
)
def test_a_row_of_the_app_of_another_file_stays(
    data: Data, name: str, fields: dict[str, Any]
) -> None:
    add_row_of_the_app(data, name, **fields)
    before = row(data, "app-1")

    assert write_matches(data, [ROW], TUESDAY).promoted == 1

    assert row(data, "app-1") == before


def test_the_app_finds_a_row_that_was_added_by_name_and_by_an_id_without_a_slash(
    data: Data,
) -> None:
    """The app looks for `name` and `type`, and puts the id into addresses."""
    path = "loras/a/hero_v1.safetensors"
    windows = replace(ROW, model_id=path, raw_names=(r"a\hero_v1.safetensors",))

    write_matches(data, [windows], TUESDAY)

    [found] = data["database_models"].find({"name": r"a\hero_v1.safetensors", "type": "lora"})
    assert "/" not in found["id"]
    assert has(found, id=row_id("box", path), server_source="box")


@pytest.mark.parametrize(
    ("stored_server", "expected"), [("box2", "box2"), ("Box", "box"), ("gone", "box")]
)
def test_the_server_that_the_app_asked_last_stays_as_long_as_it_has_the_file(
    data: Data, stored_server: str, expected: str
) -> None:
    result = replace(ROW, servers=("box", "box2"))
    write_matches(data, [result], MONDAY)
    data["database_models"].update_one({}, {"$set": {"server_source": stored_server}})

    write_matches(data, [result], TUESDAY)

    assert row(data)["server_source"] == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "vae"},
        {"filename": "hero_v2.safetensors"},
        {"path": "/srv/models/loras/other/hero_v1.safetensors"},
        {"catalog_model_id": "loras/other/hero_v1.safetensors"},
    ],
    ids=["type", "name", "path", "another's"],
)
def test_a_row_of_another_file_is_left_alone(data: Data, fields: dict[str, Any]) -> None:
    add_row(data, **fields)
    before = row(data, "app-1")

    write_matches(data, [ROW], TUESDAY)

    assert row(data, "app-1") == before
    assert row(data)["civitai_id"] == 910000001


def test_two_files_of_one_name_do_not_share_a_row(data: Data) -> None:
    add_row(data)
    twin = "loras/a/hero_v1.safetensors"
    sync_models(data, BOX, listing(HERO, twin), True, MONDAY)
    results = [ROW, replace(ROW, model_id=twin, link=replace(LINK, civitai_id=5))]

    write_matches(data, results, TUESDAY)
    before = everything(data)
    write_matches(data, results[::-1], TUESDAY)
    for result in results:
        write_matches(data, [result], TUESDAY)

    assert everything(data) == before
    rows = {entry["catalog_model_id"]: entry for entry in before["database_models"]}
    assert {id_: entry["civitai_id"] for id_, entry in rows.items()} == {twin: 5, HERO: 910000001}


def test_a_deleted_row_is_left_alone(data: Data) -> None:
    add_row(data, id=HERO, deleted_at=MONDAY)
    before = stored(data, "database_models")

    write_matches(data, [ROW], TUESDAY)

    assert stored(data, "database_models") == before


def test_what_cannot_be_written_is_refused_alone(data: Data) -> None:
    other = "loras/other.pt"
    sync_models(data, BOX, listing(HERO, other), True, MONDAY)
    bad = replace(ROW, model_id=other, file_name="other.pt", link=replace(LINK, name="\ud800"))

    counts = write_matches(data, [bad, ROW], TUESDAY)

    assert {id_ for id_, _ in counts.refused} == {other}
    assert counts.promoted == 1
    assert active(data)["civitai_model_id"] == "910000001"


def test_a_long_description_is_cut(data: Data) -> None:
    write_matches(data, [replace(ROW, link=replace(LINK, description="x" * 10**6))], TUESDAY)

    assert len(row(data)["civitai_info"]["description"]) == MAX_DESCRIPTION_LENGTH

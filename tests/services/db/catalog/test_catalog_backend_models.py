"""What is stored about a backend's models becomes what its server lists, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from db.catalog.listing.stored import known_metadata, model_rows
from db.catalog.listing.sync import MAX_EXAMPLES, ModelChanges, sync_models
from db.catalog.listing.write import LAST_SEEN_SECONDS
from db.catalog.matches.local_models import local_models
from db.schema.documents.models import ActiveBackendModel
from tests.support.catalog.catalog_rows import (
    BOX,
    MONDAY,
    SHA256,
    TUESDAY,
    Data,
    a_model,
    listing,
    stored,
)

HERO, POSE, VAE = "loras/hero_v1.safetensors", "controlnet/pose.pth", "vae/sdxl_vae.safetensors"
LINK = {
    "civitai_model_id": "257749",
    "civitai_match_quality": "manual",
    "by_the_app": [1, {"a": None}],
}


def sync(data: Data, *models: Any, complete: bool = True, now: datetime = MONDAY) -> ModelChanges:
    return sync_models(data, BOX, listing(*models), complete, now)


def model_of(data: Data, name: str = HERO) -> dict[str, Any]:
    found: dict[str, Any] = stored(data)[f"box/{name}"]
    return found


def set_fields(data: Data, fields: dict[str, Any], name: str = HERO) -> None:
    data["active_backend_models"].update_one({"id": f"box/{name}"}, {"$set": fields})


def counts(changes: ModelChanges) -> dict[str, int]:
    kinds = ("new", "back", "changed", "adopted", "gone", "unchanged")
    return {kind: getattr(changes, kind) for kind in kinds if getattr(changes, kind)}


def test_a_listed_model_is_stored_in_the_shape_of_its_document(data: Data) -> None:
    facts = {"hashes": {"SHA256": SHA256}, "metadata": [["modelspec.title", "Hero"]]}

    name = "loras/characters/hero.safetensors"

    sync(data, a_model(name, raw_name=r"characters\hero.safetensors", **facts))

    found = model_of(data, name)
    ActiveBackendModel.model_validate(found)
    assert found == {
        "_id": f"box/{name}",
        "id": f"box/{name}",
        "backend_id": "box",
        "backend_name": "Box",
        "backend_url": "http://127.0.0.1:8188",
        "model_id": name,
        "model_name": "hero.safetensors",
        "model_type": "lora",
        "model_path": name,
        "model_size": 1000,
        "is_active": True,
        "first_seen": MONDAY,
        "last_seen": MONDAY,
        "model_metadata": {
            "folder": "loras",
            "raw_name": r"characters\hero.safetensors",
            "modified": 1_700_000_000.5,
            "hashes": {"SHA256": SHA256},
            "pairs": [["modelspec.title", "Hero"]],
        },
    }


def test_a_type_that_the_app_does_not_know_is_other_with_the_finer_kind_beside_it(
    data: Data,
) -> None:
    """The app refuses its whole list for one model of a type that it does not know."""
    name = "embeddings/bad_hands.pt"
    sync(data, a_model(name, model_type="embedding"), HERO)
    before = stored(data)

    changes = sync(data, a_model(name, model_type="embedding"), HERO, now=TUESDAY)

    found = model_of(data, name)
    assert (found["model_type"], found["model_kind"]) == ("other", "embedding")
    assert "model_kind" not in model_of(data)
    assert counts(changes) == {"unchanged": 2}
    assert stored(data) == {id_: old | {"last_seen": TUESDAY} for id_, old in before.items()}
    kinds = {row["model_id"]: row["model_type"] for row in model_rows(data)}
    assert kinds == {name: "embedding", HERO: "lora"}
    [models] = local_models(data)
    assert {model.model_id: model.model_type for model in models} == kinds


def test_a_model_with_the_finer_kind_as_its_type_is_repaired_by_the_next_listing(
    data: Data,
) -> None:
    name = "embeddings/bad_hands.pt"
    sync(data, a_model(name, model_type="embedding"))
    before = model_of(data, name)
    older = {"$set": {"model_type": "embedding"}, "$unset": {"model_kind": True}}
    data["active_backend_models"].update_one({}, older)

    changes = sync(data, a_model(name, model_type="embedding"), now=TUESDAY)

    assert counts(changes) == {"changed": 1}
    assert model_of(data, name) == before | {"last_seen": TUESDAY, "changed_at": TUESDAY}


def test_the_same_name_in_two_folders_is_two_models(data: Data) -> None:
    sync(data, "loras/x.safetensors", "vae/x.safetensors", "loras/a/x.safetensors")

    assert len(stored(data)) == 3


def test_a_second_sync_changes_nothing_but_last_seen(data: Data) -> None:
    models = [a_model(HERO, metadata=[["a", "b"]], hashes={"SHA256": SHA256}), a_model(POSE)]
    sync(data, *models)
    before = stored(data)

    changes = sync(data, *models, now=TUESDAY)

    assert counts(changes) == {"unchanged": 2}
    assert stored(data) == {id_: old | {"last_seen": TUESDAY} for id_, old in before.items()}


@pytest.mark.parametrize(
    ("seconds", "moves"), [(LAST_SEEN_SECONDS - 1, False), (LAST_SEEN_SECONDS + 1, True)]
)
def test_last_seen_moves_only_when_it_is_old(data: Data, seconds: int, moves: bool) -> None:
    sync(data, HERO)
    later = MONDAY + timedelta(seconds=seconds)

    sync(data, HERO, now=later)

    assert model_of(data)["last_seen"] == (later if moves else MONDAY)


def test_an_incomplete_listing_moves_last_seen_of_what_it_lists_only(data: Data) -> None:
    sync(data, HERO, POSE)

    sync(data, HERO, complete=False, now=TUESDAY)

    assert (model_of(data)["last_seen"], model_of(data, POSE)["last_seen"]) == (TUESDAY, MONDAY)


@pytest.mark.parametrize("complete", [True, False])
def test_a_gone_model_is_inactive_only_after_a_complete_listing(data: Data, complete: bool) -> None:
    sync(data, HERO, POSE)
    before = model_of(data, POSE)

    changes = sync(data, HERO, complete=complete, now=TUESDAY)

    gone = {"is_active": False, "gone_at": TUESDAY} if complete else {}
    assert model_of(data, POSE) == before | gone
    assert changes.gone == complete
    assert changes.first_ids.get("gone", ()) == ((f"box/{POSE}",) if complete else ())


def test_a_folder_that_cannot_be_read_keeps_its_own_models_only(data: Data) -> None:
    sync(data, HERO, "vae/old.safetensors", "vae/v.safetensors")

    left = listing("vae/v.safetensors")
    changes = sync_models(data, BOX, left, complete=False, now=TUESDAY, folders={"vae"})

    assert changes.first_ids == {"gone": ("box/vae/old.safetensors",)}
    assert model_of(data)["is_active"] is True


def test_a_gone_model_is_gone_once(data: Data) -> None:
    sync(data, HERO, POSE)
    sync(data, HERO)

    assert counts(sync(data, HERO)) == {"unchanged": 1}


def test_a_model_that_a_later_run_has_seen_is_not_gone(data: Data) -> None:
    sync(data, HERO, now=TUESDAY)

    assert counts(sync(data, now=MONDAY)) == {}
    assert model_of(data)["is_active"] is True


def test_of_models_that_are_not_listed_only_those_that_are_gone_are_named(data: Data) -> None:
    sync(data, HERO, now=TUESDAY)
    data["active_backend_models"].insert_one(
        {**old("z.pt"), "_id": "box/vae/z.pt", "id": "box/vae/z.pt", "model_id": "vae/z.pt"}
    )

    assert sync(data, now=MONDAY).first_ids == {"gone": ("box/vae/z.pt",)}


def test_other_backends_keep_their_models(data: Data) -> None:
    sync(data, HERO)
    other = type(BOX)("box2", "Other", "http://127.0.0.1:8189")

    sync_models(data, other, listing(POSE), True, TUESDAY)

    assert model_of(data)["is_active"] is True
    assert model_of(data)["last_seen"] == MONDAY


def test_a_model_that_comes_back_is_the_one_it_was(data: Data) -> None:
    sync(data, HERO)
    before = model_of(data)
    sync(data)

    changes = sync(data, HERO, now=TUESDAY)

    facts = {"last_seen": TUESDAY, "changed_at": TUESDAY, "gone_at": None}
    assert counts(changes) == {"back": 1}
    assert model_of(data) == before | facts


@pytest.mark.parametrize(("field", "value"), [("size", 2000), ("model_type", "other"), ("size", 0)])
def test_what_differs_is_written_and_counted(data: Data, field: str, value: object) -> None:
    sync(data, HERO)
    before = model_of(data)
    expected = {"model_size" if field == "size" else field: value}

    changes = sync(data, a_model(HERO, **{field: value}), now=TUESDAY)

    assert counts(changes) == {"changed": 1}
    assert changes.first_ids["changed"] == (f"box/{HERO}",)
    assert model_of(data) == before | expected | {"last_seen": TUESDAY, "changed_at": TUESDAY}


NEW_FACTS: list[tuple[str, object, str]] = [
    ("raw_name", "HERO_V1.safetensors", "raw_name"),
    ("modified", 1.5, "modified"),
    ("metadata", [["a", "b"]], "pairs"),
    *(("hashes", {kind: SHA256}, "hashes") for kind in ("SHA256", "BLAKE3")),
    ("hashes", {"AutoV3": SHA256[:12]}, "hashes"),
]


@pytest.mark.parametrize(("field", "value", "name"), NEW_FACTS, ids=str)
def test_a_new_fact_of_a_file_is_written_once(
    data: Data, field: str, value: object, name: str
) -> None:
    sync(data, HERO)

    changes = [sync(data, a_model(HERO, **{field: value})) for _ in range(2)]

    assert [counts(change) for change in changes] == [{"changed": 1}, {"unchanged": 1}]
    assert model_of(data)["model_metadata"][name] == value


@pytest.mark.parametrize("field", ["name", "url"])
def test_a_backend_that_is_called_otherwise_is_so_in_its_models(data: Data, field: str) -> None:
    sync(data, HERO)
    renamed = replace(BOX, **{field: "http://127.0.0.1:1"})

    done = [sync_models(data, renamed, listing(HERO), True, MONDAY) for _ in range(2)]

    assert [counts(result) for result in done] == [{"changed": 1}, {"unchanged": 1}]
    assert model_of(data)[f"backend_{field}"] == "http://127.0.0.1:1"


def test_links_and_fields_of_others_survive_every_change(data: Data) -> None:
    sync(data, HERO)
    set_fields(data, LINK | {"model_metadata.by_the_app": 7})

    sync(data, a_model(HERO, size=2000))
    sync(data)
    sync(data, a_model(HERO, size=3000))

    found = model_of(data)
    assert {name: found[name] for name in LINK} == LINK
    assert found["model_metadata"]["by_the_app"] == 7
    assert found["first_seen"] == MONDAY


TOLD = {"metadata": [["sshs_model_hash", "b530"]], "hashes": {"AutoV3": "B530B7E152E4"}}


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ({}, True),
        ({"size": None, "modified": None}, True),
        ({"size": 1001}, False),
        ({"modified": 5.0}, False),
    ],
    ids=["same", "nothing known", "another size", "another time"],
)
def test_metadata_read_earlier_stays_with_the_same_file(
    data: Data, now: dict[str, Any], kept: bool
) -> None:
    sync(data, a_model(HERO, **TOLD))

    sync(data, a_model(HERO, **now))

    metadata = model_of(data)["model_metadata"]
    assert (metadata["pairs"], metadata["hashes"]) == (
        (TOLD["metadata"], TOLD["hashes"]) if kept else ([], {})
    )


def test_a_hash_that_contradicts_makes_it_another_file(data: Data) -> None:
    sync(data, a_model(HERO, hashes={"SHA256": "A" * 64, "AutoV3": "B" * 12}))

    sync(data, a_model(HERO, hashes={"SHA256": SHA256}))

    assert model_of(data)["model_metadata"]["hashes"] == {"SHA256": SHA256}


def test_a_hash_that_is_new_joins_the_others(data: Data) -> None:
    sync(data, a_model(HERO, hashes={"AutoV3": "B" * 12}))
    sync(data, a_model(HERO, hashes={"SHA256": SHA256}))

    again = sync(data, a_model(HERO, hashes={"SHA256": SHA256}))

    assert model_of(data)["model_metadata"]["hashes"] == {"AutoV3": "B" * 12, "SHA256": SHA256}
    assert counts(again) == {"unchanged": 1}


def test_a_frame_of_plain_columns_is_as_good(data: Data) -> None:
    frame = listing(HERO, a_model(POSE, size=None, modified=None))
    plain = pd.DataFrame({name: [*frame[name]] for name in frame})

    first = sync_models(data, BOX, plain, True, MONDAY)
    second = sync_models(data, BOX, frame, True, MONDAY)

    assert (counts(first), counts(second)) == ({"new": 2}, {"unchanged": 2})
    assert model_of(data, POSE)["model_size"] is None


HOSTILE: dict[str, dict[str, Any]] = {
    "beyond int64": {"size": 2**64, "modified": 10**400},
    "negative": {"size": -1, "modified": float("nan")},
    "no number": {"size": "many", "modified": "today"},
    "truth": {"size": True, "modified": False},
}


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE)
def test_numbers_that_are_none_are_unknown(data: Data, facts: dict[str, Any]) -> None:
    changes = sync(data, a_model(HERO, **facts), POSE)

    assert counts(changes) == {"new": 2}
    assert (model_of(data)["model_size"], model_of(data)["model_metadata"]["modified"]) == (
        None,
        None,
    )


def test_what_cannot_be_stored_is_refused_alone(data: Data) -> None:
    bad = "loras/\ud800.safetensors"

    changes = sync(data, HERO, a_model(bad), a_model(POSE, model_type=7))

    assert [*stored(data)] == [f"box/{HERO}"]
    assert changes.new == 1
    assert dict(changes.refused) == {
        "box/loras/?.safetensors": "MongoDB cannot hold it (UnicodeEncodeError).",
        f"box/{POSE}": "It does not pass the collection's validator.",
    }


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "text",
        {"hashes": [], "pairs": {}, "modified": "x"},
        {"pairs": [5, None, "ab", {}]},
        [{"pairs": [["a", "b"]], "folder": "loras"}],
    ],
)
def test_strange_metadata_is_replaced(data: Data, metadata: object) -> None:
    sync(data, HERO)
    expected = model_of(data) | {"changed_at": MONDAY}
    data["active_backend_models"].update_one(
        {"id": f"box/{HERO}"},
        {"$set": {"model_metadata": metadata}},
        bypass_document_validation=True,
    )

    sync(data, HERO)

    assert model_of(data) == expected


def test_a_model_whose_id_is_no_text_keeps_no_other_out(data: Data) -> None:
    odd = {"id": ["odd"], "backend_id": "box", "is_active": True}
    sync(data, HERO)
    data["active_backend_models"].insert_one(odd, bypass_document_validation=True)

    assert counts(sync(data, a_model(HERO, size=5), POSE)) == {"new": 1, "changed": 1}


def test_the_first_ids_are_bounded(data: Data) -> None:
    changes = sync(data, *(f"loras/{number:03}.pt" for number in range(MAX_EXAMPLES + 1)))

    assert changes.new == MAX_EXAMPLES + 1
    assert changes.first_ids["new"] == tuple(f"box/loras/{n:03}.pt" for n in range(MAX_EXAMPLES))


def test_two_syncs_at_once_store_each_model_once(data: Data) -> None:
    names = [f"loras/{number}.pt" for number in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        done = [*pool.map(lambda _: sync(data, *names), range(4))]

    assert len(stored(data)) == data["active_backend_models"].count_documents({}) == 2000
    assert sum(result.new for result in done) == 2000
    assert [result.refused for result in done] == [()] * 4


def old(name: str, **fields: Any) -> dict[str, Any]:
    """A document as the app stores it."""
    plain = {"id": f"box_{name}", "backend_id": "box", "model_id": name, "model_name": name}
    return {**plain, "is_active": True, **LINK, **fields}


@pytest.mark.parametrize(
    "name",
    [
        "hero_v1.safetensors",
        "characters/hero_v1.safetensors",
        r"characters\hero_v1.safetensors",
        r"C:\ComfyUI\models\Loras\characters\hero_v1.safetensors",
    ],
)
def test_a_model_of_the_app_keeps_its_link_and_gets_the_new_id(data: Data, name: str) -> None:
    data["active_backend_models"].insert_one(old(name, first_seen=MONDAY))

    changes = sync(data, "loras/characters/hero_v1.safetensors", now=TUESDAY)

    found = stored(data)["box/loras/characters/hero_v1.safetensors"]
    assert counts(changes) == {"adopted": 1}
    assert data["active_backend_models"].count_documents({}) == 1
    assert {field: found[field] for field in LINK} == LINK
    assert found["model_id"] == "loras/characters/hero_v1.safetensors"
    assert (found["first_seen"], found["last_seen"]) == (MONDAY, TUESDAY)
    assert counts(sync(data, "loras/characters/hero_v1.safetensors")) == {"unchanged": 1}


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["x.pt"], ["loras/a/x.pt", "loras/b/x.pt"]),
        (["x.pt", "a/x.pt"], ["loras/a/x.pt"]),
        (["y.pt"], ["loras/a/x.pt"]),
        (["b/x.pt"], ["loras/a/x.pt"]),
        ([r"loras\x.pt"], ["vae/x.pt"]),
        (["b/x.pt"], ["loras/x.pt"]),
    ],
    ids=["two files", "two documents", "none", "directory", "folder", "no directory"],
)
def test_a_model_of_the_app_that_could_be_several_is_kept_but_inactive(
    data: Data, names: list[str], listed: list[str]
) -> None:
    data["active_backend_models"].insert_many([old(name) for name in names])

    changes = sync(data, *listed)

    assert counts(changes) == {"new": len(listed), "gone": len(names)}
    assert {row["id"] for row in data["active_backend_models"].find(LINK)} == {
        f"box_{name}" for name in names
    }


def test_a_model_of_the_app_is_not_a_new_file_where_it_could_be_one_that_was_there(
    data: Data,
) -> None:
    data["active_backend_models"].insert_one(old("x.pt"))
    sync(data, "loras/a/x.pt", "loras/b/x.pt")

    changes = sync(data, "loras/a/x.pt", "vae/x.pt")

    assert counts(changes) == {"new": 1, "gone": 1, "unchanged": 1}
    assert [row["id"] for row in data["active_backend_models"].find(LINK)] == ["box_x.pt"]


def test_known_metadata_names_the_files_whose_metadata_is_stored(data: Data) -> None:
    sync(data, a_model("loras/a/x.safetensors", **TOLD), POSE)

    assert known_metadata(data, "box") == {("loras", "a/x.safetensors"): (1000, 1_700_000_000.5)}
    assert known_metadata(data, "other") == {}


def test_known_metadata_passes_over_metadata_of_another_shape(data: Data) -> None:
    sync(data, a_model("loras/a/x.safetensors", **TOLD), HERO)
    data["active_backend_models"].update_one(
        {"id": f"box/{HERO}"},
        {"$set": {"model_metadata": [{"pairs": [["a", "b"]], "folder": "loras"}]}},
        bypass_document_validation=True,
    )

    assert [*known_metadata(data, "box")] == [("loras", "a/x.safetensors")]


def test_metadata_of_a_model_that_is_gone_is_no_longer_known(data: Data) -> None:
    sync(data, a_model(HERO, **TOLD))
    sync(data)

    assert known_metadata(data, "box") == {}


def test_metadata_that_contradicts_makes_it_another_file(data: Data) -> None:
    sync(data, a_model(HERO, **TOLD, size=None, modified=None))

    sync(data, a_model(HERO, metadata=[["ss_output_name", "b"]], size=None, modified=None))

    metadata = model_of(data)["model_metadata"]
    assert (metadata["pairs"], metadata["hashes"]) == ([["ss_output_name", "b"]], {})


def test_no_more_than_one_row_of_a_file_counts(data: Data) -> None:
    changes = sync(data, HERO, a_model(HERO, size=5))

    assert counts(changes) == {"new": 1}
    assert model_of(data)["model_size"] == 1000


def test_vae_and_others_without_hashes_are_stored_as_well(data: Data) -> None:
    assert counts(sync(data, VAE, HERO)) == {"new": 2}

"""Local models come each once, with the items of Civitai's catalog that they may be."""

from typing import Any

import pytest

from db.catalog.listing.sync import sync_models
from db.catalog.matches.candidates import (
    MAX_PER_NAME,
    CandidateKeys,
    find_candidates,
    find_suggestions,
)
from db.catalog.matches.links import MatchRow
from db.catalog.matches.local_models import StoredLocalModel, local_models
from db.catalog.server_rows import BackendRef
from tasks.catalog.match import match_batch
from tests.support.catalog.catalog_rows import BOX, MONDAY, SHA256, Data, a_model, listing

BLAKE3 = "5D627B5AEC2A743A8B12511FE32D72F4979B878909524AD9CCAB843BE8355247"
HASHES = {"SHA256": SHA256, "BLAKE3": BLAKE3, "AutoV2": SHA256[:10], "AutoV3": "AE74DD3AE7F1"}
OTHER = BackendRef("box2", "Other", "http://127.0.0.1:8189")


def add_item(data: Data, id_: int, name: str = "hero_v1.safetensors", /, **fields: Any) -> None:
    file = {"name": name, "type": "Model", "hashes": fields.pop("hashes", {}), "scan": "x"}
    version = {"id": id_ * 10, "name": "v1", "files": [file], "images": [{"url": "u"}]}
    document = {
        "id": id_,
        "name": "A hero",
        "type": "LORA",
        "modelVersions": [version],
        "file_keys": [name],
        "name_keys": [name.partition(".")[0].replace("_", " ")],
    }
    data["civitai_models"].insert_one({"_id": id_, **document, **fields})


def found(data: Data, **keys: list[str]) -> list[int]:
    return [item["id"] for item in find_candidates(data, CandidateKeys(**keys))]


def test_a_model_on_several_servers_comes_once_with_all_hashes(data: Data) -> None:
    hero = "loras/a/hero.safetensors"
    sync_models(
        data, BOX, listing(a_model(hero, hashes={"SHA256": SHA256}), "vae/b.pt"), True, MONDAY
    )
    second = {"SHA256": "A" * 64, "AutoV3": "B" * 12}
    sync_models(data, OTHER, listing(a_model(hero, hashes=second, size=2000)), True, MONDAY)

    assert [*local_models(data, 1)] == [
        [
            StoredLocalModel(
                hero,
                "hero.safetensors",
                "lora",
                {"SHA256": frozenset({SHA256, "A" * 64}), "AutoV3": frozenset({"B" * 12})},
                ("box", "box2"),
                ("a/hero.safetensors",),
                sizes=frozenset({1000, 2000}),
            )
        ],
        [
            StoredLocalModel(
                "vae/b.pt", "b.pt", "vae", {}, ("box",), ("b.pt",), sizes=frozenset({1000})
            )
        ],
    ]


def test_sizes_beyond_32_bits_are_read_too(data: Data) -> None:
    for backend, size in ((BOX, 6_938_040_706), (OTHER, 6_938_040_714)):
        second = a_model("checkpoints/hero.safetensors", size=size)
        sync_models(data, backend, listing(second), True, MONDAY)

    [[model]] = local_models(data)

    assert model.sizes == {6_938_040_706, 6_938_040_714}


def test_a_model_that_is_gone_everywhere_is_left_out(data: Data) -> None:
    sync_models(data, BOX, listing("loras/a.pt", "loras/b.pt"), True, MONDAY)
    sync_models(data, BOX, listing("loras/b.pt"), True, MONDAY)

    assert [model.model_id for batch in local_models(data) for model in batch] == ["loras/b.pt"]


def test_a_link_of_a_person_on_any_server_is_known(data: Data) -> None:
    for backend in (BOX, OTHER):
        sync_models(data, backend, listing("loras/a.pt"), True, MONDAY)
    mark = {"$set": {"civitai_match_quality": "manual"}}
    data["active_backend_models"].update_one({"backend_id": "box2"}, mark)

    [[model]] = local_models(data)

    assert model.is_confirmed


def test_no_cursor_waits_on_the_server_while_a_batch_is_worked_on(data: Data) -> None:
    names = [f"loras/{number:03}.pt" for number in range(250)]
    sync_models(data, BOX, listing(*names), True, MONDAY)
    batches = local_models(data, 50)

    first = next(batches)
    space = f"{data.name}.active_backend_models"
    looking: list[dict[str, Any]] = [{"$currentOp": {"idleCursors": True}}]
    looking += [{"$match": {"type": "idleCursor", "ns": space}}]
    waiting = [*data.client["admin"].aggregate(looking)]

    assert waiting == []
    assert [model.model_id for batch in (first, *batches) for model in batch] == names


def test_a_batch_reads_little_more_than_it_brings(data: Data) -> None:
    names = [f"loras/{number:03}.pt" for number in range(250)]
    sync_models(data, BOX, listing(*names), True, MONDAY)
    data.command("profile", 2)
    batches = [*local_models(data, 50)]
    data.command("profile", 0)

    space = f"{data.name}.active_backend_models"
    noted = [*data["system.profile"].find({"ns": space})]
    data.drop_collection("system.profile")
    read = sum(operation.get("nreturned", 0) for operation in noted)
    assert len(batches) == 5
    assert read <= 250 + 5


def test_a_model_without_a_server_or_a_spelling_of_it_has_none(database: Data) -> None:
    facts = {"id": "x", "model_id": "loras/a.pt", "model_name": "a.pt", "model_type": "lora"}
    database["active_backend_models"].insert_one({**facts, "is_active": True})

    [[model]] = local_models(database)

    assert (model.servers, model.raw_names) == ((), ())


@pytest.mark.parametrize("kind", HASHES)
def test_an_item_is_found_by_each_of_its_hashes(data: Data, kind: str) -> None:
    add_item(data, 1, hashes=HASHES)
    add_item(data, 2, "other.pt")

    assert found(data, **{kind.lower(): [HASHES[kind], "F" * 64]}) == [1]


def test_an_item_is_found_by_its_names(data: Data) -> None:
    add_item(data, 1)
    add_item(data, 2, "other.pt")

    assert found(data, file_keys=["hero_v1.safetensors"]) == [1]
    assert found(data, name_keys=["hero v1", "other"]) == [1, 2]
    assert found(data) == []


def test_every_question_uses_indexes(data: Data) -> None:
    for number in range(50):
        add_item(data, number, f"{number}.pt")
    data.command("profile", 2)
    for name in CandidateKeys.__slots__:
        found(data, **{name: [HASHES["SHA256"], "1.pt", "1"]})
    data.command("profile", 0)

    plans = [row["planSummary"] for row in data["system.profile"].find({"op": "query"})]

    data.drop_collection("system.profile")
    assert len(plans) == 8
    assert [plan for plan in plans if "IXSCAN" not in plan or "COLLSCAN" in plan] == []


def test_a_candidate_brings_what_matching_needs_and_no_pictures(data: Data) -> None:
    add_item(data, 1, hashes=HASHES)

    [item] = find_candidates(data, CandidateKeys(sha256=[SHA256]))

    assert item["modelVersions"] == [
        {
            "id": 10,
            "name": "v1",
            "files": [{"name": "hero_v1.safetensors", "type": "Model", "hashes": HASHES}],
        }
    ]


def test_of_a_crowded_name_a_bounded_number_comes(data: Data) -> None:
    for number in range(1, MAX_PER_NAME + 3):
        add_item(data, number, "style.pt")
    add_item(data, 1000, "rare.pt")

    ids = found(data, file_keys=["style.pt", "rare.pt"], name_keys=["style", "rare"])

    assert ids == [*range(1, MAX_PER_NAME + 1), 1000]


def test_items_of_one_type_do_not_crowd_out_those_of_another(data: Data) -> None:
    for number in range(1, MAX_PER_NAME + 3):
        add_item(data, number, "style.pt", type="Checkpoint")
    for number in (1001, 1002):
        add_item(data, number, "style.pt")

    assert found(data, file_keys=["style.pt"]) == [*range(1, MAX_PER_NAME + 1), 1001, 1002]


def test_suggestions_share_words_and_the_likeliest_comes_first(data: Data) -> None:
    add_item(data, 1, "a.pt", name="Pony Diffusion V6 XL")
    add_item(data, 2, "b.pt", name="Realistic Vision")
    add_item(data, 3, "c.pt", name="Pony")

    some = find_suggestions(data, '-pony "diffusion_xl')

    assert some[0]["id"] == 1
    assert {item["id"] for item in some} == {1, 3}
    assert find_suggestions(data, "-- \"'") == []
    assert len(find_suggestions(data, "pony", 1)) == 1


def test_without_a_text_index_there_are_no_suggestions(database: Data) -> None:
    database["civitai_models"].insert_one({"id": 1, "name": "Pony"})

    assert find_suggestions(database, "pony") == []


HERO = "loras/hero_v1.safetensors"


def add_hero(data: Data, **lifted: list[str]) -> None:
    file = {"name": "hero_v1.safetensors", "type": "Model", "hashes": {"SHA256": SHA256}}
    version = {"id": 10, "name": "v1", "files": [file]}
    item = {"id": 1, "name": "Hero V1", "type": "LORA", "modelVersions": [version]}
    data["civitai_models"].insert_one({"_id": 1, **item, **lifted})


def matched(data: Data) -> MatchRow:
    [models] = local_models(data)
    [row] = match_batch(data, models, searches=1)
    return row


def test_what_only_a_search_of_texts_finds_is_a_suggestion(data: Data) -> None:
    sync_models(data, BOX, listing(HERO), True, MONDAY)
    add_hero(data)

    row = matched(data)

    assert (row.link, [candidate["version_id"] for candidate in row.candidates]) == (None, [10])


def test_a_hash_of_files_of_two_sizes_links_none(data: Data) -> None:
    for backend, size in ((BOX, 1000), (OTHER, 2000)):
        entry = a_model(HERO, size=size, hashes={"SHA256": SHA256})
        sync_models(data, backend, listing(entry), True, MONDAY)
    add_hero(data, file_keys=["hero_v1.safetensors"])

    row = matched(data)

    assert (row.link, row.reason) == (None, "Servers report 2 different sizes of this model.")


def test_a_hash_of_one_file_on_two_servers_links_it(data: Data) -> None:
    for backend in (BOX, OTHER):
        entry = a_model(HERO, hashes={"SHA256": SHA256})
        sync_models(data, backend, listing(entry), True, MONDAY)
    add_hero(data)

    row = matched(data)

    assert row.link
    assert (row.link.version_id, row.link.method) == (10, "sha256")

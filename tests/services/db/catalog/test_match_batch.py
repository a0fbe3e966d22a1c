"""A batch of local models is linked to what the catalog has of their hashes and names."""

from db.catalog.listing.sync import sync_models
from db.catalog.matches.links import MatchRow
from db.catalog.matches.local_models import local_models
from db.catalog.server_rows import BackendRef
from tasks.catalog.match import match_batch
from tests.support.catalog.catalog_rows import BOX, MONDAY, SHA256, Data, a_model, listing

HERO = "loras/hero_v1.safetensors"
OTHER = BackendRef("box2", "Other", "http://127.0.0.1:8189")


def add_item(data: Data, **lifted: list[str]) -> None:
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
    add_item(data)

    row = matched(data)

    assert (row.link, [candidate["version_id"] for candidate in row.candidates]) == (None, [10])


def test_a_hash_that_is_told_of_files_of_two_sizes_links_none(data: Data) -> None:
    for backend, size in ((BOX, 1000), (OTHER, 2000)):
        told = a_model(HERO, size=size, hashes={"SHA256": SHA256})
        sync_models(data, backend, listing(told), True, MONDAY)
    add_item(data, file_keys=["hero_v1.safetensors"])

    row = matched(data)

    assert (row.link, row.reason) == (None, "Servers report 2 different sizes of this model.")


def test_a_hash_that_is_told_of_one_file_on_two_servers_links_it(data: Data) -> None:
    for backend in (BOX, OTHER):
        told = a_model(HERO, hashes={"SHA256": SHA256})
        sync_models(data, backend, listing(told), True, MONDAY)
    add_item(data)

    row = matched(data)

    assert row.link
    assert (row.link.version_id, row.link.method) == (10, "sha256")

"""A listing is compared unless it is the same as a few minutes ago; its models are flat rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.catalog.listing.stored import model_rows
from db.catalog.listing.sync import sync_models
from db.catalog.listing.write import LAST_SEEN_SECONDS
from db.catalog.servers import Server, record_server
from storycanvas.catalog.entries import Listing, ModelEntry, listing_digest
from tasks.catalog.sync import update_models
from tests.support.catalog.catalog_rows import BOX, MONDAY, Data, listing

NOW = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
SOON, LATER = (NOW + timedelta(seconds=LAST_SEEN_SECONDS + wait) for wait in (-1, 1))
SERVER = Server("box", "Box", "http://127.0.0.1:8188")
HERO_ENTRY = ModelEntry("loras", "hero.safetensors", "hero.safetensors")


@pytest.fixture
def synced(database: Data) -> Data:
    record_server(database, SERVER, "online", None, None, 1, NOW)
    return database


def update(synced: Data, now: datetime, *entries: ModelEntry, complete: bool = True) -> int:
    """Update, and count what was written."""
    listing = Listing(entries, complete=complete)
    changes = update_models(synced, SERVER.backend, listing, now)
    return changes.new + changes.changed + changes.back + changes.gone


def spoil(synced: Data) -> None:
    synced["active_backend_models"].update_many({}, {"$set": {"model_type": "vae"}})


@pytest.mark.parametrize(("now", "written"), [(SOON, 0), (LATER, 1)], ids=["soon", "later"])
def test_the_same_listing_is_compared_again_after_ten_minutes(
    synced: Data, now: datetime, written: int
) -> None:
    assert update(synced, NOW, HERO_ENTRY) == 1
    spoil(synced)

    assert update(synced, now, HERO_ENTRY) == written


def test_another_listing_is_compared_at_once(synced: Data) -> None:
    update(synced, NOW, HERO_ENTRY)

    assert update(synced, SOON, ModelEntry("vae", "a.pt", "a.pt")) == 2


def test_a_model_that_was_deleted_by_hand_is_missed_at_once(synced: Data) -> None:
    update(synced, NOW, HERO_ENTRY, ModelEntry("vae", "a.pt", "a.pt"))
    synced["active_backend_models"].delete_one({"model_name": "a.pt"})

    assert update(synced, SOON, HERO_ENTRY, ModelEntry("vae", "a.pt", "a.pt")) == 1


def test_the_models_of_a_server_that_was_renamed_are_compared_at_once(synced: Data) -> None:
    update(synced, NOW, HERO_ENTRY)
    listing = Listing((HERO_ENTRY,), complete=True)

    changes = update_models(synced, replace(SERVER, name="New Box").backend, listing, SOON)

    assert changes.changed == 1


def test_what_a_listing_does_not_cover_is_neither_gone_nor_moved(synced: Data) -> None:
    hidden = ModelEntry("embeddings", "a.pt", "a.pt")
    update(synced, NOW, HERO_ENTRY, ModelEntry("vae", "b.pt", "b.pt"), hidden)
    by_loaders = Listing((HERO_ENTRY,), complete=True, folders=frozenset({"loras", "vae"}))

    changes = update_models(synced, SERVER.backend, by_loaders, LATER)

    assert changes.first_ids["gone"] == ("box/vae/b.pt",)
    found = {row["id"]: row for row in synced["active_backend_models"].find()}
    assert found["box/embeddings/a.pt"]["is_active"] is True
    assert found["box/embeddings/a.pt"]["last_seen"] == NOW
    assert found["box/loras/hero.safetensors"]["last_seen"] == LATER


def test_a_listing_by_folders_is_compared_although_one_by_loaders_was_the_same(
    synced: Data,
) -> None:
    update(synced, NOW, HERO_ENTRY, ModelEntry("embeddings", "a.pt", "a.pt"))
    by_loaders = Listing((HERO_ENTRY,), complete=True, folders=frozenset({"loras"}))
    update_models(synced, SERVER.backend, by_loaders, NOW)

    assert update(synced, SOON, HERO_ENTRY) == 1


def test_an_incomplete_listing_does_not_count_as_compared(synced: Data) -> None:
    update(synced, NOW, HERO_ENTRY, complete=False)
    spoil(synced)

    assert update(synced, SOON, HERO_ENTRY) == 1


def test_an_incomplete_listing_in_between_does_not_hide_a_change(synced: Data) -> None:
    update(synced, NOW, HERO_ENTRY)
    update(synced, NOW, ModelEntry("vae", "a.pt", "a.pt"), complete=False)

    assert update(synced, SOON, HERO_ENTRY) == 1
    assert synced["active_backend_models"].count_documents({"is_active": True}) == 1


DIFFERENT = {
    "another spelling": ModelEntry("loras", "hero.safetensors", "HERO_ENTRY.safetensors"),
    "another folder": ModelEntry("vae", "hero.safetensors", "hero.safetensors"),
    "a size": ModelEntry("loras", "hero.safetensors", "hero.safetensors", size=1),
    "a time": ModelEntry("loras", "hero.safetensors", "hero.safetensors", modified=1.0),
    "a hash": ModelEntry(
        "loras", "hero.safetensors", "hero.safetensors", hashes={"AutoV2": "A" * 10}
    ),
    "metadata": ModelEntry(
        "loras", "hero.safetensors", "hero.safetensors", metadata={"AutoV2": "A" * 10}
    ),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_different_listings_have_different_digests(other: ModelEntry) -> None:
    def name(entry: ModelEntry) -> str:
        return listing_digest("Box", "http://127.0.0.1:8188", [entry])

    assert name(HERO_ENTRY) == name(HERO_ENTRY)
    assert name(other) != name(HERO_ENTRY)


HERO = "loras/hero_v1.safetensors"


@pytest.mark.parametrize(
    "row",
    [{"id": HERO}, {"id": "app-1", "catalog_model_id": HERO}],
    ids=["made by matching", "of the app"],
)
def test_a_model_has_the_base_model_of_its_row(database: Data, row: dict[str, Any]) -> None:
    sync_models(database, BOX, listing(HERO), True, MONDAY)
    database["database_models"].insert_one({**row, "base_model": "Pony"})

    [found] = model_rows(database)

    assert (found["model_id"], found["base_model"]) == (HERO, "Pony")


def test_the_row_that_was_given_to_a_model_has_priority_for_the_base_model(database: Data) -> None:
    sync_models(database, BOX, listing(HERO), True, MONDAY)
    rows = [{"id": "app-1", "catalog_model_id": HERO, "base_model": "Pony"}]
    database["database_models"].insert_many([*rows, {"id": HERO, "base_model": "SD 1.5"}])

    [found] = model_rows(database)

    assert found["base_model"] == "Pony"


def test_the_row_of_a_model_has_its_linked_version(database: Data) -> None:
    sync_models(database, BOX, listing(HERO), True, MONDAY)
    link = {"civitai_model_id": "827184", "civitai_version_id": 2167369}
    database["active_backend_models"].update_one({}, {"$set": link})

    [found] = model_rows(database)

    assert {name: found[name] for name in link} == link

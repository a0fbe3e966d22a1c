"""A listing that is the same as a few minutes ago is not compared again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from db.catalog.listing.write import LAST_SEEN_SECONDS
from db.catalog.servers import Server, record_server
from storycanvas.catalog.entries import Listing, ModelEntry, listing_digest
from tasks.catalog.sync import update_models

Data = Database[dict[str, Any]]

NOW = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
SOON, LATER = (NOW + timedelta(seconds=LAST_SEEN_SECONDS + wait) for wait in (-1, 1))
BOX = Server("box", "Box", "http://127.0.0.1:8188")
HERO = ModelEntry("loras", "hero.safetensors", "hero.safetensors")


@pytest.fixture
def data(database: Data) -> Data:
    record_server(database, BOX, "online", None, None, 1, NOW)
    return database


def update(data: Data, now: datetime, *entries: ModelEntry, complete: bool = True) -> int:
    """Update, and tell how many were written."""
    listing = Listing(entries, complete=complete)
    changes = update_models(data, BOX.backend, listing, now)
    return changes.new + changes.changed + changes.back + changes.gone


def spoil(data: Data) -> None:
    data["active_backend_models"].update_many({}, {"$set": {"model_type": "vae"}})


@pytest.mark.parametrize(("now", "written"), [(SOON, 0), (LATER, 1)], ids=["soon", "later"])
def test_the_same_listing_is_compared_again_after_ten_minutes(
    data: Data, now: datetime, written: int
) -> None:
    assert update(data, NOW, HERO) == 1
    spoil(data)

    assert update(data, now, HERO) == written


def test_another_listing_is_compared_at_once(data: Data) -> None:
    update(data, NOW, HERO)

    assert update(data, SOON, ModelEntry("vae", "a.pt", "a.pt")) == 2


def test_a_model_that_somebody_has_deleted_is_missed_at_once(data: Data) -> None:
    update(data, NOW, HERO, ModelEntry("vae", "a.pt", "a.pt"))
    data["active_backend_models"].delete_one({"model_name": "a.pt"})

    assert update(data, SOON, HERO, ModelEntry("vae", "a.pt", "a.pt")) == 1


def test_the_models_of_a_server_that_was_renamed_are_compared_at_once(data: Data) -> None:
    update(data, NOW, HERO)
    listing = Listing((HERO,), complete=True)

    changes = update_models(data, replace(BOX, name="New Box").backend, listing, SOON)

    assert changes.changed == 1


def test_what_a_listing_cannot_tell_of_is_neither_gone_nor_seen(data: Data) -> None:
    hidden = ModelEntry("embeddings", "a.pt", "a.pt")
    update(data, NOW, HERO, ModelEntry("vae", "b.pt", "b.pt"), hidden)
    by_loaders = Listing((HERO,), complete=True, folders=frozenset({"loras", "vae"}))

    changes = update_models(data, BOX.backend, by_loaders, LATER)

    assert changes.first_ids["gone"] == ("box/vae/b.pt",)
    found = {row["id"]: row for row in data["active_backend_models"].find()}
    assert found["box/embeddings/a.pt"]["is_active"] is True
    assert found["box/embeddings/a.pt"]["last_seen"] == NOW
    assert found["box/loras/hero.safetensors"]["last_seen"] == LATER


def test_a_listing_by_folders_is_compared_although_one_by_loaders_was_the_same(data: Data) -> None:
    update(data, NOW, HERO, ModelEntry("embeddings", "a.pt", "a.pt"))
    by_loaders = Listing((HERO,), complete=True, folders=frozenset({"loras"}))
    update_models(data, BOX.backend, by_loaders, NOW)

    assert update(data, SOON, HERO) == 1


def test_an_incomplete_listing_does_not_count_as_compared(data: Data) -> None:
    update(data, NOW, HERO, complete=False)
    spoil(data)

    assert update(data, SOON, HERO) == 1


def test_an_incomplete_listing_in_between_does_not_hide_a_change(data: Data) -> None:
    update(data, NOW, HERO)
    update(data, NOW, ModelEntry("vae", "a.pt", "a.pt"), complete=False)

    assert update(data, SOON, HERO) == 1
    assert data["active_backend_models"].count_documents({"is_active": True}) == 1


DIFFERENT = {
    "another spelling": ModelEntry("loras", "hero.safetensors", "HERO.safetensors"),
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
def test_listings_that_say_something_else_have_other_names(other: ModelEntry) -> None:
    def name(entry: ModelEntry) -> str:
        return listing_digest("Box", "http://127.0.0.1:8188", [entry])

    assert name(HERO) == name(HERO)
    assert name(other) != name(HERO)

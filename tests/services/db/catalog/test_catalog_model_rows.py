"""Every model of every server comes as a flat row, with the base model that is known of it."""

from typing import Any

import pytest

from db.catalog.listing.stored import model_rows
from db.catalog.listing.sync import sync_models
from tests.support.catalog.catalog_rows import BOX, MONDAY, Data, listing

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


def test_the_row_that_was_given_to_a_model_tells_its_base_model(database: Data) -> None:
    sync_models(database, BOX, listing(HERO), True, MONDAY)
    rows = [{"id": "app-1", "catalog_model_id": HERO, "base_model": "Pony"}]
    database["database_models"].insert_many([*rows, {"id": HERO, "base_model": "SD 1.5"}])

    [found] = model_rows(database)

    assert found["base_model"] == "Pony"


def test_a_model_tells_which_version_it_is_linked_with(database: Data) -> None:
    sync_models(database, BOX, listing(HERO), True, MONDAY)
    link = {"civitai_model_id": "827184", "civitai_version_id": 2167369}
    database["active_backend_models"].update_one({}, {"$set": link})

    [found] = model_rows(database)

    assert {name: found[name] for name in link} == link

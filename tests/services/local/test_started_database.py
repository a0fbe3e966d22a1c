"""A database at the start of the stack: what is missing comes back, and nothing else changes."""

import time
from pathlib import Path

import pytest

from blocks.environment import Environment
from blocks.image_store import ImageStoreBlock
from db.schema.collections import COLLECTIONS
from db.setup.apply import initialise
from deployments.local_stack import up
from deployments.register import NOT_NAMED, complete_named_database
from deployments.sample import CHARACTER_ID, prepare_own_database, stored_portrait
from deployments.stack import StackState
from deployments.story_database import complete_database, update_sentences
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import Trust
from storycanvas.services.mongod import Mongod
from storycanvas.services.record import write_note
from tests.support.db.database_state import Data, shape

LONGEST_START_SECONDS = 3.0
MADE = [collection.name for collection in COLLECTIONS if not collection.app_owned]


def damage(database: Data) -> None:
    """Drop a collection and an index, and leave an index of the operator's own that differs."""
    database.drop_collection("facefusion_jobs")
    database["clips"].drop_index("character_id_1")
    database["projects"].drop_index("name_1")
    database["projects"].create_index("name", name="name_1", sparse=True)


def test_a_named_database_gets_what_is_missing_and_keeps_what_differs(
    database: Data, mongo_url: str
) -> None:
    initialise(database)
    complete = shape(database)
    damage(database)
    operators_own = shape(database)["projects"]

    told = [*complete_database(mongo_url, database.name)]

    assert told == [
        "created 1 collection with validators and indexes: facefusion_jobs",
        "created the index clips.character_id_1",
        "different and left alone: index projects.name_1: It differs in sparse.",
    ]
    now = shape(database)
    assert now["projects"] == operators_own
    assert {**now, "projects": None} == {**complete, "projects": None}


def test_a_database_of_the_stack_is_repaired(database: Data) -> None:
    told = [*update_sentences(prepare_own_database(database))]
    assert told == [
        f"created {len(MADE)} collections with validators and indexes: {', '.join(MADE)}"
    ]
    complete = shape(database)
    damage(database)

    told = [*update_sentences(prepare_own_database(database))]

    assert told[1:] == [
        "repaired the index projects.name_1: It differs in sparse.",
        "created the index clips.character_id_1",
    ]
    assert shape(database) == complete


def test_where_nothing_is_missing_a_start_is_quick_and_says_nothing(
    database: Data, mongo_url: str
) -> None:
    initialise(database)

    began = time.monotonic()
    told = [*complete_database(mongo_url, database.name)]

    assert told == []
    assert time.monotonic() - began < 10 * LONGEST_START_SECONDS


def test_up_on_a_stack_that_runs_brings_back_what_is_missing_and_is_quick(
    database: Data,
    mongo_url: str,
    shared_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    initialise(database)
    complete = shape(database)
    monkeypatch.setenv("DB_NAME", database.name)
    stack = StackState([Mongod.name], {"MongoDB": mongo_url})
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / Mongod.name).symlink_to(shared_dir / "replica_set" / Mongod.name)
    write_note(folder / "stack.json", stack)
    database.drop_collection("facefusion_jobs")

    began = time.monotonic()
    up(folder)
    took = time.monotonic() - began
    first = capsys.readouterr().out
    up(folder)

    assert "database: created 1 collection with validators and indexes: facefusion_jobs" in first
    assert "database: " not in capsys.readouterr().out
    assert shape(database) == complete
    assert took < 10 * LONGEST_START_SECONDS


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mongodb://user:hunter2@{}", "MongoDB refuses this user (error 18)"),
        ("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50", "MongoDB does not answer"),
        ("http://{}", "is not a MongoDB connection string"),
    ],
)
def test_what_keeps_the_database_from_being_completed_is_one_sentence(
    database: Data, mongo_url: str, address: str, why: str
) -> None:
    url = address.format(mongo_url.removeprefix("mongodb://"))

    [told] = complete_database(url, database.name)

    assert told.startswith("the database could not be brought up to date: ")
    assert why in told
    assert "hunter2" not in told
    assert database.list_collection_names() == []


def test_registration_names_the_database_and_creates_what_it_lacks(configured: Data) -> None:
    first = [*complete_named_database(Environment())]
    again = [*complete_named_database(Environment())]

    assert f"database '{configured.name}'" in first[0]
    assert first[0].endswith("server named by MONGO_URL.")
    assert first[1].startswith(f"created {len(MADE)} collections")
    assert again == [first[0], "nothing is missing in it"]
    assert {*configured.list_collection_names()} == {*MADE}


@pytest.mark.usefixtures("prefect")
def test_registration_starts_no_database_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MONGO_URL", raising=False)

    assert [*complete_named_database(Environment())] == [NOT_NAMED]


def test_the_sample_character_has_its_picture_in_the_store_where_anything_may_show_it(
    database: Data, tmp_path: Path
) -> None:
    portrait = stored_portrait(tmp_path.as_uri())

    prepare_own_database(database, portrait)

    sample = database["characters"].find_one({"id": CHARACTER_ID})
    assert sample
    store = ImageStoreBlock(url=tmp_path.as_uri()).open()
    [reference] = sample["reference_images"]
    nothing_else = Trust(hosts=())
    assert fetch_picture(reference, store, nothing_else).width == 512
    assert stored_portrait(tmp_path.as_uri()) == portrait

"""A run on a database that lacks collections names them and what creates them."""

import time

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.monitoring import CommandListener, CommandStartedEvent

from db.connection import Document
from db.errors import CharactersMissing
from db.setup.apply import initialise
from db.setup.missing import REQUIRED
from flows.age_progression import age_progression
from flows.init_db import init_db
from flows.list_presets import list_presets
from tasks.database.connection import warn_of_missing_collections
from tests.support.db.database_state import Data
from tests.support.flows.world import CHARACTER, World

LOOK_SECONDS = 0.01


class Commands(CommandListener):
    """Keeps the names of the commands that a client sends."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: object) -> None:
        """Nothing is kept of it."""

    def failed(self, event: object) -> None:
        """Nothing is kept of it."""


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and "lacks" in record.getMessage()
    ]


def sentence(database: Database[Document], names: str) -> str:
    return (
        f"The database '{database.name}' lacks {names}; run init-db, which creates what is missing."
    )


def test_a_process_looks_once_and_quickly(database: Data, mongo_url: str) -> None:
    initialise(database)
    commands = Commands()
    with MongoClient[Document](mongo_url, event_listeners=[commands]) as client:
        client.admin.command("ping")
        commands.names.clear()
        began = time.monotonic()
        warn_of_missing_collections(client[database.name])
        took = time.monotonic() - began
        warn_of_missing_collections(client[database.name])

        assert commands.names == ["listCollections"]
        assert took < 10 * LOOK_SECONDS


def test_a_run_warns_once_of_what_is_missing_and_creates_nothing(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    init_db(dry_run=True)
    assert warnings(caplog) == []

    list_presets()
    list_presets()

    told = sentence(configured, f"the collections {', '.join(REQUIRED)}")
    assert warnings(caplog) == [told]
    assert configured.list_collection_names() == []


def test_a_complete_database_is_no_warning(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    initialise(configured)

    list_presets()

    assert warnings(caplog) == []


def test_a_face_flow_without_characters_ends_with_what_creates_them(world: World) -> None:
    initialise(world.database)
    world.database.drop_collection("characters")

    state = age_progression(CHARACTER, return_state=True)

    assert state.message == sentence(world.database, "the collection characters")
    with pytest.raises(CharactersMissing):
        state.result()
    assert "characters" not in world.database.list_collection_names()

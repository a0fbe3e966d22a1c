"""Metadata of a LoRA is asked for once, whatever was in it, until the file is another one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from db.catalog.listing.stored import known_metadata
from db.catalog.servers import Server, record_server
from storycanvas.catalog.comfyui.server import read_server
from tasks.catalog.sync import update_models
from tests.support.catalog.comfyui_answers import SYSTEM_STATS
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer

Data = Database[dict[str, Any]]

NOW = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
ASKED = "/view_metadata/loras?filename=a.safetensors"

NOTHING: dict[str, object] = {
    "not there": Answer(status=404),
    "null": Answer(b"null"),
    "an empty object": {},
    "nothing of the origin": {"format": "pt", "ss_tag_frequency": "{}"},
}


def answers(metadata: object, *, size: int = 7) -> dict[str, object]:
    """What a server with one LoRA answers."""
    return {
        "/system_stats": SYSTEM_STATS,
        "/models": ["loras"],
        "/models/loras": ["a.safetensors"],
        "/experiment/models/loras": [{"name": "a.safetensors", "size": size, "modified": 1.5}],
        "/view_metadata/loras": metadata,
    }


def times_asked(data: Data, *nights: dict[str, object]) -> list[int]:
    """Sync with what a server answers each night; tell how often it was asked for metadata."""
    asked = []
    with ComfyuiServer({}) as server:
        box = Server("box", "Box", server.url)
        for number, told in enumerate(nights):
            server.answers = told
            server.requests.clear()
            known = known_metadata(data, box.id)
            listing = read_server(server.url, known_metadata=known, listing_seconds=5).listing
            assert listing is not None
            now = NOW + timedelta(days=number)
            record_server(data, box, "online", None, None, 1, now)
            update_models(data, box.backend, listing, now)
            asked.append(server.paths.count(ASKED))
    return asked


@pytest.mark.parametrize("told", NOTHING.values(), ids=NOTHING)
def test_metadata_that_tells_nothing_is_asked_for_once(database: Data, told: object) -> None:
    assert times_asked(database, *[answers(told)] * 3) == [1, 0, 0]


def test_metadata_that_could_not_be_read_is_asked_for_again(database: Data) -> None:
    broken, fine = answers(Answer(status=500)), answers({})

    assert times_asked(database, broken, fine, fine) == [1, 1, 0]


def test_a_changed_file_is_asked_again(database: Data) -> None:
    assert times_asked(database, answers({}), answers({}, size=8), answers({}, size=8)) == [1, 1, 0]


def test_a_file_that_was_gone_is_asked_again(database: Data) -> None:
    there, gone = answers({}), answers({}) | {"/models/loras": []}

    assert times_asked(database, there, gone, there, there) == [1, 0, 1, 0]

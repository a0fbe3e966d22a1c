"""Sync, import and match, killed at any moment and run again, end as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from pymongo.database import Database

from db.connection import connect
from db.setup.apply import initialise
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.catalog.killed_catalog import bring_up_to_date
from tests.support.catalog.sample_catalog import comfyui_answers, file, item, pages, version
from tests.support.db.killed import KILLED
from tests.support.paths import ROOT

Data = Database[dict[str, Any]]

MANY = 120
COLLECTIONS = (
    "backends",
    "active_backend_models",
    "civitai_models",
    "catalog_imports",
    "model_sync_status",
    "database_models",
)
OF_THE_RUN = {"_import_id", "import_id", "new", "changed", "unchanged"}
"""What tells of the run itself; an interrupted page's rows count as unchanged the second time."""


@pytest.fixture(scope="module")
def comfyui() -> Iterator[ComfyuiServer]:
    answers = comfyui_answers()
    answers["/models/embeddings"] = [f"sample_words_{number}.pt" for number in range(MANY)]
    answers["/models"] = [*answers["/models"], "embeddings"]  # type: ignore[misc]  # a list
    with ComfyuiServer(answers) as server:
        yield server


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Path:
    more = [
        item(
            920000000 + number,
            f"Sample Words {number}",
            "TextualInversion",
            version(930000000 + number, "v1", "SD 1.5", file(f"sample_words_{number}.pt")),
        )
        for number in range(0, MANY, 2)
    ]
    path = tmp_path_factory.mktemp("civitai") / "items.json"
    path.write_text(json.dumps([*(row for page in pages() for row in page), *more]))
    return path


def stored(database: Data) -> dict[str, list[dict[str, Any]]]:
    """Everything but moments and what tells of the run itself."""
    return {
        name: [
            {
                field: value
                for field, value in row.items()
                if field not in OF_THE_RUN
                and not field.endswith(("_at", "_seen", "_check"))
                and not field.startswith("last_sync")
            }
            for row in database[name].find({}, {"_id": False}).sort([("id", 1), ("model_id", 1)])
        ]
        for name in COLLECTIONS
    }


def emptied(database: Data) -> Data:
    for name in COLLECTIONS:
        database[name].drop()
    initialise(database)
    return database


class Forks:
    """A process that has imported everything and forks for each run."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: str | int) -> int:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(arguments)}\n")
        self._process.stdin.flush()
        return self._next()

    def exit_code(self) -> int:
        return self._next()

    def _next(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    argv = [sys.executable, "-m", "tests.support.catalog.killed_catalog"]
    with subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Forks(process)
        process.kill()


class Undisturbed(NamedTuple):
    stored: dict[str, list[dict[str, Any]]]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(mongo_url: str, comfyui: ComfyuiServer, items: Path) -> Iterator[Undisturbed]:
    """What a run that is not killed stores, and how long it takes."""
    database = connect(mongo_url, f"test_{uuid4().hex}")
    began = time.monotonic()
    bring_up_to_date(emptied(database), comfyui.url, items)
    yield Undisturbed(stored(database), time.monotonic() - began)
    database.client.drop_database(database)
    database.client.close()


@pytest.mark.parametrize("fatal", [1, 2, 3, 4, 5, 6, 7, 9, 11, 13])
def test_a_run_after_a_kill_ends_as_an_undisturbed_one(
    database: Data,
    mongo_url: str,
    comfyui: ComfyuiServer,
    items: Path,
    forks: Forks,
    undisturbed: Undisturbed,
    fatal: int,
) -> None:
    emptied(database)

    forks.start(mongo_url, database.name, comfyui.url, str(items), fatal)

    assert forks.exit_code() == KILLED
    assert stored(database) != undisturbed.stored
    bring_up_to_date(database, comfyui.url, items)
    assert stored(database) == undisturbed.stored
    assert len(undisturbed.stored["database_models"]) > MANY // 2


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
def test_a_run_after_kills_at_any_moment_ends_as_an_undisturbed_one(
    database: Data,
    mongo_url: str,
    comfyui: ComfyuiServer,
    items: Path,
    forks: Forks,
    undisturbed: Undisturbed,
    share: float,
) -> None:
    emptied(database)

    for _ in range(3):
        pid = forks.start(mongo_url, database.name, comfyui.url, str(items), 0)
        time.sleep(share * undisturbed.seconds)
        with suppress(ProcessLookupError):  # it was faster than the undisturbed one
            os.kill(pid, signal.SIGKILL)
        forks.exit_code()

    bring_up_to_date(database, comfyui.url, items)
    assert stored(database) == undisturbed.stored

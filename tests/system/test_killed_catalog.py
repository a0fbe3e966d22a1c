"""Sync, import and match, killed at any moment and run again, end as if nothing had happened."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

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


@pytest.fixture
def comfyui() -> Iterator[ComfyuiServer]:
    answers = comfyui_answers()
    answers["/models/embeddings"] = [f"sample_words_{number}.pt" for number in range(MANY)]
    answers["/models"] = [*answers["/models"], "embeddings"]  # type: ignore[misc]  # a list
    with ComfyuiServer(answers) as server:
        yield server


@pytest.fixture
def items(tmp_path: Path) -> Path:
    more = [
        item(
            920000000 + number,
            f"Sample Words {number}",
            "TextualInversion",
            version(930000000 + number, "v1", "SD 1.5", file(f"sample_words_{number}.pt")),
        )
        for number in range(0, MANY, 2)
    ]
    path = tmp_path / "items.json"
    path.write_text(json.dumps([*(one for page in pages() for one in page), *more]))
    return path


def stored(database: Data) -> dict[str, list[dict[str, Any]]]:
    """Everything but moments and what tells of the run itself."""
    return {
        name: [
            {
                field: value
                for field, value in one.items()
                if field not in OF_THE_RUN
                and not field.endswith(("_at", "_seen", "_check"))
                and not field.startswith("last_sync")
            }
            for one in database[name].find({}, {"_id": False}).sort([("id", 1), ("model_id", 1)])
        ]
        for name in COLLECTIONS
    }


def emptied(database: Data) -> Data:
    for name in COLLECTIONS:
        database[name].drop()
    initialise(database)
    return database


def started(
    mongo_url: str, database: Data, comfyui: ComfyuiServer, items: Path, fatal: int
) -> subprocess.Popen[str]:
    argv = [
        sys.executable,
        "-m",
        "tests.support.catalog.killed_catalog",
        mongo_url,
        database.name,
        comfyui.url,
        str(items),
    ]
    return subprocess.Popen([*argv, str(fatal)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("fatal", [1, 2, 3, 4, 5, 6, 7, 9, 11, 13])
def test_a_run_after_a_kill_ends_as_an_undisturbed_one(
    database: Data, mongo_url: str, comfyui: ComfyuiServer, items: Path, fatal: int
) -> None:
    bring_up_to_date(emptied(database), comfyui.url, items)
    whole = stored(database)
    emptied(database)

    with started(mongo_url, database, comfyui, items, fatal) as killed:
        killed.communicate()

    assert killed.returncode == KILLED
    assert stored(database) != whole
    bring_up_to_date(database, comfyui.url, items)
    assert stored(database) == whole
    assert len(whole["database_models"]) > MANY // 2


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
def test_a_run_after_kills_at_any_moment_ends_as_an_undisturbed_one(
    database: Data, mongo_url: str, comfyui: ComfyuiServer, items: Path, share: float
) -> None:
    began = time.monotonic()
    bring_up_to_date(emptied(database), comfyui.url, items)
    took = time.monotonic() - began
    whole = stored(database)
    emptied(database)

    for _ in range(3):
        with started(mongo_url, database, comfyui, items, 0) as killed:
            assert killed.stdout
            assert killed.stdout.readline() == "ready\n"
            with suppress(subprocess.TimeoutExpired):
                killed.wait(share * took)
            killed.kill()

    bring_up_to_date(database, comfyui.url, items)
    assert stored(database) == whole

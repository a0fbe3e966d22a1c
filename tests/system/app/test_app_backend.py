"""The app's own back end reads and writes the same, before and after every flow of this project.

It runs only where `TEST_APP_BACKEND` names the folder of the back end (docs/contributing.md).
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.sample import TARGET
from flows.age_progression import age_progression
from flows.audit_db import audit_db
from flows.check_hosts import check_hosts
from flows.enhance_then_swap import enhance_then_swap
from flows.import_civitai import import_civitai
from flows.import_couple_swap import import_couple_swap
from flows.init_db import init_db
from flows.maintain_model_catalog import maintain_model_catalog
from flows.match_models import match_models
from flows.migrate_characters import migrate_characters
from flows.migrate_db import migrate_db
from flows.purge_deleted import purge_deleted
from flows.seed_inference_configurations import seed_inference_configurations
from flows.sync_model_catalog import sync_model_catalog
from tests.support.app_backend import FOLDER, LOCAL_MODEL, AppClient, app_backend, differences
from tests.support.catalog.civitai_server import CivitaiServer, page
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.catalog.sample_catalog import comfyui_answers, hash_rows, pages
from tests.support.flows.world import CHARACTER, World
from tests.support.paths import COUPLE_SAMPLES

pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="TEST_APP_BACKEND names no folder"),
    pytest.mark.timeout(600),
]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
REASONS = {
    r"/gallery: .*was None, is [\[{]": "a gallery that was missing in part is completed",
    r"clips\[\]\.project_id was None": "a clip gets the project of its scene",
    r"/projects/[^/]+/clips: \[\] was \[\]": "so the project lists its clips",
    r"/api/active-models: .*\.civitai_\w+ was None": "match-models links a model with Civitai",
    r"/api/active-models: .*\.hashes\.\w+ was None": "a scan of the files has their hashes",
    r"\.(last_seen|last_check) was": "a server was asked again",
    rf"/facefusion/characters/{CHARACTER}/(gallery|history): ": "a face flow adds what it made",
}
"""What a client may see otherwise, and why."""
Step = Callable[[], object]


@pytest.fixture
def steps(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Step]]:
    """Every flow that writes to the database, by its name, in the order of an installation."""
    scan, items = tmp_path / "scan.json", tmp_path / "items.json"
    scan.write_text(json.dumps(hash_rows()))
    items.write_text(json.dumps([item for page in pages() for item in page]))
    with ComfyuiServer(comfyui_answers()) as server, CivitaiServer() as civitai:
        civitai.pages = {None: page(pages()[0])}
        monkeypatch.setenv("CIVITAI_URL", civitai.url)
        world.database["comfyui_servers"].insert_one(
            {"id": "box", "name": "Box", "url": server.url, "is_active": True, "created_at": NOW}
        )
        yield {
            "init_db": lambda: init_db(validation_action="error"),
            "migrate_db": migrate_db,
            "migrate_characters": migrate_characters,
            "seed": seed_inference_configurations,
            "sync": lambda: sync_model_catalog(urls=[server.url], hash_file=str(scan)),
            "import": lambda: import_civitai(file=str(items)),
            "match": lambda: match_models(ask_civitai=False),
            "maintain": lambda: maintain_model_catalog(return_state=True),
            "couple": lambda: import_couple_swap(csv_folder=str(COUPLE_SAMPLES)),
            "ages": lambda: age_progression(CHARACTER, ages=[20, 60]),
            "swap": lambda: enhance_then_swap(CHARACTER, str(TARGET)),
            "audit": lambda: audit_db(sample_size=None, fix=True),
            "check": check_hosts,
            "purge": lambda: purge_deleted(dry_run=False),
            "accept": lambda: migrate_db(accept=True),
        }


@pytest.fixture
def app(world: World, mongo_url: str, tmp_path: Path) -> Iterator[AppClient]:
    with app_backend(tmp_path, mongo_url, world.database.name) as client:
        world.database["database_models"].insert_one({**LOCAL_MODEL})
        client.ids["model_id"] = [LOCAL_MODEL["id"]]
        client.ids["character_id"] = [CHARACTER]
        yield client


def unexplained(found: set[str]) -> set[str]:
    return {line for line in found if not any(re.search(reason, line) for reason in REASONS)}


@pytest.mark.parametrize("order", [1, -1], ids=["as installed", "the other way round"])
def test_a_client_of_the_app_sees_and_writes_the_same_after_every_flow(
    app: AppClient, steps: dict[str, Step], order: int
) -> None:
    written = [app.write(1)]
    before = app.read()
    seen: dict[str, set[str]] = {}

    for number, (name, step) in enumerate([*steps.items()][::order], start=2):
        step()
        if found := unexplained(differences(before, app.read())):
            seen[name] = found
        written.append(app.write(number))
        before = app.read()

    assert seen == {}, "\n".join(f"{name} {line}" for name, found in seen.items() for line in found)
    assert all(calls == written[0] for calls in written)

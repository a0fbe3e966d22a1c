"""A quick run of a maintenance deployment looks only: stored data stays byte for byte."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from deployments.run_flow import load_flow
from tasks.artifacts import DRY_RUN_NOTE
from tests.support.db.database_state import identities, shape
from tests.support.db.old_database import add_old_database
from tests.support.paths import COUPLE_SAMPLES, ROOT

Data = Database[dict[str, Any]]

DEPLOYMENTS: list[dict[str, Any]] = [
    deployment
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    if "maintenance" in deployment["tags"]
]
A_PERSON_FILLS_IN = {"import-couple-swap": {"csv_folder": str(COUPLE_SAMPLES)}}
BRINGS_BACK = {"only_missing": True, "dry_run": False}
"""What the one schedule does that changes a database."""
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


def name_of(deployment: dict[str, Any]) -> str:
    return str(deployment["name"])


every_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)


@pytest.fixture
def configured(configured: Data) -> Data:
    """A database in which each of these flows would change something."""
    add_old_database(configured)
    configured["database_models"].insert_one({"id": "flux", "name": "flux1-dev", "is_active": True})
    configured["facefusion_presets"].insert_one({"id": "gone", "deleted_at": LONG_AGO})
    configured["facefusion_jobs"].insert_one(
        {"id": "stuck", "status": "processing", "lease_expires_at": LONG_AGO}
    )
    return configured


def stored_bytes(database: Data) -> dict[str, list[bytes]]:
    raw: Database[Any] = database.client.get_database(
        database.name, database.codec_options.with_options(document_class=RawBSONDocument)
    )
    return {
        name: sorted(document.raw for document in raw[name].find())
        for name in database.list_collection_names()
    }


@every_deployment
def test_a_quick_run_changes_nothing_and_states_how_to_carry_it_out(
    configured: Data, deployment: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    name = name_of(deployment)
    parameters = deployment.get("parameters", {}) | A_PERSON_FILLS_IN.get(name, {})
    before = (stored_bytes(configured), shape(configured), identities(configured))

    state = load_flow(name)(**parameters, return_state=True)

    assert (stored_bytes(configured), shape(configured), identities(configured)) == before
    assert state.is_completed() or name == "init-db", state.message  # duplicates block its indexes
    if name == "audit-db":
        assert any("Run audit-db with fix on" in record.getMessage() for record in caplog.records)
    elif state.is_completed():
        assert (state.message or "").endswith(DRY_RUN_NOTE)


@every_deployment
def test_a_schedule_states_its_own_value(deployment: dict[str, Any]) -> None:
    """It holds although a person changes what the deployment does by default."""
    stated = [schedule["parameters"] for schedule in deployment.get("schedules", [])]

    assert [each for each in stated if not deployment["parameters"].keys() <= each.keys()] == []
    acts = [each for each in stated if not deployment["parameters"].items() <= each.items()]
    assert acts == ([BRINGS_BACK] if name_of(deployment) == "init-db" else [])

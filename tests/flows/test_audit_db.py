"""The flow audit-db: its report, its names and what it shows in the UI."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from flows.audit_db import audit_db
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database with an orphan and a job whose lease has expired."""
    configured["clips"].insert_many([{"id": str(n), "scene_id": "gone"} for n in range(3)])
    expired = datetime(2026, 1, 1, tzinfo=UTC)
    configured["facefusion_jobs"].insert_one(
        {"id": "j", "job_type": "swap", "status": "processing", "lease_expires_at": expired}
    )
    return configured


def test_a_run_that_looks_shows_a_table_and_a_report_and_changes_nothing(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    before = [*configured["facefusion_jobs"].find()]

    state = audit_db(sample_size=2, return_state=True)

    name, artifacts = shown_by(state)
    report = state.result()
    table, whole = artifacts["audit-db"][0], artifacts["audit-db-report"][0]
    assert state.is_completed()
    assert name == "audit-db (looks only)"
    assert (table.type, whole.type) == ("table", "markdown")
    assert report.summary() in table.description
    assert "scene_id of scenes" in table.data
    assert json.loads(whole.data.removeprefix("```json").removesuffix("```")) == json.loads(
        report.model_dump_json()
    )
    logged = {record.getMessage() for record in caplog.records}
    assert {*report.lines(), report.summary()} <= logged
    assert [collection.validated for collection in report.collections if collection.documents] == [
        2,
        1,
    ]
    assert [*configured["facefusion_jobs"].find()] == before


def test_a_run_that_fixes_says_so_in_its_name_and_what_it_did(configured: Data) -> None:
    state = audit_db(fix=True, return_state=True)

    name, artifacts = shown_by(state)
    assert name == "audit-db (fixes)"
    assert "fixed: 1 put back to queued." in artifacts["audit-db"][0].data
    assert configured["facefusion_jobs"].count_documents({"status": "queued"}) == 1

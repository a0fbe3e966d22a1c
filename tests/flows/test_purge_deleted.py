"""The flow purge-deleted: its counts before and after, its name, and what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.exceptions import ParameterTypeError
from pymongo.database import Database

from deployments.run_flow import run_flow
from flows.purge_deleted import purge_deleted
from tasks.artifacts import DRY_RUN_NOTE
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]
DUE = 2


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database with two presets due, one young and one project kept."""
    now = datetime.now(UTC)
    ages = {"a": 31, "b": 400, "young": 29}
    configured["facefusion_presets"].insert_many(
        [{"id": name, "deleted_at": now - timedelta(days=days)} for name, days in ages.items()]
    )
    configured["projects"].insert_one({"id": "kept", "deleted_at": now - timedelta(days=31)})
    configured["scenes"].insert_one({"id": "alive", "project_id": "kept"})
    return configured


def test_by_default_it_counts_and_says_so_in_its_name(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    state = purge_deleted(return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    [artifact] = artifacts["purge-deleted"]
    logged = [record.getMessage() for record in caplog.records]
    assert name == "purge-deleted (dry run)"
    assert (report.due, report.removed, report.kept_count) == (DUE, 0, 1)
    assert "facefusion_presets: 2 would be removed, 1 deleted later." in logged
    assert "Kept: 'kept' of projects: 'alive' of scenes belongs to it and is not deleted." in logged
    described = f"{report.summary()} {DRY_RUN_NOTE}"
    assert (artifact.type, artifact.description) == ("table", described)
    assert "is not deleted" in str(artifact.data)
    assert configured["facefusion_presets"].count_documents({}) == DUE + 1


def test_a_removal_shows_the_counts_first_and_then_what_it_removed(configured: Data) -> None:
    state = purge_deleted(dry_run=False, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    before, after = artifacts["purge-deleted"]
    assert name == "purge-deleted (removes)"
    assert "2 document(s) to be removed" in before.description
    assert "2 of 2 document(s) removed" in after.description
    assert report.removed == DUE
    assert [preset["id"] for preset in configured["facefusion_presets"].find()] == ["young"]
    assert configured["projects"].count_documents({}) == 1


def test_the_command_line_runs_the_flow_here_and_prints_its_summary(
    configured: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_flow(["purge-deleted", "--older-than-days", "30", "--no-dry-run"]) == 0

    assert "2 of 2 document(s) removed" in capsys.readouterr().out
    assert configured["facefusion_presets"].count_documents({}) == 1


@pytest.mark.parametrize("days", [0, 36_501])
def test_days_outside_of_the_bounds_are_refused(configured: Data, days: int) -> None:
    with pytest.raises(ParameterTypeError, match="older_than_days"):
        purge_deleted(older_than_days=days, dry_run=False)

    assert configured["facefusion_presets"].count_documents({}) == DUE + 1

"""The flow seed-inference-configurations: its report, its name and what it shows in the UI."""

from typing import Any

import pytest
from pymongo.database import Database

from flows.seed_inference_configurations import seed_inference_configurations
from tasks.artifacts import DRY_RUN_NOTE
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database of one known and one unknown model."""
    names = ("flux1-dev", "hero")
    configured["database_models"].insert_many(
        [{"id": name, "name": name, "is_active": True} for name in names]
    )
    return configured


@pytest.mark.parametrize(
    ("dry_run", "run_name", "documents"),
    [
        (False, "seed-inference-configurations", 2),
        (True, "seed-inference-configurations (dry run)", 0),
    ],
)
def test_a_run_shows_what_it_did_and_whether_it_only_looked(
    configured: Data,
    caplog: pytest.LogCaptureFixture,
    *,
    dry_run: bool,
    run_name: str,
    documents: int,
) -> None:
    state = seed_inference_configurations(dry_run=dry_run, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    [artifact] = artifacts["seed-inference-configurations"]
    assert name == run_name
    logged = [record.getMessage() for record in caplog.records]
    assert report.summary() in logged
    assert "Unknown base model, no presets: hero (hero): nothing but the name." in logged
    described = f"{report.summary()} {DRY_RUN_NOTE}" if dry_run else report.summary()
    assert (artifact.type, artifact.description) == ("table", described)
    assert "flux_dev" in str(artifact.data)
    assert configured["inference_configurations"].count_documents({}) == documents
    assert report.created == 2

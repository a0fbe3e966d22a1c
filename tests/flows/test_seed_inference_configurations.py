"""The flow seed-inference-configurations: its report, its name and what it shows in the UI."""

from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from pymongo.database import Database

from flows.seed_inference_configurations import seed_inference_configurations

Data = Database[dict[str, Any]]


@pytest.fixture
def configured(database: Data, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> Data:
    """The environment names a database of one known and one unknown model."""
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("DB_NAME", database.name)
    monkeypatch.setenv("STORYCANVAS_STEP_RETRIES", "0")
    names = ("flux1-dev", "hero")
    database["database_models"].insert_many(
        [{"id": name, "name": name, "is_active": True} for name in names]
    )
    return database


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
    run = state.state_details.flow_run_id
    assert run
    with get_client(sync_client=True) as client:
        [artifact] = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        )
        assert client.read_flow_run(run).name == run_name
    said = [record.getMessage() for record in caplog.records]
    assert report.summary() in said
    assert "Unknown base model, no presets: hero (hero): nothing but the name." in said
    assert (artifact.type, artifact.description) == ("table", report.summary())
    assert "flux_dev" in str(artifact.data)
    assert configured["inference_configurations"].count_documents({}) == documents
    assert report.created == 2

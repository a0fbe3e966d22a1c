"""What a run shows in the UI."""

from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import ArtifactSort


def shown_by(state: State[Any]) -> tuple[str, dict[str, list[Any]]]:
    """A run's name, and its artifacts by key, the oldest first."""
    run = state.state_details.flow_run_id
    assert run
    which = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
    by_key: dict[str, list[Any]] = {}
    with get_client(sync_client=True) as client:
        newest_first = client.read_artifacts(artifact_filter=which, sort=ArtifactSort.CREATED_DESC)
        for artifact in reversed(newest_first):
            by_key.setdefault(str(artifact.key), []).append(artifact)
        return client.read_flow_run(run).name, by_key

"""Artifacts of a key, whichever run made them."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact


def kept(*keys: str) -> list[Artifact]:
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[*keys]))
        )


def forget(*keys: str) -> None:
    with get_client(sync_client=True) as client:
        while found := kept(*keys):
            for artifact in found:
                client.delete_artifact(artifact.id)

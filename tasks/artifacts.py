"""A picture within an artifact's text: Prefect's UI shows no files."""

import base64
from contextlib import suppress

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ObjectNotFound

_MAX_KEPT = 5
"""As many at once: reading them brings their content, too."""


def drop_older(key: str) -> None:
    """Delete the versions of an artifact that come after the newest, five at most.

    Args:
        key: The artifact's.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    which = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        older = client.read_artifacts(
            artifact_filter=which, sort=ArtifactSort.CREATED_DESC, offset=1, limit=_MAX_KEPT
        )
        for one in older:
            with suppress(ObjectNotFound):  # another run was quicker
                client.delete_artifact(one.id)


def inline_picture(what: str, png: bytes) -> str:
    """Write a picture as Markdown.

    Args:
        what: What it shows, for those who cannot see it.
        png: The encoded file.
    """
    return f"![{what}](data:image/png;base64,{base64.b64encode(png).decode()})"

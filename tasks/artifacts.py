"""A run's report for people: lines in its log, tables and Markdown on its page in Prefect's UI."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterKey,
    ArtifactFilter,
    ArtifactFilterKey,
)
from prefect.client.schemas.objects import ArtifactCollection
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.states import Completed

_MAX_KEPT = 5
"""Older versions read and deleted at once; reading them transfers their content, too."""

DRY_RUN_NOTE = (
    "Nothing was changed. To carry this out, start the flow again with dry_run off: in the Prefect "
    "UI press Run, Custom run, and switch dry_run off."
)


class Summarised(Protocol):
    """A report that can be told in a sentence."""

    def summary(self) -> str:
        """Summarise in a sentence or two what was found or done."""
        ...


Report = TypeVar("Report", bound=Summarised)


@dataclass(frozen=True)
class ReportArtifact:
    """A table or a text of a report.

    Attributes:
        key: The artifact's key; lower-case letters, digits and dashes.
        content: Rows of a table, or Markdown.
        description: What stands above it; the report's summary when empty.
        only_newest: Whether earlier versions are deleted, because they are large.
    """

    key: str
    content: Sequence[Mapping[str, Any]] | str
    description: str = ""
    only_newest: bool = False

    def publish(self, summary: str) -> UUID:
        """Create the artifact, and return its id."""
        description = self.description or summary
        if isinstance(self.content, str):
            made = create_markdown_artifact(self.content, key=self.key, description=description)
        else:
            rows = [dict(row) for row in self.content]
            made = create_table_artifact(rows, key=self.key, description=description)
        if self.only_newest:
            drop_older(self.key)
        return cast("UUID", made)  # outside of an event loop it is no coroutine


def subject_key(subject: str) -> str:
    """Write what a key is about with the characters of keys, so that no two get the same."""
    plain = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")
    if plain == subject:
        return plain
    return f"{plain}-{hashlib.sha256(subject.encode('utf-8', 'replace')).hexdigest()[:8]}".lstrip(
        "-"
    )


@task(cache_policy=NO_CACHE, task_run_name="report")
def publish_report(
    summary: str,
    *artifacts: ReportArtifact,
    lines: Iterable[str] = (),
    warnings: Iterable[str] = (),
    dry_run: bool = False,
) -> None:
    """Write a report into the run's log and publish its artifacts.

    Args:
        summary: The report in one sentence; logged last.
        artifacts: Tables and texts for the Prefect UI, in this order.
        lines: What else is logged at level INFO, first.
        warnings: What is logged at level WARNING, next.
        dry_run: Whether the run only looked; the artifacts then state how to carry it out.
    """
    log = get_run_logger()
    for line in lines:
        log.info(line)
    for warning in warnings:
        log.warning(warning)
    log.info(summary)
    if dry_run:
        summary = f"{summary} {DRY_RUN_NOTE}"
    for artifact in artifacts:
        artifact.publish(summary)


def finished(report: Report, *, dry_run: bool = False) -> Report:
    """Finish a flow with its report's summary as the state's message, which the run's page shows.

    Returns:
        The report, within the state that the flow returns; who calls the flow gets the report.
    """
    summary = report.summary()
    message = f"{summary} {DRY_RUN_NOTE}" if dry_run else summary
    return cast("Report", Completed(message=message, data=report))


def latest_artifact(key: str) -> ArtifactCollection | None:
    """Read the artifact that was published last under a key; None if none was.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    which = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        found = client.read_latest_artifacts(artifact_filter=which, limit=1)
    return found[0] if found else None


def drop_older(key: str) -> None:
    """Delete the versions of an artifact that are older than the newest, five at most."""
    named = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        older = client.read_artifacts(
            artifact_filter=named, sort=ArtifactSort.CREATED_DESC, offset=1, limit=_MAX_KEPT
        )
        for artifact in older:
            with suppress(ObjectNotFound):  # another run deleted it first
                client.delete_artifact(artifact.id)


def inline_picture(alt_text: str, png: bytes) -> str:
    """Write a picture as Markdown that contains it: Prefect's UI shows no files."""
    return f"![{alt_text}](data:image/png;base64,{base64.b64encode(png).decode()})"

"""Steps of the report on all models: tables and a plot in the UI, whole lists as CSV."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact
from prefect.client.schemas.sorting import ArtifactSort
from pymongo.database import Database

from db.catalog.listing.stored import model_rows
from db.connection import Document
from storycanvas.catalog.reporting.files import as_csv, as_kept, read_kept
from storycanvas.catalog.reporting.models_frame import models_frame
from storycanvas.catalog.reporting.reports import CatalogReport, ReportList
from storycanvas.faces.errors import FaceError
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.gpu.prefect_client import run_log
from tasks.artifacts import ReportArtifact, inline_picture
from tasks.retries import retrying_task

KEPT_KEY = "report-model-catalog-models"

_MAX_BYTES = 1 << 30
_MAX_REPORTS = 200
"""How many are searched for the one to compare with; one a night makes half a year."""


@dataclass(frozen=True)
class PastReport:
    """The models of an earlier report.

    Attributes:
        made_at: UTC.
        models: With the columns that reports compare.
    """

    made_at: datetime
    models: pd.DataFrame


@retrying_task("find an earlier report")
def find_past_report(store: ImageStore, since: datetime) -> PastReport | None:
    """Read the report that was made nearest to a moment; None if it cannot be read."""
    which = ArtifactFilter(key=ArtifactFilterKey(any_=[KEPT_KEY]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=which, sort=ArtifactSort.CREATED_DESC, limit=_MAX_REPORTS
        )
    made = [
        (_utc(artifact.created.timestamp()), artifact) for artifact in found if artifact.created
    ]
    if not made:
        return None
    moment, nearest = min(made, key=lambda pair: abs(pair[0] - since))
    models = _models(store, nearest)
    return None if models is None else PastReport(moment, models)


@retrying_task("keep the models")
def keep_models(store: ImageStore, models: pd.DataFrame, now: datetime) -> None:
    """Keep the models for later reports; unchanged ones need no room."""
    kept = store.put(as_kept(models), Category.REPORT, "ndjson.gz", now)
    create_table_artifact(
        [{"models": len(models), "path": kept.path}],
        key=KEPT_KEY,
        description="The models as this report found them; later reports compare with them.",
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _models(store: ImageStore, artifact: Artifact) -> pd.DataFrame | None:
    try:
        [row] = json.loads(str(artifact.data))
        return read_kept(store.read(row["path"], _MAX_BYTES))
    except (FaceError, OSError, ValueError, KeyError, TypeError) as error:
        run_log(__name__).warning(
            "The models of an earlier report cannot be read (%s), so only changes that servers "
            "reported are listed.",
            type(error).__name__,
        )
        return None


KEY = "report-model-catalog"


@retrying_task("read the models")
def read_models(database: Database[Document]) -> pd.DataFrame:
    """Read the models of all servers."""
    return models_frame(model_rows(database))


@retrying_task("store the lists")
def store_lists(
    store: ImageStore, lists: Mapping[str, pd.DataFrame], now: datetime
) -> dict[str, str]:
    """Store each list that is not empty as CSV; return their addresses."""
    return {
        name: store.put(as_csv(frame), Category.REPORT, "csv", now).url
        for name, frame in lists.items()
        if len(frame)
    }


def report_artifacts(report: CatalogReport, plot: bytes) -> Iterator[ReportArtifact]:
    """Make the plot's page and a table of each list, also of an empty one.

    Without a table for an empty list, the UI would still show an older run's.
    """
    picture = inline_picture("models by type and base model", plot)
    yield ReportArtifact(KEY, "\n".join([picture, "", *_lines(report)]))
    for name, part in _parts(report).items():
        rows = [
            {key: "" if row[key] is None else row[key] for key in sorted(row, key=_is_id)}
            for row in part.rows
        ]
        yield ReportArtifact(f"{KEY}-{name.replace('_', '-')}", rows, _extent(part))


def _is_id(column: str) -> bool:
    """Whether a column holds ids, which stand last: people look for names."""
    return column == "id" or column.endswith("_id")


def _extent(part: ReportList) -> str:
    if not part.count:
        return "There are none."
    return f"The first {len(part.rows)} of {part.count}. {part.stored_at or ''}"


def _parts(report: CatalogReport) -> dict[str, ReportList]:
    fields = type(report).model_fields
    parts = {name: getattr(report, name) for name in fields}
    return {name: part for name, part in parts.items() if isinstance(part, ReportList)}


def _lines(report: CatalogReport) -> list[str]:
    parts = _parts(report).items()
    return [f"- {name}: {part.count} {part.stored_at or ''}".rstrip() for name, part in parts]

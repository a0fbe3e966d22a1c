"""Reporting on the models of all servers: tables and a plot in the UI, whole lists as CSV."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact
from prefect.client.schemas.sorting import ArtifactSort
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.configured import image_store
from blocks.environment import Environment
from db.catalog.listing.stored import model_rows
from db.connection import Document
from storycanvas.catalog.reporting.files import as_csv, as_kept, read_kept
from storycanvas.catalog.reporting.models_frame import models_frame
from storycanvas.catalog.reporting.plots import models_plot
from storycanvas.catalog.reporting.reports import CatalogReport, ReportList
from storycanvas.catalog.reporting.summary import catalog_lists, catalog_report
from storycanvas.faces.errors import FaceError
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.gpu.run_log import run_log
from tasks.artifacts import inline_picture
from tasks.database.connection import opened_database
from tasks.progress import shown_progress
from tasks.retries import is_retryable, with_retries

KEPT_KEY = "report-model-catalog-models"

_MAX_BYTES = 1 << 30
_MAX_REPORTS = 200
"""As many are looked through for the one to compare with; one a night is half a year."""


@dataclass(frozen=True)
class PastReport:
    """What an earlier report found.

    Attributes:
        made_at: UTC.
        models: With the columns that reports compare.
    """

    made_at: datetime
    models: pd.DataFrame


def past_report(store: ImageStore, since: datetime) -> PastReport | None:
    """Read the report that was made nearest to a moment; None if there is none to be read.

    Args:
        store: Where reports are kept.
        since: With its zone.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    which = ArtifactFilter(key=ArtifactFilterKey(any_=[KEPT_KEY]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=which, sort=ArtifactSort.CREATED_DESC, limit=_MAX_REPORTS
        )
    made = [(_utc(one.created.timestamp()), one) for one in found if one.created]
    if not made:
        return None
    moment, nearest = min(made, key=lambda pair: abs(pair[0] - since))
    models = _models(store, nearest)
    return None if models is None else PastReport(moment, models)


def keep_report(store: ImageStore, models: pd.DataFrame, now: datetime) -> None:
    """Keep the models for later reports.

    Args:
        store: Where they are kept; unchanged ones take no room.
        models: The models (`storycanvas.catalog.reporting.models_frame.models_frame`).
        now: UTC.
    """
    kept = store.put(as_kept(models), Category.REPORT, "ndjson.gz", now)
    create_table_artifact(
        [{"models": len(models), "path": kept.path}],
        key=KEPT_KEY,
        description="The models as this report found them; later ones tell what has changed.",
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _models(store: ImageStore, artifact: Artifact) -> pd.DataFrame | None:
    try:
        [row] = json.loads(str(artifact.data))
        return read_kept(store.read(row["path"], _MAX_BYTES))
    except (FaceError, OSError, ValueError, KeyError, TypeError) as error:
        run_log(__name__).warning(
            "The models of an earlier report cannot be read (%s), so what has changed is told as "
            "far as servers tell it.",
            type(error).__name__,
        )
        return None


KEY = "report-model-catalog"


@task(cache_policy=NO_CACHE, task_run_name="read the models", retry_condition_fn=is_retryable)
def read_models(database: Database[Document]) -> pd.DataFrame:
    """Read the models of all servers.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    return models_frame(model_rows(database))


@task(cache_policy=NO_CACHE, task_run_name="store the lists", retry_condition_fn=is_retryable)
def store_lists(
    store: ImageStore, lists: Mapping[str, pd.DataFrame], now: datetime
) -> dict[str, str]:
    """Store each list that is not empty as CSV, and tell where."""
    return {
        name: store.put(as_csv(frame), Category.REPORT, "csv", now).url
        for name, frame in lists.items()
        if len(frame)
    }


@task(
    cache_policy=NO_CACHE, task_run_name="find an earlier report", retry_condition_fn=is_retryable
)
def find_past_report(store: ImageStore, since: datetime) -> PastReport | None:
    """Read the report that was made nearest to a moment; None if there is none to be read."""
    return past_report(store, since)


@task(cache_policy=NO_CACHE, task_run_name="keep the models", retry_condition_fn=is_retryable)
def keep_models(store: ImageStore, models: pd.DataFrame, now: datetime) -> None:
    """Keep the models for later reports."""
    keep_report(store, models, now)


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_report(report: CatalogReport, plot: bytes) -> None:
    """Show a report in the run's log, and as tables and a plot in the Prefect UI."""
    get_run_logger().info(report.summary())
    create_markdown_artifact(
        "\n".join([inline_picture("models by type and base model", plot), "", *_lines(report)]),
        key=KEY,
        description=report.summary(),
    )
    for name, part in _parts(report).items():
        create_table_artifact(  # an empty one, too: else an older run's would still stand there
            [{key: "" if cell is None else cell for key, cell in row.items()} for row in part.rows],
            key=f"{KEY}-{name.replace('_', '-')}",
            description=_extent(part),
        )


def _extent(part: ReportList) -> str:
    if not part.count:
        return "There are none."
    return f"The first {len(part.rows)} of {part.count}. {part.stored_at or ''}"


def report_catalog(days: int) -> CatalogReport:
    """Report on the models of all servers, show it and return it.

    Args:
        days: How many days back new and gone models are listed; what has changed is told from the
            report that was made nearest to then.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
        blocks.environment.ConfigurationUnusable: The image store cannot be opened.
    """
    environment, now = Environment(), datetime.now(UTC)
    since = now - timedelta(days=days)
    with opened_database(environment) as database, shown_progress(f"{KEY}-progress", "parts") as at:
        models = with_retries(read_models, environment)(database)
        store = image_store(environment).open()
        past = with_retries(find_past_report, environment)(store, since)
        lists = catalog_lists(models, since, past.models if past else None)
        at("Lists", 1, 2)
        stored = with_retries(store_lists, environment)(store, lists, now)
        made_at = past.made_at if past else None
        report = catalog_report(models, lists, since, stored, made_at)
        at("Lists", 2, 2)
    show_report(report, models_plot(lists["by_type"]))
    with_retries(keep_models, environment)(
        store, models, now
    )  # last: what was not shown comes again
    return report


def _parts(report: CatalogReport) -> dict[str, ReportList]:
    fields = type(report).model_fields
    parts = {name: getattr(report, name) for name in fields}
    return {name: part for name, part in parts.items() if isinstance(part, ReportList)}


def _lines(report: CatalogReport) -> list[str]:
    parts = _parts(report).items()
    return [f"- {name}: {part.count} {part.stored_at or ''}".rstrip() for name, part in parts]

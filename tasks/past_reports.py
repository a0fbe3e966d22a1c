"""The models as earlier reports found them: in the image store, and an artifact says where."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact
from prefect.client.schemas.sorting import ArtifactSort

from catalog.reporting.kept_models import as_kept, read_kept
from faces.errors import FaceError
from faces.image_store import Category, ImageStore
from tasks.run_log import run_log

KEPT_KEY = "report-model-catalog-models"

_MOST_BYTES = 1 << 30
_MOST_REPORTS = 200
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
            artifact_filter=which, sort=ArtifactSort.CREATED_DESC, limit=_MOST_REPORTS
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
        models: The models (`catalog.reporting.models_frame.models_frame`).
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
        return read_kept(store.read(row["path"], _MOST_BYTES))
    except (FaceError, OSError, ValueError, KeyError, TypeError) as error:
        run_log(__name__).warning(
            "The models of an earlier report cannot be read (%s), so what has changed is told as "
            "far as servers tell it.",
            type(error).__name__,
        )
        return None

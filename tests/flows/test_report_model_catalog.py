"""The flow report-model-catalog: what has changed between two reports."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from flows.report_model_catalog import report_model_catalog
from storycanvas.catalog.reporting.reports import CatalogReport
from tasks.catalog.report import KEPT_KEY
from tests.support.flows.runs import forget, shown_by

HERO = {"model_id": "loras/hero.pt", "model_size": 7, "is_active": True, "backend_id": "box"}


@pytest.fixture(autouse=True)
def _first_report(only_user_of_artifact_keys: None) -> None:  # noqa: ARG001 - it keeps others out
    """No earlier run has kept anything."""
    forget(KEPT_KEY)


@pytest.fixture
def put(
    configured: Database[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Write fields of a model of one server."""
    monkeypatch.setenv("IMAGE_STORE", (tmp_path / "images").as_uri())

    def write(**fields: Any) -> None:
        which = {"id": "box/loras/hero.pt"}
        models = configured["active_backend_models"]
        models.update_one(which, {"$set": {**HERO, **fields}}, upsert=True)

    return write


def changes_in(report: CatalogReport) -> dict[object, tuple[object, object]]:
    return {row["column"]: (row["before"], row["after"]) for row in report.changed.rows}


def test_a_report_tells_what_changed_since_the_last_one_and_shows_no_former_rows(
    put: Callable[..., None],
) -> None:
    put(first_seen=datetime.now(UTC))
    first = report_model_catalog()
    long_ago = datetime.now(UTC) - timedelta(days=9)
    put(model_size=8, civitai_match_quality="high_confidence", first_seen=long_ago)

    state = report_model_catalog(return_state=True)

    second, (_, shown) = state.result(), shown_by(state)
    assert state.message == second.summary()
    assert (first.compared_with, first.changed.count) == (None, 0)
    assert second.compared_with is not None
    assert second.changed_models == 1
    assert changes_in(second) == {"size": (7, 8), "match_quality": (None, "high_confidence")}
    stored = Path(str(second.changed.stored_at).removeprefix("file://")).read_text()
    assert "box/loras/hero.pt,size,7,8" in stored
    assert shown["report-model-catalog-new"][0].data == "[]"


def test_without_an_earlier_report_it_lists_what_the_servers_report_anew(
    put: Callable[..., None],
) -> None:
    put(changed_at=datetime.now(UTC))

    report = report_model_catalog()

    assert (report.changed_models, report.changed.count) == (1, 1)


def test_an_earlier_report_that_is_lost_is_a_warning(
    put: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put()
    report_model_catalog()
    for file in (tmp_path / "images").rglob("*.ndjson.gz"):
        file.unlink()

    report = report_model_catalog()

    assert report.compared_with is None
    assert "earlier report cannot be read" in caplog.text

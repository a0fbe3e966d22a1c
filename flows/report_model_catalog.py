"""The flow `report-model-catalog`: what is new, gone, changed, unmatched or there twice.

Started each night as part of `maintain-model-catalog`, and by the operator at any time:

    from flows.report_model_catalog import report_model_catalog
    report = report_model_catalog(days=7)
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks.configured import image_store
from blocks.environment import Environment
from flows.parameters import unless_typed
from storycanvas.catalog.reporting.charts import models_plot
from storycanvas.catalog.reporting.reports import CatalogReport
from storycanvas.catalog.reporting.summary import catalog_lists, catalog_report
from tasks.artifacts import finished, publish_report
from tasks.catalog.report import (
    find_past_report,
    keep_models,
    read_models,
    report_artifacts,
    store_lists,
)
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(
    name="report-model-catalog",
    flow_run_name=unless_typed("report-model-catalog, days: {days}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def report_model_catalog(days: Annotated[int, Field(ge=1, le=3650)] = 1) -> CatalogReport:
    """Report on the models of all servers, as tables, CSV files and a plot.

    Args:
        days: How many days back new and gone models are listed; changes are those since the report
            nearest to then.

    Returns:
        Counts, the first rows of each list, and where the whole lists lie.
    """
    environment, now = Environment(), datetime.now(UTC)
    since = now - timedelta(days=days)
    with (
        opened_database(environment) as database,
        shown_progress("report-model-catalog-progress", "parts") as progress,
    ):
        models = read_models(database)
        store = image_store(environment).open()
        past = find_past_report(store, since)
        lists = catalog_lists(models, since, past.models if past else None)
        progress("Lists", 1, 2)
        stored = store_lists(store, lists, now)
        report = catalog_report(models, lists, since, stored, past.made_at if past else None)
        progress("Lists", 2, 2)
    publish_report(report.summary(), *report_artifacts(report, models_plot(lists["by_type"])))
    keep_models(store, models, now)  # last, so that changes which were not shown come again
    return finished(report)

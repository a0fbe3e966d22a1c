"""The flow `report-model-catalog`: what is new, gone, changed, unmatched or there twice.

Started each night as part of `maintain-model-catalog`, and by the operator at any time:

    from flows.report_model_catalog import report_model_catalog
    report = report_model_catalog(days=7)
"""

from typing import Annotated

from prefect import flow
from pydantic import Field

from storycanvas.catalog.reporting.reports import CatalogReport
from tasks.catalog.report import report_catalog


@flow(name="report-model-catalog", flow_run_name="report-model-catalog, days: {days}")
def report_model_catalog(days: Annotated[int, Field(ge=1, le=3650)] = 1) -> CatalogReport:
    """Report on the models of all servers, as tables, CSV files and a plot.

    Args:
        days: How many days back new and gone models are listed; what has changed is told from the
            report that was made nearest to then.

    Returns:
        Counts, the first rows of each list, and where the whole lists lie.
    """
    return report_catalog(days)

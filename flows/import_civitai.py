"""The flow `import-civitai`: models of Civitai's catalog.

Started each night as part of `maintain-model-catalog`, and by the operator with other filters or a
file:

    from flows.import_civitai import import_civitai
    report = import_civitai(types=["LORA"], base_models=["SDXL 1.0"])
"""

from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks.configured import civitai
from blocks.environment import Environment
from flows.parameters import FilePath, SearchText
from storycanvas.catalog.civitai.query import CivitaiQuery, ModelType, Period, SortOrder
from storycanvas.catalog.reporting.reports import ImportReport
from tasks.artifacts import publish_report
from tasks.catalog.import_civitai import import_file, import_pages, import_table
from tasks.database.connection import opened_database
from tasks.progress import shown_progress


@flow(name="import-civitai", flow_run_name="import-civitai")
def import_civitai(
    file: FilePath | None = None,
    types: list[ModelType] | None = None,
    base_models: list[SearchText] | None = None,
    sort: SortOrder = "Highest Rated",
    period: Period | None = None,
    nsfw: bool | None = None,
    query: SearchText | None = None,
    tag: SearchText | None = None,
    username: SearchText | None = None,
    max_pages: Annotated[int, Field(ge=1)] | None = None,
    restart: bool = False,
) -> ImportReport:
    """Bring `civitai_models` to what Civitai, or a file of it, holds now.

    An import that was stopped goes on where it was. What is unchanged costs no write.

    Args:
        file: A page, an array or a line for each item, plain or gzip; empty asks Civitai.
        types: Types of models; empty for all.
        base_models: Base models, such as SDXL 1.0; empty for all.
        sort: Which come first.
        period: Of which time the ranking is; empty for all time.
        nsfw: Whether adult models are wanted; empty leaves it to Civitai.
        query: Words of the name.
        tag: A tag.
        username: Who made them.
        max_pages: Most pages of a hundred to read now; the next run goes on there.
        restart: Whether to begin anew instead of where the last run was stopped.

    Returns:
        How many models are new, changed or unchanged, and which could not be read.
    """
    asked = CivitaiQuery(
        types=types or [],
        base_models=base_models or [],
        sort=sort,
        period=period,
        nsfw=nsfw,
        query=query,
        tag=tag,
        username=username,
    )
    environment = Environment()
    with (
        opened_database(environment) as database,
        shown_progress("import-civitai-progress", "items") as progress,
    ):
        if file:
            report = import_file(database, Path(file), progress, restart=restart)
        else:
            catalog = civitai(environment)
            report = import_pages(database, catalog, asked, max_pages, progress, restart=restart)
    not_imported = (f"Not imported: {problem}" for problem in report.problems)
    publish_report(report.summary(), import_table(report), warnings=not_imported)
    return report

"""The flow `import-civitai`: models of Civitai's catalog.

Started each night as part of `maintain-model-catalog`, and by hand with other filters or a file:

    from flows.import_civitai import import_civitai
    report = import_civitai(types=["LORA"], base_models=["SDXL 1.0"])
"""

from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks.configured import civitai
from blocks.environment import Environment
from flows.parameters import OptionalFilePath, OptionalSearchText, SearchText, unless_typed
from storycanvas.catalog.civitai.query import CivitaiQuery, ModelType, Period, SortOrder
from storycanvas.catalog.reporting.reports import ImportReport
from tasks.artifacts import finished, publish_report
from tasks.catalog.import_civitai import import_file, import_pages, import_table
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(
    name="import-civitai", flow_run_name=unless_typed("import-civitai"), validate_parameters=False
)
@failing_in_a_sentence
def import_civitai(
    file: OptionalFilePath = None,
    types: list[ModelType] | None = None,
    base_models: list[SearchText] | None = None,
    sort: SortOrder = "Highest Rated",
    period: Period | None = None,
    nsfw: bool | None = None,
    query: OptionalSearchText = None,
    tag: OptionalSearchText = None,
    username: OptionalSearchText = None,
    max_pages: Annotated[int, Field(ge=1)] | None = None,
    restart: bool = False,
) -> ImportReport:
    """Bring the catalog of Civitai's models up to date, from Civitai or from a file of it.

    An import that was stopped goes on where it was. What is unchanged costs no write.

    Args:
        file: Path of a file on the worker's machine, plain or gzip, with a page, an array or a line
            for each item; left empty, Civitai is asked.
        types: Types of the models that are imported; without a choice all are.
        base_models: Base models whose models are imported, such as SDXL 1.0; an empty list takes
            all.
        sort: Which models come first.
        period: Time that the ranking covers; without a choice it is all time.
        nsfw: On includes adult models, off again leaves them out, and untouched leaves it to
            Civitai.
        query: Words of the models' names; left empty, any name is imported.
        tag: A tag that the models have; left empty, any model is imported.
        username: Name of the author on Civitai; left empty, any author is imported.
        max_pages: Most pages of a hundred models that this run reads, and the next one goes on
            there; left empty, the list is read to its end.
        restart: Begins at the first page instead of where the last run stopped.

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
    return finished(report)

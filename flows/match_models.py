"""The flow `match-models`: which Civitai version each local model is.

Started each night as part of `maintain-model-catalog`, and by the operator after an import:

    from flows.match_models import match_models
    report = match_models()
"""

from prefect import flow

from blocks.configured import civitai
from blocks.environment import Environment
from flows.parameters import unless_typed
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.reporting.reports import MatchReport
from tasks.artifacts import finished, publish_report
from tasks.catalog.hash_lookup import LookedUp, look_up_hashes
from tasks.catalog.match import match_all, match_table
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(name="match-models", flow_run_name=unless_typed("match-models"), validate_parameters=False)
@failing_in_a_sentence
def match_models(ask_civitai: bool = True) -> MatchReport:
    """Link local models to Civitai's versions, by hash first, by name only where it is certain.

    Links that a person made or confirmed stay. Known models are put into `database_models`.

    Args:
        ask_civitai: Asks Civitai for hashes that the imported catalog does not have.

    Returns:
        How many models are linked in which way, and which are not.
    """
    environment = Environment()
    looked_up = LookedUp()
    with (
        opened_database(environment) as database,
        shown_progress("match-models-progress", "models") as progress,
    ):
        if ask_civitai:
            try:
                looked_up = look_up_hashes(database, civitai(environment))
            except CatalogError as error:  # the imported catalog still matches most models
                note = f"Civitai could not be asked for unknown hashes: {error}"
                looked_up = LookedUp(left_out=(note,))
        found = match_all(database, progress)
    notes = (*looked_up.left_out, *found.notes)
    report = found.model_copy(update={"looked_up": looked_up.models, "notes": notes})
    publish_report(report.summary(), match_table(report), warnings=notes)
    return finished(report)

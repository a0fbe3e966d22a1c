"""The flow `match-models`: which Civitai version each local model is.

Started each night as part of `maintain-model-catalog`, and by the operator after an import:

    from flows.match_models import match_models
    report = match_models()
"""

from prefect import flow

from storycanvas.catalog.reporting.reports import MatchReport
from tasks.catalog.match import match_catalog


@flow(name="match-models", flow_run_name="match-models")
def match_models(ask_civitai: bool = True) -> MatchReport:
    """Link local models to Civitai's versions, by hash first, by name only where it is certain.

    Links that a person made or confirmed stay. Known models are put into `database_models`.

    Args:
        ask_civitai: Whether to ask Civitai for hashes that the imported catalog does not have.

    Returns:
        How many models are linked in which way, and which are not.
    """
    return match_catalog(ask_civitai=ask_civitai)

"""The flow `maintain-model-catalog`: sync, import, match and report, one after the other.

Started by a schedule each night:

    from flows.maintain_model_catalog import maintain_model_catalog
    maintain_model_catalog()
"""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.import_civitai import import_civitai
from flows.match_models import match_models
from flows.parameters import unless_typed
from flows.report_model_catalog import report_model_catalog
from flows.sync_model_catalog import sync_model_catalog
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="maintain-model-catalog",
    flow_run_name=unless_typed("maintain-model-catalog"),
    validate_parameters=False,
)
@failing_in_a_sentence
def maintain_model_catalog(import_models: bool = True) -> State[Any]:
    """Bring the whole model catalog up to date, and report on it.

    A part that fails does not keep the later ones from their work with what is known.

    Args:
        import_models: Reads Civitai's catalog before matching; matching asks Civitai for unknown
            hashes in any case.

    Returns:
        Completed, or Failed with the names of the parts that failed.
    """
    states: dict[str, State[Any]] = {"sync-model-catalog": sync_model_catalog(return_state=True)}
    if import_models:
        states["import-civitai"] = import_civitai(return_state=True)
    states["match-models"] = match_models(return_state=True)
    states["report-model-catalog"] = report_model_catalog(return_state=True)
    failed = [f"{name}: {state.message}" for name, state in states.items() if state.is_failed()]
    if failed:
        return Failed(message=" ".join(failed))
    return Completed(message="The model catalog is up to date.")

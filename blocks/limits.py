"""The concurrency limits of GPU hosts and of Civitai, as code."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectAlreadyExists

CIVITAI_LIMIT = "civitai-api"
"""Every request to Civitai takes a slot of it; slots come free by themselves."""

CIVITAI_PERIOD_SECONDS = 1.0
"""Between two requests, of all processes together; read when the limit is created."""


def create_civitai_limit() -> bool:
    """Create the limit of requests to Civitai, and return True, unless it exists."""
    decay = 1.0 / CIVITAI_PERIOD_SECONDS
    return _create(
        GlobalConcurrencyLimitCreate(name=CIVITAI_LIMIT, limit=1, slot_decay_per_second=decay)
    )


def create_limit(name: str, slots: int) -> bool:
    """Create a limit, and return True, unless it exists; what the operator set in the UI stays.

    Args:
        name: The limit's name, from `FaceHost.limit_name`.
        slots: Operations that the host may run at one time.
    """
    return _create(GlobalConcurrencyLimitCreate(name=name, limit=slots))


def _create(limit: GlobalConcurrencyLimitCreate) -> bool:
    with get_client(sync_client=True) as client:
        try:
            client.create_global_concurrency_limit(limit)
        except ObjectAlreadyExists:
            return False
    return True

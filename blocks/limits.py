"""The concurrency limits of GPU hosts and of Civitai, as code."""

from contextlib import suppress

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

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


def delete_limit(name: str) -> bool:
    """Delete the limit of a host that is no more, and return True, unless there is none."""
    with get_client(sync_client=True) as client:
        try:
            client.delete_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return False
    return True


def _create(limit: GlobalConcurrencyLimitCreate) -> bool:
    with get_client(sync_client=True) as client:
        # Asked for first: Prefect's server answers 500 to a second one and logs a traceback.
        with suppress(ObjectNotFound):
            client.read_global_concurrency_limit_by_name(limit.name)
            return False
        try:
            client.create_global_concurrency_limit(limit)
        except ObjectAlreadyExists:
            return False
    return True

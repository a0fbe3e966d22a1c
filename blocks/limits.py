"""The concurrency limits of GPU hosts, as code."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectAlreadyExists


def create_limit(name: str, slots: int) -> bool:
    """Create a limit unless it exists; what the operator set in the UI stays.

    Args:
        name: The limit's name, from `FaceHost.limit_name`.
        slots: Operations that the host may run at one time.

    Returns:
        Whether it was created.
    """
    limit = GlobalConcurrencyLimitCreate(name=name, limit=slots)
    with get_client(sync_client=True) as client:
        try:
            client.create_global_concurrency_limit(limit)
        except ObjectAlreadyExists:
            return False
    return True

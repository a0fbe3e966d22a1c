"""Who holds the slots of a GPU host, for those who wait for one."""

import httpx

from tasks.gpu_limit import GpuLimit
from tasks.gpu_notes import described, read_notes


def holder_of(limit_name: str) -> str:
    """Say in half a sentence who holds the slots, as far as Prefect's server can tell now.

    Args:
        limit_name: The host's limit.
    """
    try:
        with GpuLimit(limit_name) as limit:
            return described([note for _, note in read_notes(limit.client, limit_name)])
    except httpx.HTTPError:
        return "Prefect's server does not answer"

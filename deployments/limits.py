"""Create the limits of face hosts and of Civitai: `python -m deployments.limits`."""

import logging
import sys

from blocks.configured import face_hosts
from blocks.environment import Environment
from blocks.face_host import FaceHost
from blocks.limits import CIVITAI_LIMIT, create_limit, create_rate_limit
from storycanvas.faces.errors import FaceError

log = logging.getLogger(__name__)


def create_host_limit(host: FaceHost) -> str:
    """Create a host's limit with as many slots as the host has, unless there is one.

    Args:
        host: The face host; when it does not answer, the limit gets one slot.

    Returns:
        What was done, in one sentence.
    """
    try:
        with host.client() as client:
            slots = client.status().gpu_slots
    except FaceError as error:
        log.warning("%s The limit gets one slot.", error)
        slots = 1
    if create_limit(host.limit_name, slots):
        return f"The limit {host.limit_name} was created with {slots} slot(s)."
    return f"The limit {host.limit_name} exists already and stays as it is."


def create_civitai_limit() -> str:
    """Create the limit that keeps requests to Civitai apart, unless there is one.

    Returns:
        What was done, in one sentence.
    """
    if create_rate_limit(CIVITAI_LIMIT, 1.0):
        return f"The limit {CIVITAI_LIMIT} was created: one request a second."
    return f"The limit {CIVITAI_LIMIT} exists already and stays as it is."


def main() -> int:
    """Create the limits of the hosts that runs on this machine would use."""
    for host in face_hosts(Environment()):
        print(create_host_limit(host))
    print(create_civitai_limit())
    return 0


if __name__ == "__main__":
    sys.exit(main())

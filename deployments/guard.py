"""Show what guards the face hosts now, and free leaked slots."""

import sys
import time
from collections.abc import Sequence

from prefect.settings import PREFECT_UI_URL

from blocks.configured import face_hosts
from blocks.environment import Environment
from blocks.face_host import FaceHost
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import FaceError
from storycanvas.gpu.guard.settings import DEFAULTS
from storycanvas.gpu.guard.status import (
    ResetRefused,
    check_reset,
    free_slots,
    read_state,
    state_lines,
)

REFUSED = 2
WATCH_SECONDS = DEFAULTS.lease + 15.0
"""A lease, and the time in which Prefect's server notices its end."""


def show(hosts: Sequence[FaceHost]) -> None:
    """Print the slots, holders and waiting runs of hosts."""
    for host in hosts:
        lines = state_lines(read_state(host.limit_name), _status(host), PREFECT_UI_URL.value())
        print("\n".join(lines))


def reset_named(name: str) -> int:
    """Free the slots of the configured host with this address or limit; returns as `reset` does."""
    hosts = face_hosts(Environment())
    named = [host for host in hosts if name in {host.url, host.limit_name}]
    if not named:
        known = ", ".join(host.url for host in hosts)
        print(f"{name} is not among the configured hosts: {known}", file=sys.stderr)
        return REFUSED
    return reset(named[0])


def reset(host: FaceHost, watch_seconds: float = WATCH_SECONDS) -> int:
    """Free the leaked slots of a host, unless something may still run.

    A slot is counted without a lease when Prefect's server died between counting it and writing
    its lease, or when its limit was switched off while it was given back. A slot that is freed
    while its lease runs would be freed once more when the lease ends, and two operations would run
    at once; so the slots are watched first.

    Args:
        host: The host.
        watch_seconds: How long slots must be without a living holder, longer than any lease.

    Returns:
        0, or 2 if they were left as they are.
    """
    print(f"Watching '{host.limit_name}' for {watch_seconds:.0f} s: a lease may still run out.")
    end = time.monotonic() + watch_seconds
    try:
        while True:
            state = read_state(host.limit_name)
            check_reset(state, _status(host))
            if state.taken == 0:
                print(f"{host.limit_name}: no slot is taken.")
                return 0
            if time.monotonic() >= end:
                break
            time.sleep(1)
    except ResetRefused as error:
        print(error, file=sys.stderr)
        return REFUSED
    free_slots(host.limit_name)
    print(f"{host.limit_name}: {state.taken} slot(s) counted without a lease; freed.")
    return 0


def _status(host: FaceHost) -> HostStatus | None:
    try:
        with host.client() as client:
            return client.status()
    except FaceError:
        return None


if __name__ == "__main__":
    from deployments.cli import app

    app(["guard", *sys.argv[1:]])

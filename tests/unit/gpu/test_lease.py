"""When a slot is surely held, and when its lease is asked for again."""

import time
from uuid import uuid4

import pytest

from storycanvas.gpu.guard.limit import Lease
from storycanvas.gpu.guard.settings import DEFAULTS

# Seconds since it was asked for; since a renewal failed; whether it holds; when it is asked again.
LEASES = {
    "new": (0.0, None, True, DEFAULTS.renew),
    "a renewal is due": (DEFAULTS.renew, None, True, 0.0),
    "a renewal failed": (DEFAULTS.renew, 0.0, False, DEFAULTS.renew_again),
    "it failed a while ago": (30.0, DEFAULTS.renew_again, False, 0.0),
    "it ran out": (DEFAULTS.lease, None, False, DEFAULTS.renew - DEFAULTS.lease),
}


@pytest.mark.parametrize("case", LEASES.values(), ids=LEASES)
def test_a_slot_is_sure_only_on_a_lease_that_runs_and_was_renewed(
    case: tuple[float, float | None, bool, float],
) -> None:
    asked, failed, sure, renewal_in = case
    now = time.monotonic()
    lease = Lease(uuid4(), now - asked, failed_at=None if failed is None else now - failed)

    assert lease.sure is sure
    assert lease.renew_at - now == pytest.approx(renewal_in)

"""When a slot is surely held, and when its lease is asked for again."""

import time
from uuid import uuid4

import pytest

from storycanvas.gpu.guard.limit import LEASE_SECONDS, RENEW_AGAIN_SECONDS, RENEW_SECONDS, Lease

# Seconds since it was asked for; since a renewal failed; whether it holds; when it is asked again.
LEASES = {
    "new": (0.0, None, True, RENEW_SECONDS),
    "a renewal is due": (RENEW_SECONDS, None, True, 0.0),
    "a renewal failed": (RENEW_SECONDS, 0.0, False, RENEW_AGAIN_SECONDS),
    "it failed a while ago": (30.0, RENEW_AGAIN_SECONDS, False, 0.0),
    "it ran out": (LEASE_SECONDS, None, False, RENEW_SECONDS - LEASE_SECONDS),
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

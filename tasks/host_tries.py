"""An operation that fails for a host's fault is tried on another host, without any waiting."""

from collections.abc import Callable
from typing import TypeVar

from faces.errors import FaceError
from tasks.errand import Errand
from tasks.farm_slot import FarmSlot
from tasks.host_farm import HostFarm
from tasks.run_log import run_log
from tasks.slot_wishes import Wish, next_number

T = TypeVar("T")


def carry_out(farm: HostFarm, errand: Errand, work: Callable[[FarmSlot], T]) -> T:
    """Do an errand, each try on a host that has not failed yet.

    Args:
        farm: The hosts.
        errand: What to do.
        work: Makes one try: it takes the slot and does all that the host is needed for.

    Returns:
        What the work returned.

    Raises:
        FaceError: The picture's or the parameters' fault, or that of the last host that could be
            tried.
        GuardClosed: No host is left whose limit guards.
        SlotWaitTimedOut: No slot came free in time.
    """
    number, failed = next_number(), frozenset[str]()
    while True:
        wish = Wish(errand.run, errand.run_id, errand.priority, number)
        slot = FarmSlot(farm, errand, wish, failed)
        try:
            return work(slot)
        except FaceError as error:
            host = slot.blame(error)
            if host is None:
                raise
            failed |= {host.name}
            if not _can_go_on(farm, errand, failed):
                raise
            said = "%s could not do it (%s); another host is tried."
            run_log(__name__).warning(said, host.name, error)


def _can_go_on(farm: HostFarm, errand: Errand, failed: frozenset[str]) -> bool:
    """Look for another host that can do it now; for one that may come back the task waits."""
    able = farm.able(errand.operation, errand.engine)
    return any(host.name not in failed and farm.is_ready(host) for host in able)

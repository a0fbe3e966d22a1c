"""What happens before the first step of a plan: ask the hosts, fetch the pictures."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from faces.contract import HostStatus
from faces.plan import Plan, PlanPicture
from faces.references import input_address
from tasks.retrying import may_pass, patient
from tasks.road import Road
from tasks.run_step import Made, Order


@task(cache_policy=NO_CACHE, task_run_name="ask host", retry_condition_fn=may_pass)
def ask_host(road: Road) -> HostStatus:
    """Ask the face hosts which engine they run, and choose that of most of them.

    Raises:
        FaceError: None can work now; retried, for that may pass.
    """
    return road.farm.status()


@task(cache_policy=NO_CACHE, task_run_name="fetch {picture.name}", retry_condition_fn=may_pass)
def fetch(road: Road, order: Order, picture: PlanPicture) -> Made:
    """Fetch and normalise a picture of a plan.

    Raises:
        FaceError: It cannot be found or read.
    """
    reference = picture.reference
    found = road.fetch(reference)
    if not order.looks_only:
        reference = input_address(reference, found, road.store, datetime.now(UTC))
    return Made(picture.name, reference, found.sha256, picture=found)


def make_order(road: Road, character_id: str, *, force: bool, priority: int = 0) -> Order:
    """Find out with which engine a character's plans are run.

    Args:
        road: What the run works with.
        character_id: Whose history and gallery show the results.
        force: Whether operations that were done before are done again.
        priority: Larger goes first among all that wait for a GPU host.

    Raises:
        FaceError: No host can work.
    """
    asking = patient(ask_host, road.environment)
    return Order(character_id, asking(road), force, priority=priority)


def fetch_all(road: Road, order: Order, plan: Plan) -> dict[str, Made]:
    """Fetch the pictures of a plan, side by side.

    Returns:
        What was fetched, by the plan's names.

    Raises:
        FaceError: One of them cannot be found or read.
    """
    work = patient(fetch, road.environment)
    fetching = {picture.name: work.submit(road, order, picture) for picture in plan.pictures}
    return {name: future.result() for name, future in fetching.items()}

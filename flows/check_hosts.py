"""The flow `check-hosts`: whether everything that runs depend on is there.

Started by a schedule, as often as every 30 seconds:

    from flows.check_hosts import check_hosts
    print(check_hosts().summary())
"""

from prefect import flow

from storycanvas.catalog.health.report import HealthReport
from tasks.health.check import check_and_show


@flow(name="check-hosts", flow_run_name="check-hosts")
def check_hosts() -> HealthReport:
    """Look at every face host, ComfyUI server, MongoDB and the image store, all at once.

    A host that is not up does not fail the run: the report says so, and a Prefect event
    `storycanvas.host.down` or `storycanvas.host.up` tells when one went away or came back. Without
    the database the history has a gap; everything else works.

    Returns:
        Each host's state, latency, version, queue, GPU guard and free disk, as far as it tells.
    """
    return check_and_show()

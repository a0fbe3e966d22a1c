"""The flow `check-hosts`: whether everything that runs depend on is there.

Started by a schedule, as often as every 30 seconds:

    from flows.check_hosts import check_hosts
    print(check_hosts().summary())
"""

from prefect import flow

from blocks.environment import Environment
from flows.parameters import unless_typed
from storycanvas.catalog.health.report import HealthReport
from tasks.artifacts import finished, publish_report
from tasks.health import history
from tasks.health.check import collect_hosts, hosts_artifacts
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(name="check-hosts", flow_run_name=unless_typed("check-hosts"), validate_parameters=False)
@failing_in_a_sentence
def check_hosts() -> HealthReport:
    """Check every face host, ComfyUI server, MongoDB and the image store, all at once.

    A host that is not up does not fail the run: it stands in the report, and a Prefect event
    `storycanvas.host.down` or `storycanvas.host.up` is emitted when it went away or came back.
    Without the database the history has a gap; everything else works.

    Returns:
        Each host's state, latency, version, queue, GPU guard and free disk, where it reports them.
    """
    with shown_progress(history.PROGRESS_KEY, unit="hosts") as progress:
        report, day = collect_hosts(Environment())
        progress("checked", len(report.checks), len(report.checks))
        publish_report(report.summary(), *hosts_artifacts(report, day), warnings=report.lines())
    history.drop_looks_before(report.checked_at - history.LOOKS_KEPT)
    return finished(report)

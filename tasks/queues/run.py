"""A drain as a whole flow: drain, show what became of each job, and tell the end."""

from collections.abc import Callable
from typing import cast

from prefect.states import Completed

from tasks.artifacts import ReportArtifact
from tasks.faces.context import RunContext, open_run_context
from tasks.queues.drain import Drain, DrainRules
from tasks.queues.report import DrainReport
from tasks.queues.standing import Place, drop_waiting_runs, open_when_there
from tasks.queues.work import Work
from tasks.run_names import renamed_with


def run_drain(make_work: Callable[[RunContext], Work], rules: DrainRules) -> DrainReport:
    """Drain a queue as a whole flow.

    Args:
        make_work: Makes what works on the queue's documents.
        rules: How long, and what.

    Returns:
        The report, within the state that the flow returns.
    """
    stands = rules.wait_seconds is None
    opening = open_when_there(rules.run_minutes) if stands else open_run_context(guarded=False)
    with opening as context:
        drop_waiting_runs()
        place = Place() if stands else None
        report, interrupt = Drain(context, make_work(context), rules, place).run()
        if report.jobs:
            rows = [job.model_dump() for job in report.jobs]
            ReportArtifact(f"{context.flow_name}-jobs", rows).publish(report.summary())
        if interrupt is not None:
            raise interrupt
        renamed_with(report.words())
    return cast("DrainReport", Completed(message=report.summary(), data=report))

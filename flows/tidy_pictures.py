"""The flow `tidy-pictures`: moves pictures that nothing needs to the trash of the image store.

A schedule looks each week; a person starts the move, after a look at the counts. It needs the
database and the image store:

    from flows.tidy_pictures import tidy_pictures
    report = tidy_pictures(days=90)
"""

from datetime import UTC, datetime

from prefect import flow
from prefect.runtime import flow_run

from blocks.configured import open_image_store
from blocks.environment import Environment
from flows.parameters import PurgeDays, unless_typed
from storycanvas.faces.tidying.report import TidyReport
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.pictures.tidy import NAME, TidyRules, find_unneeded, tidy, tidy_table


def _run_name() -> str:
    looks = flow_run.parameters.get("dry_run", True)
    return f"{NAME} (dry run)" if looks else f"{NAME} (moves)"


@flow(name=NAME, flow_run_name=unless_typed(_run_name), validate_parameters=False)
@failing_in_a_sentence
def tidy_pictures(
    days: PurgeDays = 30, trash_days: PurgeDays = 14, dry_run: bool = True
) -> TidyReport:
    """Move pictures that no document names to the trash, and remove them from it later.

    A picture that any document of the database names stays, deleted documents included, and so do
    the newest 20 contact sheets of each character and what is younger than some days. What a forced
    run replaced, older sheets, archives of runs and half-written files go. A document that names a
    picture in the trash gets it back at the next run.

    Args:
        days: Days since a file was last written, 1 to 36500; younger files stay.
        trash_days: Days in the trash, 1 to 36500, after which a file is removed for good.
        dry_run: While this is on, the run only counts; switch it off to move and remove files.

    Returns:
        Files and bytes by category and month, and what was moved, removed and restored.
    """
    store = open_image_store(Environment())
    rules = TidyRules(days, trash_days, datetime.now(UTC))
    with opened_database() as database:
        findings = find_unneeded(database, store, rules)
        report = findings.report() if dry_run else tidy(database, store, findings)
    publish_report(report.summary(), tidy_table(report), dry_run=dry_run)
    return finished(report, dry_run=dry_run)

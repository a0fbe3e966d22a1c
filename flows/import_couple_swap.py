"""The flow `import-couple-swap`: a couple face-swap database becomes part of StoryCanvas.

Started by the operator after `init-db`, once or again after more was added there. It needs the
database and the source, PostgreSQL or a folder of CSV files:

    from flows.import_couple_swap import import_couple_swap
    report = import_couple_swap(csv_folder="export", dry_run=True)
"""

from prefect import flow

from blocks.environment import Environment
from db.couple_import.report import ImportReport
from db.couple_import.run import Processing
from flows.parameters import OptionalText, dry_run_name, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.import_couple_swap import (
    choose_source,
    import_rows,
    import_table,
    import_warnings,
)
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="import-couple-swap", flow_run_name=unless_typed(dry_run_name), validate_parameters=False
)
@failing_in_a_sentence
def import_couple_swap(
    csv_folder: OptionalText = None,
    postgres_url: OptionalText = None,
    processing: Processing = "requeue",
    dry_run: bool = False,
) -> ImportReport:
    """Load a couple face-swap database of any version, each row once.

    What was imported before stays as it is, but for tasks that wait and have ended in the app, and
    for what an earlier import did not bring. A user with the e-mail address of a StoryCanvas user
    is that user. A row that has no place is listed, and so are the rows that point to it. With
    neither source given, the variable COUPLE_SWAP_POSTGRES_URL names the database.

    Args:
        csv_folder: Folder on the worker's machine that holds users.csv and the other tables.
        postgres_url: PostgreSQL connection string, without a password because Prefect shows it;
            left empty, the worker's COUPLE_SWAP_POSTGRES_URL is used.
        processing: What becomes of tasks that the app is processing and has no result of: they
            wait to be done here, or are kept as they are.
        dry_run: While this is on, the run only reports what it would import; switch it off to
            import.

    Returns:
        What became of the rows of each table, and the rows that have no place.
    """
    source = choose_source(csv_folder, postgres_url, Environment())
    with opened_database() as database:
        report = import_rows(database, source, dry_run=dry_run, processing=processing)
    publish_report(
        report.summary(),
        import_table(report),
        lines=report.lines(),
        warnings=import_warnings(report),
        dry_run=dry_run,
    )
    return finished(report, dry_run=dry_run)

"""The flow `init-db`: every collection, validator and index as in the registry.

Started by the operator before the first run and after each upgrade, and each night by a schedule
that creates what is missing and changes nothing else. It needs the database and nothing else:

    from flows.init_db import init_db
    report = init_db(dry_run=True)
"""

from prefect import flow

from db.setup.compare import ValidationAction
from db.setup.report import InitReport
from flows.parameters import dry_run_name, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.changes import tell_change
from tasks.database.connection import opened_database
from tasks.database.initialise import (
    InitialisationBlocked,
    drift,
    initialisation_table,
    initialise_database,
    person_warnings,
)
from tasks.log_lines import failing_in_a_sentence


@flow(name="init-db", flow_run_name=unless_typed(dry_run_name), validate_parameters=False)
@failing_in_a_sentence
def init_db(
    validation_action: ValidationAction = "as it is",
    dry_run: bool = False,
    only_missing: bool = False,
) -> InitReport:
    """Create the collections and indexes that are missing and repair those that differ.

    Args:
        validation_action: What MongoDB does with invalid documents: warn writes them to its log,
            error refuses them, and as it is changes nothing (a new database warns).
        dry_run: While this is on, the run only reports what it would change; switch it off to
            change the database.
        only_missing: While this is on, the run only creates what is missing; what differs or is
            blocked is reported and does not fail it.

    Returns:
        Every collection, validator and index, and what became of it.
    """
    with opened_database(as_it_is=True) as database:
        report = initialise_database(
            database, validation_action, only_missing=only_missing, dry_run=dry_run
        )
        tell_change(database, drift(report))
    publish_report(
        report.summary(),
        initialisation_table(report),
        lines=report.lines(),
        warnings=person_warnings(report),
        dry_run=dry_run,
    )
    if report.blocked and not only_missing:
        raise InitialisationBlocked(report)
    return finished(report, dry_run=dry_run)

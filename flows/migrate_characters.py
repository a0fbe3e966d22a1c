"""The flow `migrate-characters`: the three FaceFusion fields of every character, repaired.

Started by the operator whenever characters of the older app came in; it is migration 1, and may
be run again at any time. It needs the database and nothing else:

    from flows.migrate_characters import migrate_characters
    report = migrate_characters(dry_run=True)
"""

from prefect import flow

from db.migrations.characters import CharacterMigrationReport
from flows.parameters import dry_run_name, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.migrate import (
    CHARACTERS_KEY,
    count_characters,
    kept_warnings,
    migration_table,
    migration_warnings,
    repair_characters,
)
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="migrate-characters", flow_run_name=unless_typed(dry_run_name), validate_parameters=False
)
@failing_in_a_sentence
def migrate_characters(dry_run: bool = False, keep_ttl: bool = False) -> CharacterMigrationReport:
    """Give every character the FaceFusion fields that are missing, null or of a wrong type.

    What is valid stays as it is, and migrate-db can give back what was there before. A value of the
    right type that is invalid, such as a blend of 1.7, is kept and listed.

    Args:
        dry_run: While this is on, the run only reports what it would change; switch it off to
            change the database.
        keep_ttl: Changes fields of TTL indexes, too, after which MongoDB removes the documents that
            are older than such an index allows.

    Returns:
        How many characters have each field, before and after, and what was changed.
    """
    with opened_database() as database:
        before = count_characters(database)
        migration = repair_characters(database, dry_run=dry_run, keep_ttl=keep_ttl)
        after = before if dry_run else count_characters(database, before)
    report = CharacterMigrationReport(before=before, migration=migration, after=after)
    publish_report(
        report.summary(),
        migration_table(CHARACTERS_KEY, migration.moves),
        lines=report.lines(),
        warnings=[*migration_warnings(migration), *kept_warnings(report)],
        dry_run=dry_run,
    )
    return finished(report, dry_run=dry_run)

"""The flow `import-couple-swap`: a couple face-swap database becomes part of StoryCanvas.

Started by the operator after `init-db`, once or again after more was added there. It needs the
database and the source, PostgreSQL or a folder of CSV files:

    from flows.import_couple_swap import import_couple_swap
    report = import_couple_swap(csv_folder="export", dry_run=True)
"""

from prefect import flow

from db.couple_import.report import ImportReport
from flows.parameters import dry_run_name
from tasks.database.import_couple_swap import load_couple_swap


@flow(name="import-couple-swap", flow_run_name=dry_run_name)
def import_couple_swap(
    csv_folder: str | None = None, postgres_url: str | None = None, dry_run: bool = False
) -> ImportReport:
    """Load users, images, templates, face-swap tasks and crawl tasks, each row once.

    What was imported before stays as it is. A user with the e-mail address of a StoryCanvas user
    is that user. A row that has no place is listed, and so are the rows that point to it. With
    neither source given, the variable COUPLE_SWAP_POSTGRES_URL names the database.

    Args:
        csv_folder: Folder on the worker's machine that holds users.csv and the other tables.
        postgres_url: PostgreSQL connection string without a password, which Prefect would show.
        dry_run: Whether to look only and change nothing.

    Returns:
        What became of the rows of each table, and the rows that have no place.
    """
    return load_couple_swap(csv_folder, postgres_url, dry_run=dry_run)

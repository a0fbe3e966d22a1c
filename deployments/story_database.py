"""Bringing a database up to date when the stack starts or a server is registered.

A database that the stack started itself is repaired; in one that a person named, only what is
missing is created. What keeps that from being done is told, and keeps nothing else from starting.
"""

import os
from collections.abc import Iterator

from db.connection import LONG_ANSWER_SECONDS, connect
from db.connection_string import ConnectionString
from db.errors import DatabaseError
from db.setup.apply import initialise
from db.setup.report import InitReport, words
from storycanvas.net.wording import counted


def chosen_database(url: str) -> str:
    """Choose the database of a server: that of `DB_NAME`, of the address, or the default."""
    return ConnectionString.of(url).choose(os.environ.get("DB_NAME"), "DB_NAME")[0]


def update_sentences(report: InitReport) -> Iterator[str]:
    """Tell what was created or repaired and what is not as it should be, a line each.

    A collection that was created stands for all its parts.
    """
    new = [finding.name for finding in report.of("created") if finding.kind == "collection"]
    if new:
        made = counted(len(new), "collection")
        yield f"created {made} with validators and indexes: {', '.join(new)}"
    for finding in report.changed:
        if finding.collection not in new:
            reason = f": {finding.reason}" if finding.reason else ""
            yield f"{finding.outcome} the {finding.kind} {finding.place}{reason}"
    for finding in report.of("different", "blocked"):
        yield f"{words(finding.outcome, dry_run=False)}: {finding}"


def complete_database(url: str, name: str) -> Iterator[str]:
    """Create what a database lacks, and tell that, or in a sentence why it was not done."""
    try:
        database = connect(url, name, answer_seconds=LONG_ANSWER_SECONDS, tries=1)
        try:
            report = initialise(database, only_missing=True)
        finally:
            database.client.close()
    except DatabaseError as error:
        yield f"the database could not be brought up to date: {error}"
    else:
        yield from update_sentences(report)

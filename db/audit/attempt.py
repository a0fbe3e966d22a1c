"""One part of an audit, whose failure does not end the others."""

from collections.abc import Callable, Iterable

from db.audit.report import AuditFinding
from db.connection import translated_errors
from db.errors import OperationRefused


def attempted(
    part: str, collection: str, look: Callable[[], Iterable[AuditFinding]]
) -> list[AuditFinding]:
    """Do a part of an audit, or find that it could not be done.

    Args:
        part: What is looked at.
        collection: Where.
        look: Looks and finds.

    Returns:
        What was found, or the one finding that the server cannot do this here.

    Raises:
        db.errors.DatabaseUnreachable: The connection failed.
        db.errors.DatabaseRefused: The user may not do this.
    """
    try:
        with translated_errors():
            return [*look()]
    except OperationRefused as error:
        return [not_looked_at(part, collection, str(error))]


def not_looked_at(part: str, collection: str, remedy: str) -> AuditFinding:
    """Find that a part of the audit could not be done.

    Args:
        part: What should have been looked at.
        collection: Where.
        remedy: Why not, and what a person should do about it.
    """
    return AuditFinding(
        kind="not looked at", collection=collection, subject=part, count=0, remedy=remedy
    )

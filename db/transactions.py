"""Several writes in one transaction, where the server supports it."""

from collections.abc import Callable
from typing import TypeVar

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from db.connection import Document
from db.errors import TransactionUnfinished

T = TypeVar("T")


def can_transact(database: Database[Document]) -> bool:
    """Ask the server whether it is part of a replica set or of a sharded cluster."""
    hello = database.client.admin.command("hello")
    return bool(hello.get("setName")) or hello.get("msg") == "isdbgrid"


def in_one_transaction(
    database: Database[Document], work: Callable[[ClientSession | None], T]
) -> T:
    """Run `work` in a transaction with its session, or with None on a standalone server.

    `work` may be called again, and must be repeatable in both cases. The server ends a transaction
    after its `transactionLifetimeLimitSeconds`, 60 s unless it is set otherwise, and cannot hold
    more than its cache has room for: 30 000 changed documents were well in a cache of 256 MB,
    110 000 were too many. A transaction whose process was killed keeps its documents from others
    until its 60 s are over. The driver begins anew, for up to 120 s, when a transaction ended
    early; `TransactionUnfinished` means that no attempt was committed and nothing has changed.
    """
    if not can_transact(database):
        return work(None)
    with database.client.start_session() as session:
        try:
            return session.with_transaction(
                work,
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
            )
        except PyMongoError as error:
            late = error.timeout or error.has_error_label("TransientTransactionError")
            if isinstance(error, ConnectionFailure) or not late:
                raise
            raise TransactionUnfinished(
                "The transaction did not come to its end, and nothing was changed: another one "
                "holds its documents, or they are too many for one; try again later, or begin "
                "with smaller parts, such as the scenes of a project."
            ) from error

"""Records an operation and dies, as by kill -9, right before its n-th write: URL DATABASE N."""

import os
import sys

from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from db.ledger.record import record_operation
from tests.support.db.records import NOW, record

KILLED = 9


class Killer(CommandListener):
    """Counts writes as they leave for the server."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in {"insert", "update"}:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


if __name__ == "__main__":
    url, name, fatal = sys.argv[1:]
    client = MongoClient(url, event_listeners=[Killer(int(fatal))], tz_aware=True)
    record_operation(client[name], record(), NOW)

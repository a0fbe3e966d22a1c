"""Syncs, imports and matches in forks of this process, each of which dies before its n-th write.

Each line of standard input is a JSON list: MongoDB's URL, database, server, file and N, which is 0
for a run that does not die by itself. Written are the fork's pid, then its exit code. Forks spare
each run the seconds that importing pandas and Prefect takes.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from db.catalog.matches.local_models import local_models
from db.catalog.matches.write import write_matches
from db.catalog.servers import record_server, servers_for_urls
from storycanvas.catalog.civitai.files import read_file
from storycanvas.catalog.comfyui.server import read_server
from tasks.catalog.import_session import ImportSession
from tasks.catalog.match import match_batch
from tasks.catalog.sync import update_models
from tests.support.db.killed import Killer

BATCH = 50


def bring_up_to_date(database: Database[dict[str, Any]], url: str, file: Path) -> None:
    """Do what the three flows do, in small batches."""
    (server,) = servers_for_urls(database, [url])
    reading = read_server(server.url)
    assert reading.listing is not None
    now = datetime.now(UTC)
    count = len(reading.listing.entries)
    record_server(database, server, reading.status, reading.capabilities, reading.error, count, now)
    update_models(database, server.backend, reading.listing, now)
    session = ImportSession(database, "the file", restart=False)
    items = [*read_file(file, start=session.state.position)]
    for begin in range(0, len(items), BATCH):
        session.store_batch(items[begin : begin + BATCH])
    session.report("the file", "Its end was reached.", complete=True)
    for models in local_models(database, BATCH):
        write_matches(database, match_batch(database, models, searches=0), datetime.now(UTC))


def run(mongo_url: str, name: str, server_url: str, path: str, fatal: int) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(
        mongo_url, event_listeners=[Killer(fatal)], tz_aware=True
    )
    bring_up_to_date(client[name], server_url, Path(path))


if __name__ == "__main__":
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            run(*json.loads(line))
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

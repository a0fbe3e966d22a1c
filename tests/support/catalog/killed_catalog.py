"""Syncs, imports and matches, and dies before its n-th write: URL DATABASE SERVER FILE N.

It says `ready` when it begins. With 0 it does not die by itself.
"""

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
from tasks.catalog.import_civitai import ImportSession
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
    intake = ImportSession(database, "the file", restart=False)
    items = [*read_file(file, start=intake.state.position)]
    for begin in range(0, len(items), BATCH):
        intake.store_batch(items[begin : begin + BATCH])
    intake.report("the file", "Its end was reached.", complete=True)
    for models in local_models(database, BATCH):
        write_matches(database, match_batch(database, models, searches=0), datetime.now(UTC))


if __name__ == "__main__":
    mongo_url, name, server_url, path, fatal = sys.argv[1:]
    client: MongoClient[dict[str, Any]] = MongoClient(
        mongo_url, event_listeners=[Killer(int(fatal))], tz_aware=True
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    bring_up_to_date(client[name], server_url, Path(path))

"""Imports CSV files and dies, as by kill -9, right before its n-th write: URL DATABASE FOLDER N."""

import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from db.couple_import.csv_source import CsvSource
from db.couple_import.run import import_tables
from tests.support.db.killed_recording import Killer

if __name__ == "__main__":
    url, name, folder, fatal = sys.argv[1:]
    client: MongoClient[dict[str, Any]] = MongoClient(
        url, event_listeners=[Killer(int(fatal))], tz_aware=True
    )
    import_tables(client[name], CsvSource(Path(folder)))

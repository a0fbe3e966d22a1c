"""Documents as the app's back end wrote them, and a writer that writes them again and again.

    TEST_APP_BACKEND=<folder> TEST_APP_PYTHON=<python> python -m tests.support.app_documents

makes the recording anew: all that the back end stores for one round of a client's writes.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from bson import json_util
from pymongo.database import Database

from db.connection import connect
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.app_backend import LOCAL_MODEL, app_backend
from tests.support.db.database_state import documents

RECORDING = Path(__file__).parent / "db" / "app_documents.json"
ROUND = 7777
"""The number in the names of the recorded round."""
PARENTS = {"projects", "scenes"}
"""Written first, as by a client, who needs their ids for everything else."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class AppWriter:
    """Writes what one client of the app writes, each round with ids and names of its own."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database
        self._recorded: dict[str, list[dict[str, Any]]] = json_util.loads(RECORDING.read_text())

    def write(self, number: int) -> None:
        """Write the documents of a round, and change those of the round before as a client does."""
        for collection, recorded in self._recorded.items():
            self._database[collection].insert_many(_of_round(each, number) for each in recorded)
        for clip in self._recorded["clips"]:
            change = {"image_prompt": "a boat", "updated_at": clip["updated_at"]}
            known = {"id": _of_round(clip, number - 1)["id"]}
            self._database["clips"].update_one(known, {"$set": change})


def _of_round(value: Any, number: int) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(value, str):
        own = _UUID.sub(lambda found: str(uuid5(NAMESPACE_OID, f"{found[0]} {number}")), value)
        return own.replace(str(ROUND), str(number))
    if isinstance(value, list):
        return [_of_round(part, number) for part in value]
    if isinstance(value, dict):
        return {name: _of_round(part, number) for name, part in value.items()}
    return value


def record() -> None:
    """Let the back end write one round into an empty database, and keep what it stored."""
    with (
        tempfile.TemporaryDirectory() as folder,
        acquire(Mongod(standalone=True), Path(folder)) as lease,
        app_backend(Path(folder), lease.url, "story") as client,
    ):
        database = connect(lease.url, "story")
        database["database_models"].insert_one({**LOCAL_MODEL})
        client.ids["model_id"] = [LOCAL_MODEL["id"]]
        client.write(ROUND)
        found = documents(database)
        stored = {
            name: [
                {key: part for key, part in each.items() if key != "_id"} for each in found[name]
            ]
            for name in sorted(found, key=lambda name: (name not in PARENTS, name))
            if found[name] and name != "database_models"
        }
        database.client.close()
    RECORDING.write_text(json_util.dumps(stored, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(record())

"""A server that is gone is told within one choice of a server, by everything that reads or writes.

A deadline of the driver around the work, as it was once, has a read repeated until the deadline:
the work on whole collections then waited for six hours.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from db.audit.audit import audit
from db.catalog.civitai.item_writes import StoredItem
from db.catalog.civitai.items import upsert_items
from db.catalog.listing.sync import sync_models
from db.catalog.matches.candidates import CandidateKeys, find_candidates
from db.catalog.matches.links import MatchRow
from db.catalog.matches.local_models import local_models
from db.catalog.matches.write import write_matches
from db.connection import LONG_ANSWER_SECONDS, connect
from db.couple_import.csv_source import CsvSource
from db.couple_import.run import import_tables
from db.errors import DatabaseUnreachable
from db.inference.seed import seed_inference
from db.ledger import OperationLedger
from db.migrations.characters import character_statistics
from db.pictures.names import named_hashes
from db.pictures.results import results_of
from db.preferred_settings import read_gallery_history
from db.setup.apply import initialise
from db.soft_delete.purge import Purge
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.catalog.catalog_rows import BOX, listing
from tests.support.db.database_state import Data
from tests.support.db.migrating import migrator
from tests.support.db.stories import NOW

SAMPLES = Path(__file__).parents[2] / "support" / "db" / "couple_samples"
CHOICE = "serverSelectionTimeoutMS=100"
AT_MOST_SECONDS = 5.0
UNKNOWN = MatchRow("a", "a.safetensors", "lora", None, "", (), ("box",))

WORKS: dict[str, Callable[[Data], object]] = {
    "init-db": initialise,
    "audit-db": partial(audit, now=NOW),
    "purge-deleted": lambda database: Purge(database, NOW, dry_run=True).count(),
    "purge-deleted, removal": lambda database: Purge(database, NOW, dry_run=False).remove(),
    "tidy-pictures": lambda database: named_hashes(database, {"0" * 64}),
    "show-gallery": lambda database: results_of(database, "c"),
    "learn-preferences": lambda database: read_gallery_history(database, "c"),
    "apply-picture": lambda database: OperationLedger(database).pictures_with("0"),
    "migrate-db": lambda database: migrator(database).apply("latest"),
    "migrate-db, dry run": lambda database: migrator(database).dry_run("latest"),
    "migrate-characters": character_statistics,
    "seed-inference-configurations": seed_inference,
    "import-couple-swap": lambda database: import_tables(database, CsvSource(SAMPLES)),
    "sync-model-catalog": lambda database: sync_models(
        database, BOX, listing(), complete=True, now=NOW
    ),
    "import-civitai": lambda database: upsert_items(
        database, [StoredItem(1, {"id": 1}, "hash")], NOW, "1"
    ),
    "match-models": lambda database: [*local_models(database, 10)],
    "match-models, candidates": lambda database: find_candidates(
        database, CandidateKeys(file_keys=["a"])
    ),
    "match-models, links": lambda database: write_matches(database, [UNKNOWN], NOW),
}


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    """A database that was opened for long work, and whose server has been killed since."""
    with acquire(Mongod(standalone=True), tmp_path_factory.mktemp("lost")) as lease:
        opened = connect(f"{lease.url}&{CHOICE}", "story", answer_seconds=LONG_ANSWER_SECONDS)
        os.kill(lease.record.pid, signal.SIGKILL)
        yield opened
        opened.client.close()


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_work_on_a_server_that_is_gone_ends_with_a_sentence(
    lost: Data, work: Callable[[Data], object]
) -> None:
    began = time.monotonic()

    with pytest.raises(DatabaseUnreachable, match="MongoDB does not answer"):
        work(lost)

    assert time.monotonic() - began < AT_MOST_SECONDS

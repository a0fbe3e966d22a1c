"""The audit of characters, the storing of Civitai's models and the demo, beside another commit's.

    python -m benchmarks.beside_commit COMMIT [--rounds 3] [--pieces audit models demo]

Each piece of work runs in turns with the code of this checkout and with that of the commit, each
time in a process and on a server of its own. The exit code is 1 when the middle ratio of a piece is
above its bound.
"""

import argparse
import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

HERE = Path(__file__).resolve()

CHARACTERS, MODELS, BATCH = 50_000, 18_000, 1000
ITEM: dict[str, Any] = {
    "description": "<p>A model of houses by the sea.</p>" * 20,
    "type": "LORA",
    "creator": {"username": "maker", "image": None},
    "tags": [f"tag {number}" for number in range(12)],
    "stats": {"downloadCount": 1, "thumbsUpCount": 2},
}


def audit_characters() -> float:
    """Audit characters of which none has a fault."""
    with _database() as database:
        return _audit(database)


def _audit(database: Any) -> float:  # noqa: ANN401 - of either checkout
    now, numbers = datetime.now(UTC), iter(range(CHARACTERS))
    while ids := list(islice(numbers, BATCH)):
        database["characters"].insert_many(
            {"id": f"character-{number}", "name": f"Character {number}", "reference_images": []}
            | {"project_id": "project", "created_at": now, "updated_at": now}
            for number in ids
        )
    audit = import_module("db.audit.audit").audit
    return _seconds(lambda: audit(database, now, None))


def store_models() -> float:
    """Read and store models of Civitai, twice: first new, then unchanged."""
    with _database() as database:
        return _store(database)


def _store(database: Any) -> float:  # noqa: ANN401 - of either checkout
    items = import_module("db.catalog.civitai.items")
    read_item = import_module("storycanvas.catalog.civitai.items").read_item
    database["civitai_models"].create_index("id", unique=True)
    raws = list(_models())

    def work() -> None:
        read = [read_item(raw) for raw in raws]
        stored = [_stored_item()(item.id, item.document, item.content_hash) for item in read]
        for run in ("first", "second"):
            for begin in range(0, len(stored), BATCH):
                items.upsert_items(database, stored[begin : begin + BATCH], datetime.now(UTC), run)

    return _seconds(work)


def _stored_item() -> Any:  # noqa: ANN401 - of either checkout
    for module in ("db.catalog.civitai.item_writes", "db.catalog.civitai.items"):
        try:
            return import_module(module).StoredItem
        except (ImportError, AttributeError):
            continue
    raise SystemExit("this commit stores the models of Civitai in another way")


def _models() -> Iterator[dict[str, Any]]:
    for number in range(1, MODELS + 1):
        files = [{"id": 10 * number, "name": f"{number}.safetensors", "sizeKB": 1000.5}]
        version = {"id": 2 * number, "name": "v1", "baseModel": "SDXL 1.0", "files": files}
        yield copy.deepcopy(
            ITEM | {"id": number, "name": f"Model {number}", "modelVersions": [version]}
        )


def run_demo() -> float:
    """Run the demo on a first day: it makes its database, server, host and pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "deployments.cli", "demo"]
        return _seconds(
            lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - of either checkout
        )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _database() -> Iterator[Any]:
    connect = import_module("db.connection").connect
    with (
        tempfile.TemporaryDirectory() as folder,
        acquire(Mongod(standalone=True), Path(folder)) as lease,
    ):
        yield connect(lease.url, "beside")


class Piece(NamedTuple):
    """A piece of work that is timed, and how many times the commit's time it may take at most.

    Two processes with the same code differ by up to a tenth.
    """

    work: Callable[[], float]
    most: float = 1.1


PIECES = {
    "audit": Piece(audit_characters),
    "models": Piece(store_models),
    "demo": Piece(run_demo, most=4 / 3),
}


def measure(piece: str, checkout: Path) -> float:
    """Time a piece of work with the code of a checkout, in seconds."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(HERE), "--piece", piece]
    return float(subprocess.check_output(command, env=environment, cwd=checkout, text=True))  # noqa: S603 - made here


def compare(commit: str, rounds: int, pieces: Sequence[str]) -> int:
    """Measure each piece in turns, print a row for it, and count those that are slower."""
    slower, here = 0, HERE.parent.parent
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "commit"
        there.mkdir()
        packed = subprocess.check_output(["git", "archive", commit], cwd=here)  # noqa: S603, S607 - the developer's own
        subprocess.run(["tar", "-x"], cwd=there, input=packed, check=True)  # noqa: S607 - the developer's own
        for piece in pieces:
            pairs = [(measure(piece, there), measure(piece, here)) for _ in range(rounds)]
            ratio = statistics.median(now / before for before, now in pairs)
            slower += ratio > PIECES[piece].most
            print(piece, *(f"{before:.2f}/{now:.2f} s" for before, now in pairs), f"{ratio:.2f}")
    return slower


def main() -> int:
    """Compare two checkouts, or time one piece of work."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("commit", nargs="?", default="HEAD~1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=[*PIECES])
    parser.add_argument("--piece", choices=PIECES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.piece:
        print(PIECES[options.piece].work())
        return 0
    return 1 if compare(options.commit, options.rounds, options.pieces) else 0


if __name__ == "__main__":
    sys.exit(main())

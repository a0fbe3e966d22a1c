"""`for-characters` beside one run for each character, through a worker of the local stack.

    python -m benchmarks.many_characters [--characters 40] [--ages 4]

Each character has a picture of its own and gets so many ages, restored. The single runs are started
at once, and four of them work at a time, as the deployment allows. The figures are the time from
the first start to the last end, the largest memory of a run's process, and whether the documents
are the same but for names, addresses and times. The exit code is 1 if the one run takes more than
0.75 of the time or 600 MB more, or leaves other documents.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from PIL import Image, ImageDraw
from pymongo.database import Database

from db.connection import Document, connect
from deployments.sample import PORTRAIT
from storycanvas.services.ports import ask
from storycanvas.services.record import Record
from storycanvas.services.shared import find_running

DATABASE = "many_characters"
MAX_SHARE, MAX_MORE_MEGABYTES = 0.75, 600
LONGEST_SECONDS = 900
MEGABYTE = 1024 * 1024


@contextmanager
def local_stack(state_dir: Path) -> Iterator[None]:
    """Start a stack of this benchmark's own, and end it."""
    environment = {**os.environ, "DB_NAME": DATABASE}

    def command(name: str) -> None:
        words = [sys.executable, "-m", "deployments.cli", name, "--state-dir", str(state_dir)]
        subprocess.run(words, check=True, capture_output=True, env=environment)  # noqa: S603 - this project

    command("up")
    try:
        yield
    finally:
        command("down")


def add_characters(
    database: Database[Document], folder: Path, group: str, characters: int
) -> list[str]:
    """Add characters, each with a portrait that no other one has."""
    ids = [f"{group}-{number:02}" for number in range(characters)]
    for number, character_id in enumerate(ids):
        with Image.open(PORTRAIT) as portrait:
            own = portrait.convert("RGB")
        colour = (number * 5, 255 if group == "single" else 0, 0)
        ImageDraw.Draw(own).rectangle((0, 0, 15, 15), fill=colour)
        path = folder / f"{character_id}.png"
        own.save(path)
        database["characters"].insert_one(
            {"id": character_id, "name": character_id, "reference_images": [str(path)]}
        )
    return ids


def running(name: str, state_dir: Path) -> Record:
    """Find a service of the stack."""
    found = find_running(name, state_dir)
    if found is None:
        raise RuntimeError(f"{name} does not run.")
    return found


class Memory(threading.Thread):
    """Watches the processes of runs, and keeps the largest memory of one in MB."""

    def __init__(self, worker: int) -> None:
        super().__init__(daemon=True)
        self._worker = psutil.Process(worker)
        self._ended = threading.Event()
        self.peak = 0.0

    def run(self) -> None:
        """Look five times a second."""
        while not self._ended.wait(0.2):
            with suppress(psutil.NoSuchProcess):
                children = self._worker.children(recursive=True)
                sizes = [child.memory_info().rss for child in children if child.is_running()]
                self.peak = max([self.peak, *(size / MEGABYTE for size in sizes)])

    def end(self) -> float:
        """End the watch and return the peak."""
        self._ended.set()
        self.join()
        return self.peak


def measure(state_dir: Path, flow: str, wanted: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Start runs of a deployment at once; return seconds until the last has ended, and MB."""
    server = running("prefect_server", state_dir)
    memory = Memory(running("prefect_worker", state_dir).identity.pid)
    memory.start()
    deployment = ask(f"{server.url}/deployments/name/{flow}/{flow}")["id"]
    started = time.perf_counter()
    runs = [
        ask(f"{server.url}/deployments/{deployment}/create_flow_run", {"parameters": parameters})
        for parameters in wanted
    ]
    ended = {
        "flow_runs": {
            "id": {"any_": [run["id"] for run in runs]},
            "state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}},
        }
    }
    while (ask(f"{server.url}/flow_runs/count", ended) or 0) < len(runs):
        if time.perf_counter() > started + LONGEST_SECONDS:
            raise TimeoutError(f"The runs of {flow} did not end in {LONGEST_SECONDS} s.")
        time.sleep(0.2)
    return time.perf_counter() - started, memory.end()


def meaning(database: Database[Document], character_id: str) -> list[Any]:
    """Return what a character's document says but for names, addresses and times."""
    character = database["characters"].find_one({"id": character_id}) or {}
    history = character.get("facefusion_processing_history", [])
    gallery = character.get("facefusion_output_gallery", {})
    entries = [
        (each["operation_type"], str(each["parameters"]), each["success"]) for each in history
    ]
    return [sorted(entries), {name: len(pictures) for name, pictures in gallery.items()}]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--characters", type=int, default=40)
    parser.add_argument("--ages", type=int, default=4)
    options = parser.parse_args()
    shared = {"ages": [25 + 5 * number for number in range(options.ages)], "base_age": 40}
    with tempfile.TemporaryDirectory() as name, local_stack(Path(name) / "state"):
        state_dir = Path(name) / "state"
        database = connect(running("mongod", state_dir).url, DATABASE)
        single, together = (
            add_characters(database, Path(name), group, options.characters)
            for group in ("single", "together")
        )
        each = [{**shared, "character_id": character_id} for character_id in single]
        seconds, megabytes = measure(state_dir, "age-progression", each)
        one = {"characters": together, "parameters": json.dumps(shared)}
        own_seconds, own_megabytes = measure(state_dir, "for-characters", [one])
        equal = [meaning(database, a) for a in single] == [meaning(database, b) for b in together]
        database.client.close()
    share, more = own_seconds / seconds, own_megabytes - megabytes
    print(f"{options.characters} characters x {options.ages} ages through the local stack:")
    print(f"  {seconds:.0f} s in runs of their own, at most {megabytes:.0f} MB a run")
    print(f"  {own_seconds:.0f} s in one run, {share:.2f} of it, {more:+.0f} MB")
    print(f"  the documents are {'equal' if equal else 'different'}")
    return int(share > MAX_SHARE or more > MAX_MORE_MEGABYTES or not equal)


if __name__ == "__main__":
    sys.exit(main())

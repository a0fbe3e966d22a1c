"""How busy a whole run keeps its GPU host, beside a bare loop of calls, in one run.

    python -m benchmarks.whole_run [--ages 20] [--seconds 1.0]

The flow `age-progression` with independent ages, on a real database, Prefect server and host, whose
engine takes a fixed time. Fetching, uploading, downloading, storing and recording are part of it;
they overlap with the work of other steps. Busy is the sum of the operations' times over the time
from the first start to the last end.
"""

import argparse
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from db.connection import connect
from deployments.sample import CHARACTER_ID, PORTRAIT, add_sample_character
from flows.age_progression import age_progression
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.operations import AgeAdjustOperation
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.services.face_host import FaceHost
from storycanvas.services.mongod import Mongod
from storycanvas.services.process import Program
from storycanvas.services.shared import acquire
from tests.support.guard.counting_host import Served
from tests.support.guard.figures import busy
from tests.support.services import running_prefect

YOUNGEST = 21
DATABASE = "whole_run"


class TimedHost(FaceHost):
    """The project's host with an engine that takes so many seconds for each operation."""

    def __init__(self, seconds: float, notes: Path) -> None:
        super().__init__()
        self._own = (str(seconds), str(notes))

    def program(self, directory: Path, port: int) -> Program:
        """Build the command that starts it."""
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("storycanvas.host") + 1 :]
        command = (sys.executable, "-m", "benchmarks.timed_host", *self._own)
        return replace(usual, argv=(*command, *options))


def bare_loop(url: str, ages: list[int]) -> None:
    """Send the operations one after the other, and do nothing else."""
    with FaceHostClient(url) as client:
        asset = client.upload(read_picture(PORTRAIT.read_bytes(), "portrait"))
        for age in ages:
            client.operate(AgeAdjustOperation(target_age=age), [asset], uuid.uuid4().hex)


def whole_run(url: str, ages: list[int]) -> None:
    """Run the flow."""
    create_limit(FaceHostBlock(url=url).limit_name, 1)
    age_progression(CHARACTER_ID, ages=ages, enhance=None)


@contextmanager
def services(folder: Path) -> Iterator[str]:
    """Start all services of a run but the host, and name them in the environment.

    Yields:
        The address of the Prefect server.
    """
    with ExitStack() as undo:
        server = undo.enter_context(running_prefect(folder))
        mongod = undo.enter_context(acquire(Mongod(), folder))
        undo.enter_context(temporary_settings({PREFECT_API_URL: server.url}))
        os.environ |= {
            "MONGO_URL": mongod.url,
            "DB_NAME": DATABASE,
            "IMAGE_STORE": (folder / "images").as_uri(),
        }
        add_sample_character(connect(mongod.url, DATABASE))
        yield server.url


def measure(folder: Path, seconds: float, ages: list[int]) -> tuple[float, float]:
    """Measure how busy the bare loop and the whole run keep a host."""
    shares = []
    for way in (bare_loop, whole_run):
        notes = folder / way.__name__
        with acquire(TimedHost(seconds, notes), folder / f"host of {way.__name__}") as host:
            os.environ["FACEFUSION_URL"] = host.url
            way(host.url, ages)
        lines = notes.read_text().splitlines()
        shares.append(busy([Served(way.__name__, *map(float, line.split())) for line in lines]))
    return shares[0], shares[1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--ages", type=int, default=20, help="how many independent steps")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each operation")
    options = parser.parse_args()
    ages = [YOUNGEST + number for number in range(options.ages)]
    with tempfile.TemporaryDirectory() as name, services(Path(name)):
        bare, whole = measure(Path(name), options.seconds, ages)
    print(f"{options.ages} operations of {options.seconds:g} s keep the host busy:")
    print(f"  {bare:.1%} of the time, sent by a bare loop")
    print(f"  {whole:.1%} of the time, as steps of the flow age-progression")
    return 0


if __name__ == "__main__":
    sys.exit(main())

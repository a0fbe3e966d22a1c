"""How busy a drain of jobs keeps a host, beside a bare loop of the same calls, in one run.

    python -m benchmarks.job_drain [--seconds 0.2 1.0] [--jobs 40]

Each job enhances a picture of its own on a real database, Prefect server and host, whose engine
takes a fixed time. The bare loop uploads, calls and downloads the same, one after the other. Busy
is the sum of the operations' times over the time from the first start to the last end. A claim is
measured beside a bare `find_one_and_update` on the same index. The exit code is 1 when a drain
keeps the host busy less than 0.95 of what the bare loop does.
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from pymongo.database import Database

from benchmarks.whole_run import DATABASE, TimedHost, services
from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from db.connection import connect
from db.queues.claims import ClaimRepository
from db.queues.queue import JOBS
from db.setup.apply import initialise
from deployments.sample import PORTRAIT
from flows.process_jobs import process_jobs
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.services.shared import acquire
from tests.support.guard.counting_host import Served
from tests.support.guard.figures import busy

LEAST = 0.95
CLAIMS = 1000
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def write_pictures(folder: Path, count: int) -> list[Path]:
    """Write portraits, each with a pixel of its own, and in each folder others."""
    folder.mkdir()
    with Image.open(PORTRAIT) as portrait:
        picture = portrait.convert("RGB")
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        picture.putpixel(
            (0, 0), (number % 256, number // 256, zlib.crc32(folder.name.encode()) % 256)
        )
        picture.save(path)
    return paths


def bare_loop(url: str, pictures: list[Path]) -> None:
    """Upload, call and download, one picture after the other, and do nothing else."""
    with FaceHostClient(url) as client:
        for path in pictures:
            asset = client.upload(read_picture(path.read_bytes(), path.name))
            answer = client.operate(EnhanceOperation(), [asset], uuid.uuid4().hex)
            client.download(answer.output_path or "")


def drain(url: str, pictures: list[Path]) -> None:
    """Do the same as jobs of the app."""
    create_limit(FaceHostBlock(url=url).limit_name, 1)
    store = ImageStore(os.environ["IMAGE_STORE"])
    now = datetime.now(UTC)
    urls = [store.put(path.read_bytes(), Category.SOURCE, "png", now).url for path in pictures]
    jobs = [{"job_type": "enhance", "input_data": {"image_url": url}} for url in urls]
    insert(connect(os.environ["MONGO_URL"], DATABASE), jobs)
    process_jobs(wait_seconds=0)


def insert(database: Database[dict[str, Any]], jobs: list[dict[str, Any]]) -> None:
    """Insert jobs as the app does."""
    waiting = {"status": "queued", "priority": 0}
    database[JOBS.collection].insert_many(
        [
            {"id": uuid.uuid4().hex, "created_at": BEGUN + timedelta(seconds=n), **waiting, **job}
            for n, job in enumerate(jobs)
        ]
    )


def measure(folder: Path, seconds: float, count: int) -> tuple[float, float]:
    """Measure how busy the bare loop and the drain keep a host."""
    pictures = write_pictures(folder / f"pictures of {seconds} s", count)
    shares = []
    for way in (bare_loop, drain):
        name = f"{way.__name__} of {seconds} s"
        with acquire(TimedHost(seconds, folder / name), folder / f"host of {name}") as host:
            os.environ["FACEFUSION_URL"] = host.url
            way(host.url, pictures)
        lines = (folder / name).read_text().splitlines()
        if len(lines) != count:
            raise RuntimeError(f"{len(lines)} operations were done instead of {count}.")
        shares.append(busy([Served(way.__name__, *map(float, line.split())) for line in lines]))
    return shares[0], shares[1]


def measure_claims(database: Database[dict[str, Any]]) -> tuple[float, float]:
    """Measure the milliseconds of a bare update, and those of a claim, in turns."""
    jobs = database[JOBS.collection]
    insert(database, [{"job_type": "detect"}] * (2 * CLAIMS))
    claims = ClaimRepository(database, JOBS, "a benchmark", "none")
    bare = claimed = 0.0
    for _ in range(CLAIMS):
        started = time.perf_counter()
        jobs.find_one_and_update(
            {"status": "queued"},
            {"$set": {"status": "processing"}},
            sort=[("priority", -1), ("created_at", 1)],
        )
        between = time.perf_counter()
        claims.claim()
        bare += between - started
        claimed += time.perf_counter() - between
    return 1000 * bare / CLAIMS, 1000 * claimed / CLAIMS


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.2, 1.0], help="of a call")
    parser.add_argument("--jobs", type=int, default=40, help="how many")
    options = parser.parse_args()
    least = 1.0
    with tempfile.TemporaryDirectory() as name, services(Path(name)):
        database = connect(os.environ["MONGO_URL"], DATABASE)
        initialise(database)
        for seconds in options.seconds:
            bare, drained = measure(Path(name), seconds, options.jobs)
            least = min(least, drained / bare)
            print(f"{options.jobs} operations of {seconds:g} s keep the host busy:")
            print(f"  {bare:.1%} of the time, sent by a bare loop")
            print(f"  {drained:.1%} of the time, as jobs of a drain: {drained / bare:.2f} of that")
        bare, claimed = measure_claims(database)
    print(
        f"a claim takes {claimed:.2f} ms, a bare update {bare:.2f} ms: {claimed / bare:.2f} times"
    )
    return int(least < LEAST)


if __name__ == "__main__":
    sys.exit(main())

"""A batch of a thousand pictures, a tenth of them bad, through `batch-process`, in one run.

    python -m benchmarks.large_batch [--pictures 1000] [--width 2304] [--height 1728]

A real database, Prefect server and host with the preview engine. Of every ten pictures one is not
there, shows no face, or is no picture. The figures are of the process of the run, and of the time
beside the sum of the engine's times. The exit code is 1 if the counts are wrong or the process
takes more than 600 MB.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from PIL import Image, ImageDraw
from prefect.client.schemas.objects import State

from benchmarks.whole_run import DATABASE, services
from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from db.connection import connect
from deployments.sample import CHARACTER_ID, PORTRAIT
from flows.batch_process import batch_process
from storycanvas.faces.reports.batch import PARTLY_DONE, BatchReport
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import acquire

MAX_MEGABYTES = 600
MARK = 16
"""Pixels of the corner in which each picture has a colour of its own."""


def write_pictures(folder: Path, pictures: int, size: tuple[int, int]) -> list[str]:
    """Write JPEGs, each another; of every ten the last is bad in one of three ways."""
    with Image.open(PORTRAIT) as portrait:
        face = portrait.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    plain = Image.new("RGB", size, "grey")
    paths = []
    for number in range(pictures):
        path = folder / f"{number:04}.jpg"
        bad = number // 10 % 3 if number % 10 == 9 else None  # noqa: PLR2004 - the last of ten
        if bad == 0:
            path = folder / "none" / path.name
        elif bad == 1:
            path.write_bytes(b"no picture")
        else:
            picture = face if bad is None else plain
            colour = (number % 16 * 16, number // 16 % 16 * 16, number // 256 * 64)
            ImageDraw.Draw(picture).rectangle((0, 0, MARK, MARK), fill=colour)
            picture.save(path, quality=85)
        paths.append(str(path))
    return paths


def run(paths: list[str]) -> tuple[float, float, State, BatchReport]:
    """Run the batch; return its seconds, those of the engine, its state and its report."""
    batch_process([{"type": "enhance"}], CHARACTER_ID)  # the first run compiles and connects
    started = time.perf_counter()
    state: State = batch_process(
        [{"type": "enhance"}], CHARACTER_ID, pictures=paths, return_state=True
    )
    seconds = time.perf_counter() - started
    report: BatchReport = state.result()
    engine = sum(step.engine_seconds or 0 for step in report.steps)
    return seconds, engine, state, report


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pictures", type=int, default=1000, help="how many, up to 1000")
    parser.add_argument("--width", type=int, default=2304, help="pixels")
    parser.add_argument("--height", type=int, default=1728, help="pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, services(Path(name)):
        folder = Path(name) / "pictures"
        folder.mkdir()
        with ProcessPoolExecutor(1, get_context("spawn")) as other:  # whose memory is not measured
            size = (options.width, options.height)
            paths = other.submit(write_pictures, folder, options.pictures, size).result()
        with acquire(FaceHost(), Path(name) / "host") as host:
            os.environ["FACEFUSION_URL"] = host.url
            create_limit(FaceHostBlock(url=host.url).limit_name, 1)
            seconds, engine, state, report = run(paths)
        character = connect(os.environ["MONGO_URL"], DATABASE)["characters"].find_one() or {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(state.message)
    print(f"  {seconds:.1f} s, {engine:.1f} s of them engine: {seconds / engine:.2f} times its sum")
    print(f"  {peak:.0f} MB at most in the run's process, {len(report.contact_sheet_pages)} pages")
    good = options.pictures - options.pictures // 10
    listed = len(character["facefusion_output_gallery"]["enhanced_faces"]) - 1
    counts = (report.completed_operations, report.failed_operations, listed)
    right = counts == (good, options.pictures // 10, good) and state.name == PARTLY_DONE
    return int(not right or peak > MAX_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

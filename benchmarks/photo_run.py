"""A 12-megapixel photo through `age-progression`, beside the engine's own time, in one run.

    python -m benchmarks.photo_run [--width 4000] [--height 3000]

Four ages on a real database, Prefect server and host with the preview engine, in one process that
the figures are of: nine operations, all of which the engine does. Fetching, sending, storing and
recording are part of the run. The exit code is 1 when it takes more than 1.5 times the engine's
time, or its process more than 600 MB.
"""

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.whole_run import DATABASE, services
from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from db.connection import connect
from deployments.sample import CHARACTER_ID, PORTRAIT
from flows.age_progression import age_progression
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import acquire

AGES = [21, 35, 45, 55]
MEGABYTE = 1024 * 1024
MAX_SHARE, MAX_MEGABYTES = 1.5, 600


def write_photo(path: Path, width: int, height: int) -> int:
    """Write a JPEG of the sample portrait with the noise of a camera; return its bytes."""
    with Image.open(PORTRAIT) as portrait:
        large = portrait.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    noise = np.random.default_rng(1).normal(0, 4, (height, width, 1)).astype(np.int16)
    pixels = np.clip(np.asarray(large).astype(np.int16) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
    path.write_bytes(buffer.getvalue())
    return len(buffer.getvalue())


def warmed_up(photo: Path) -> tuple[float, list[float]]:
    """Run the flow on the small sample, then on the photo.

    Returns:
        The seconds of the latter run, and those of the engine for each of its operations.
    """
    age_progression(CHARACTER_ID, ages=AGES[:1], enhance=None)
    begun, started = datetime.now(UTC), time.perf_counter()
    age_progression(CHARACTER_ID, ages=AGES, base_image=str(photo))
    seconds = time.perf_counter() - started
    ledger = connect(os.environ["MONGO_URL"], DATABASE)["facefusion_operations"]
    records = ledger.find({"created_at": {"$gte": begun}})
    return seconds, [record["processing_time_seconds"] for record in records]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--width", type=int, default=4000, help="pixels")
    parser.add_argument("--height", type=int, default=3000, help="pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, services(Path(name)):
        folder, photo = Path(name), Path(name) / "photo.jpg"
        with ProcessPoolExecutor(1, get_context("spawn")) as other:  # whose memory is not measured
            size = other.submit(write_photo, photo, options.width, options.height).result()
        with acquire(FaceHost(), folder / "host") as host:
            os.environ["FACEFUSION_URL"] = host.url
            create_limit(FaceHostBlock(url=host.url).limit_name, 1)
            seconds, engine = warmed_up(photo)
        stored = [path.stat().st_size for path in folder.glob("images/*/result/**/*.png")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"a JPEG of {size / MEGABYTE:.1f} MB, {len(engine)} operations with the preview engine:")
    share = seconds / sum(engine)
    print(f"  {seconds:.1f} s, {sum(engine):.1f} s of them engine: {share:.2f} times its sum")
    print(f"  {peak:.0f} MB at most in the run's process")
    print(f"  {max(stored) / MEGABYTE:.1f} MB a stored picture")
    return int(share > MAX_SHARE or peak > MAX_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

"""What a queue of large pictures costs a host: memory, pauses of its engine, and small uploads.

    FACEFUSION_HOME=… FACEFUSION_PYTHON=… python -m benchmarks.large_pictures [--operations 17]

So many face swaps of two such pictures are submitted at once; meanwhile small pictures are
uploaded. The exit code is 1 when the host's process takes more than 1.5 GB or the engine pauses.
"""

import argparse
import io
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import psutil
from PIL import Image

from benchmarks.facefusion_resident import MeasuredHost, host
from benchmarks.mixed_operations import PORTRAIT
from storycanvas.faces.contract import API, OperationAnswer, OperationStatus

SMALL_BYTES = 99_000
MAX_HOST_BYTES = 1_500_000_000
LEAST_BUSY = 0.99
SWAP = "swap-face"
_LOOK_SECONDS = 0.1
_UPLOAD_SECONDS = 1.0
_READY_SECONDS = 120.0


@dataclass
class Observed:
    """What was seen while the operations ran.

    Attributes:
        host_bytes: Largest resident memory of the host's own process.
        engine_bytes: The same of its children together.
        uploads: Seconds of each small upload.
    """

    host_bytes: int = 0
    engine_bytes: int = 0
    uploads: list[float] = field(default_factory=list)


def photo(megapixels: float, shade: int) -> bytes:
    """Enlarge the sample portrait to a JPEG of so many megapixels."""
    with Image.open(PORTRAIT) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = int(image.width * scale), int(image.height * scale)
        large = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    large.putpixel((0, 0), (shade, 0, 0))
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def small_picture(number: int) -> bytes:
    """Make a JPEG of 99 kB; the bytes behind its end are those of its number."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG")
    return buffer.getvalue().ljust(SMALL_BYTES - 8, b"\0") + number.to_bytes(8, "big")


def watch(process: psutil.Process, observed: Observed, ended: threading.Event) -> None:
    """Read the memory of the host and of its children until the operations have ended."""
    while not ended.wait(_LOOK_SECONDS):
        observed.host_bytes = max(observed.host_bytes, process.memory_info().rss)
        children = 0
        for child in process.children(recursive=True):
            try:
                children += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        observed.engine_bytes = max(observed.engine_bytes, children)


def upload_small(client: httpx.Client, observed: Observed, ended: threading.Event) -> None:
    """Upload a small picture every second, and note how long it takes."""
    number = 0
    while not ended.wait(_UPLOAD_SECONDS):
        began = time.perf_counter()
        client.post("assets", content=small_picture(number)).raise_for_status()
        observed.uploads.append(time.perf_counter() - began)
        number += 1


def submit(client: httpx.Client, pictures: dict[str, str]) -> str:
    """Submit a swap; return the operation's id."""
    answer = client.post(SWAP, json=pictures, headers={"Prefer": "respond-async"})
    return str(answer.raise_for_status().json()["id"])


def ended_answer(client: httpx.Client, operation_id: str) -> OperationAnswer:
    """Poll an operation until its end."""
    while True:
        answer = client.get(f"operations/{operation_id}", params={"wait": 25})
        status = OperationStatus.model_validate_json(answer.raise_for_status().content)
        if status.result is not None:
            return status.result
        if status.error is not None:
            raise SystemExit(f"an operation failed: {status.error.message}")


def busy_share(answers: list[OperationAnswer]) -> float:
    """Share of the time between the first start and the last end that the engine worked."""
    ends = sorted((a.completed_at.timestamp(), a.processing_time_seconds) for a in answers)
    first = min(end - seconds for end, seconds in ends)
    return sum(seconds for _, seconds in ends) / (ends[-1][0] - first)


def measure(measured: MeasuredHost, operations: int, megapixels: float) -> int:
    """Run the operations, print what was observed, and return 1 if a bound is missed."""
    observed, ended = Observed(), threading.Event()
    base = f"{measured.client.url}{API}/"
    with (
        httpx.Client(base_url=base, timeout=120) as client,
        ThreadPoolExecutor(operations + 2) as threads,
    ):
        names = [
            client.post("assets", content=photo(megapixels, shade)).raise_for_status().json()
            for shade in range(2)
        ]
        deadline = time.monotonic() + _READY_SECONDS
        while client.get("status").json()["status"] == "starting" and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        pictures = {"source_face_path": names[0]["path"], "target_image_path": names[1]["path"]}
        process = psutil.Process(measured.process.pid)
        before = process.memory_info().rss
        beside = [
            threads.submit(watch, process, observed, ended),
            threads.submit(upload_small, client, observed, ended),
        ]
        began = time.perf_counter()
        taken = [submit(client, pictures) for _ in range(operations)]
        try:
            answers = list(threads.map(partial(ended_answer, client), taken))
        finally:
            ended.set()
        seconds = time.perf_counter() - began
        for each in beside:
            each.result()
    share = busy_share(answers)
    print(
        f"{operations} swaps of {megapixels:g} megapixels on {answers[0].engine}: {seconds:.0f} s"
    )
    print(
        f"  host process: {before / 1e6:.0f} MB before, at most {observed.host_bytes / 1e6:.0f} MB"
    )
    print(f"  its children: at most {observed.engine_bytes / 1e6:.0f} MB")
    print(f"  engine busy: {share:.1%} of the time from the first start to the last end")
    print(f"  {len(observed.uploads)} uploads of 99 kB: at most {max(observed.uploads):.2f} s")
    return int(observed.host_bytes > MAX_HOST_BYTES or share < LEAST_BUSY)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--operations", type=int, default=17, help="how many are submitted")
    parser.add_argument("--megapixels", type=float, default=49.9, help="of each picture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        queue = ("--queue", str(options.operations), "--operation-seconds", "1800")
        with host(Path(name) / "host", *queue, "--stop-seconds", "1") as measured:
            return measure(measured, options.operations, options.megapixels)


if __name__ == "__main__":
    sys.exit(main())

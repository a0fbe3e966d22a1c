"""Photos through the host, from the call by path to the answer, beside a bare `headless-run`.

    FACEFUSION_HOME=… FACEFUSION_PYTHON=… python -m benchmarks.photos [pairs]

Both work on the same file, one after the other in pairs, and write its format, since FaceFusion
3.8.1 writes no other; a JPEG has the same quality by number. The bare command is cold, as a person
types it. Without FACEFUSION_HOME nothing is measured.
"""

import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
from PIL import Image, JpegImagePlugin

from benchmarks.facefusion_resident import MeasuredHost, host
from benchmarks.mixed_operations import PORTRAIT
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import API, OperationAnswer
from storycanvas.faces.operations import EnhanceOperation, OutputFormat
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.engines.facefusion.translation.operation import translate

PAIRS = 5
QUALITY = 90
PHOTOS = {"12 MP": (4000, 3000), "24 MP": (6000, 4000), "512 px": (512, 512)}
_SUFFIXES = {OutputFormat.JPEG: "jpg", OutputFormat.PNG: "png"}
_GRAIN = 3.0
"""Standard deviation of the noise that makes a photo of the enlarged portrait, in levels."""


def photo(folder: Path, size: tuple[int, int]) -> dict[OutputFormat, Path]:
    """Write the sample portrait, enlarged and with grain: a JPEG, and the PNG that a run sends."""
    with Image.open(PORTRAIT) as image:
        large = np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    noise = np.random.default_rng(1).normal(0, _GRAIN, large.shape)
    pixels = np.clip(large + noise, 0, 255).astype(np.uint8)
    paths = {asked: folder / f"{size[0]}.{suffix}" for asked, suffix in _SUFFIXES.items()}
    Image.fromarray(pixels).save(paths[OutputFormat.JPEG], quality=QUALITY)
    picture = read_picture(paths[OutputFormat.JPEG].read_bytes(), "photo")
    paths[OutputFormat.PNG].write_bytes(picture.png)
    return paths


def operation(asked: OutputFormat) -> EnhanceOperation:
    """Enhance a face, and write this format."""
    quality = {} if asked is OutputFormat.PNG else {"output_quality": QUALITY}
    return EnhanceOperation(output_format=asked, **quality)


def bare(path: Path, asked: OutputFormat) -> tuple[float, bytes]:
    """Time a plain `headless-run` on a file; return the seconds and what it wrote."""
    own = path.parent / uuid.uuid4().hex
    own.mkdir()
    output = own / f"output.{_SUFFIXES[asked]}"
    argv = ["facefusion.py", "headless-run", *translate(operation(asked)).arguments]
    argv += ["--output-image-quality", str(QUALITY)]
    argv += ["--target-path", str(path), "--output-path", str(output)]
    argv += ["--temp-path", str(own), "--jobs-path", str(own / "jobs")]
    seconds = _timed(
        lambda: subprocess.run(  # noqa: S603 - the operator's own FaceFusion
            [os.environ["FACEFUSION_PYTHON"], *argv],
            cwd=os.environ["FACEFUSION_HOME"],
            env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9"},  # it would ask for weights
            check=True,
            capture_output=True,
        )
    )
    return seconds, output.read_bytes()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class PhotoHost:
    """A host, asked as a client beside it would."""

    def __init__(self, measured: MeasuredHost) -> None:
        self.client = measured.client
        self.http = httpx.Client(base_url=f"{self.client.url}{API}/", timeout=600)

    def by_path(self, path: Path, asked: OutputFormat) -> tuple[float, OperationAnswer]:
        """Time an operation by its path, up to the answer."""
        body = operation(asked).model_dump(mode="json", by_alias=True)
        began = time.perf_counter()
        answer = self.http.post("enhance-face", json={**body, "source_path": str(path)})
        seconds = time.perf_counter() - began
        return seconds, OperationAnswer.model_validate_json(answer.raise_for_status().content)

    def file(self, answer: OperationAnswer) -> bytes:
        """Fetch what an operation wrote."""
        return self.http.get(f"assets/{answer.output_path}").raise_for_status().content

    def slots(self, path: Path, asked: OutputFormat) -> tuple[float, float]:
        """Return the engine's share of the time in the host's slot and in the guard's."""
        asset, ended = self.client.upload(path), [0.0]
        watch = OperationWatch(lambda: ended.append(time.perf_counter()))
        began, key = time.perf_counter(), uuid.uuid4().hex
        answer = self.client.operate(operation(asked), [asset], key, watch=watch)
        listed = self.http.get("operations").raise_for_status().json()["operations"][0]
        engine = answer.processing_time_seconds
        return engine / listed["phases"]["engine"], engine / (ended[1] - began)


def measure(asking: PhotoHost, name: str, path: Path, asked: OutputFormat, pairs: int) -> None:
    """Measure pairs of one photo and one format, and print their ratio."""
    asking.by_path(path, asked)  # its models are loaded by then
    ours, theirs, engine = [], [], []
    for _ in range(pairs):
        bare_seconds, bare_file = bare(path, asked)
        seconds, answer = asking.by_path(path, asked)
        theirs.append(bare_seconds)
        ours.append(seconds)
        engine.append(answer.processing_time_seconds)
    shares = [asking.slots(path, asked) for _ in range(pairs)]
    of_host, of_guard = (statistics.median(each) for each in zip(*shares, strict=True))
    median, median_bare = statistics.median(ours), statistics.median(theirs)
    print(
        f"{name} {asked.upper()}: {median:.2f} s, bare {median_bare:.2f} s, "
        f"{median / median_bare:.2f} of it; engine {statistics.median(engine):.2f} s, "
        f"{of_host:.1%} of the host's slot, {of_guard:.1%} of the guard's"
    )
    print(f"  files: {_described(asking.file(answer))}, bare {_described(bare_file)}", flush=True)


def _described(file: bytes) -> str:
    with Image.open(io.BytesIO(file)) as image:
        sampling = JpegImagePlugin.get_sampling(image) if image.format == "JPEG" else ""
    kind = {0: " 4:4:4", 1: " 4:2:2", 2: " 4:2:0"}.get(sampling, "")
    return f"{len(file) / 1e6:.1f} MB{kind}"


def main(pairs: int = PAIRS) -> int:
    """Measure and print."""
    if not os.environ.get("FACEFUSION_HOME"):
        print("photos: FACEFUSION_HOME and FACEFUSION_PYTHON name no FaceFusion; not measured")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with host(folder / "host", "--allow-root", name) as measured:
            asking = PhotoHost(measured)
            for title, size in PHOTOS.items():
                for asked, path in photo(folder, size).items():
                    measure(asking, title, path, asked, pairs)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

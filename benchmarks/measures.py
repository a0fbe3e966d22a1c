"""What measuring a picture of one megapixel costs: faces, pose and age; likeness by itself.

    python -m benchmarks.measures [rounds]

Beside it, in turns: reading the same picture from its PNG file, which every step does anyway. The
first call, which loads the networks, is shown by itself. Likeness is measured where `make likeness`
installed it. The exit code is 1 where faces, pose and age take 60 ms or more (median).
"""

import io
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from benchmarks.mixed_operations import PORTRAIT
from storycanvas.faces.measures.errors import WeightsMissing
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import Bytes
from storycanvas.faces.measures.measuring import FaceMeter
from storycanvas.faces.pictures.reading import read_picture

ROUNDS = 20
SIDE = 1000
BOUND_MS = 60.0
"""What faces, pose and age of a megapixel may take."""


def megapixel() -> tuple[Bytes, bytes]:
    """Return the sample portrait as one megapixel, and its PNG file."""
    with Image.open(PORTRAIT) as picture:
        large = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    large.save(file, "PNG")
    return np.asarray(large, np.uint8), file.getvalue()


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def shown(name: str, times: list[float]) -> None:
    print(f"{name:<42} median {statistics.median(times):6.1f} ms, least {min(times):6.1f} ms")


def measured_in_turns(rgb: Bytes, png: bytes, rounds: int) -> bool:
    """Measure the picture and read its file in turns; return whether it is within the bound."""
    meter = FaceMeter()
    print(f"the first call, which loads the networks: {timed(lambda: meter.measure(rgb)):.0f} ms")
    measuring, reading = [], []
    for _ in range(rounds):
        measuring.append(timed(lambda: meter.measure(rgb)))
        reading.append(timed(lambda: read_picture(png, "picture")))
    shown("faces, pose and age", measuring)
    shown("reading the picture from its PNG file", reading)
    ratio = statistics.median(measuring) / statistics.median(reading)
    is_within = statistics.median(measuring) < BOUND_MS
    within = "within" if is_within else "beyond"
    print(f"measuring takes {ratio:.2f} of reading, {within} {BOUND_MS:.0f} ms")
    return is_within


def likeness_alone(rgb: Bytes, rounds: int) -> None:
    try:
        meter = likeness_meter()
    except WeightsMissing as missing:
        print(f"likeness not measured: {missing}")
        return
    faces = FaceMeter().measure(rgb).landmarked or ()
    pair = (rgb, faces[0]), (rgb, faces)
    times = [timed(lambda: meter.distances(*pair)) for _ in range(rounds)]
    shown("likeness of one face to another", times)


def main() -> int:
    """Measure and print; return 1 where faces, pose and age are beyond the bound."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    rgb, png = megapixel()
    is_within = measured_in_turns(rgb, png, rounds)
    likeness_alone(rgb, max(rounds // 4, 1))
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())

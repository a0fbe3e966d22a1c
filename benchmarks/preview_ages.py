"""What the age network reads of the preview engine's faces, and how like the input they stay.

    python -m benchmarks.preview_ages [--pictures FOLDER]

Each of the sample's pictures, or each of a folder with one face each, is aged from its input, and
the sample portrait is swapped into the sample's target. For each: the age asked, the age read, the
distance to the input by dlib's recogniser ("not measured" where that extra is not installed), and
the engine's seconds of CPU time. The exit code is 1 where the portrait's ages 16, 25, 45 and 65 are
not read in this order, where one of them is further than 0.4 from the input, or where 1024 pixels
take a second or more.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from deployments.sample import PORTRAIT, TARGET
from storycanvas.faces.measures.ages import NetworkAge
from storycanvas.faces.measures.errors import WeightsMissing
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.likeness import likeness_meter
from storycanvas.faces.measures.measure import Bytes
from storycanvas.faces.operations import AgeAdjustOperation, FaceOperation, SwapOperation
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.preview import PreviewEngine

ASKED = (12, 16, 25, 45, 65, 75)
IN_ORDER = (16, 25, 45, 65)
MAX_DISTANCE, MAX_SECONDS = 0.4, 1.0
HEAD = (96, 0, 352, 256)
"""The head in the sample portrait."""

ENGINE, FINDER, AGES = PreviewEngine(), MeshFinder(), NetworkAge()


@dataclass(frozen=True)
class Row:
    """A made picture: what was asked, and what was measured of it."""

    picture: str
    asked: str
    read: float
    distance: float | None
    seconds: float

    def __str__(self) -> str:
        unlike = "not measured" if self.distance is None else f"{self.distance:.2f}"
        return (
            f"| {self.picture} | {self.asked} | {self.read:.1f} | {unlike} | {self.seconds:.2f} |"
        )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder with pictures of one face each")
    print("| picture | asked | read | distance | CPU seconds |")
    print("| --- | --- | --- | --- | --- |")
    rows = list(_rows(parser.parse_args().pictures))
    return 0 if rows[0].picture != "portrait" or _good(rows) else 1


def _rows(folder: Path | None) -> Iterator[Row]:
    for name, picture in _pictures(folder).items():
        for row in _aged(name, picture):
            print(row, flush=True)
            yield row
    source, target = (normal_form(Image.open(path).convert("RGB")) for path in (PORTRAIT, TARGET))
    print(Row("target", "without a swap", *_measured(target, source), 0.0))
    print(_made("target", "swap", SwapOperation(), [source, target]))


def _pictures(folder: Path | None) -> dict[str, Picture]:
    if folder is not None:
        images = {path.stem: Image.open(path) for path in sorted(folder.iterdir())}
    else:
        portrait = Image.open(PORTRAIT).convert("RGB")
        head = portrait.crop(HEAD).resize((1024, 1024), Image.Resampling.BICUBIC)
        grey = portrait.convert("L")
        images = {"portrait": portrait, "1024 pixels": head, "grey": grey}
        images["blurred"] = Image.open(TARGET)
    return {name: normal_form(image.convert("RGB")) for name, image in images.items()}


def _aged(name: str, picture: Picture) -> Iterator[Row]:
    yield Row(name, "input", *_measured(picture, picture), 0.0)
    for age in ASKED:
        yield _made(name, str(age), AgeAdjustOperation(target_age=age), [picture])


def _made(name: str, asked: str, operation: FaceOperation, pictures: list[Picture]) -> Row:
    begun = time.process_time()
    made = ENGINE.run(operation, pictures).picture or pictures[-1]
    seconds = time.process_time() - begun
    return Row(name, asked, *_measured(made, pictures[0]), seconds)


def _measured(picture: Picture, reference: Picture) -> tuple[float, float | None]:
    """Return the age of a picture's largest face, and its distance to that of another."""
    rgb, other = _decoded(picture), _decoded(reference)
    face, known = FINDER.find(rgb)[0], FINDER.find(other)[0]
    try:
        [distance] = likeness_meter().distances((other, known), (rgb, (face,)))
    except WeightsMissing:
        return AGES.read(rgb, face), None
    return AGES.read(rgb, face), distance


def _decoded(picture: Picture) -> Bytes:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"), np.uint8)


def _good(rows: list[Row]) -> bool:
    asked = [str(age) for age in IN_ORDER]
    portrait = [row for row in rows if row.picture == "portrait" and row.asked in asked]
    in_order = all(first.read < second.read for first, second in pairwise(portrait))
    like = all((row.distance or 0) < MAX_DISTANCE for row in portrait)
    large = [row.seconds for row in rows if row.picture == "1024 pixels"]
    return in_order and like and max(large) < MAX_SECONDS


if __name__ == "__main__":
    sys.exit(main())

"""What the notes on light, colour, sharpness and kind measure, on 30 swaps and on single faces.

    python -m benchmarks.face_notes [--pictures FOLDER]

The 30 swaps are those of the preview engine between six pictures: the sample portrait and five of a
folder with one face each, or else the sample portrait in six versions. Their results are measured
as they are, with a face in warm light, and with a face, or all but the face, that was made small
and enlarged again. The bounds in `storycanvas.faces.measures.notes` stand between what fits and
what does not; each line counts what would be noted.
"""

import argparse
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from deployments.sample import PORTRAIT
from storycanvas.faces.errors import FaceError
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from storycanvas.faces.measures.notes.blending import (
    MAX_COLOUR_DISTANCE,
    MAX_SHARPNESS,
    MIN_SHARPNESS,
    colour_difference,
    skin_colour,
)
from storycanvas.faces.measures.notes.kinds import FLAT_FACE, SHARP_FACE, flat_share
from storycanvas.faces.measures.notes.light import (
    MAX_LIGHTNESS_DIFFERENCE,
    MAX_SLOPE_DIFFERENCE,
    light_of,
)
from storycanvas.faces.measures.notes.sharpness import face_sharpness, relative_sharpness
from storycanvas.faces.operations import EnhanceOperation, FaceOperation, SwapOperation
from storycanvas.faces.pictures.reading import normal_form
from storycanvas.faces.pictures.sizes import GOOD_PICTURE
from storycanvas.host.engines.preview.engine import PreviewEngine

PICTURES = 6
WARM = (1.10, 0.97, 0.72)
"""Factors of red, green and blue: the evening light of `samples/make_target.py`."""
SMALLER = 3
"""How many times a face is made smaller before it is enlarged again."""

FINDER, ENGINE = MeshFinder(), PreviewEngine()


@dataclass(frozen=True)
class Shown:
    """A picture and the largest face in it."""

    rgb: Bytes
    face: LandmarkedFace

    @classmethod
    def of(cls, rgb: Bytes) -> "Shown":
        """Find the face."""
        return cls(rgb, FINDER.find(rgb)[0])

    def face_changed(self, change: Callable[[Bytes], Bytes]) -> "Shown":
        """Change the face alone, with a soft edge."""
        x, y, width, height = self.face.box
        marked = np.zeros(self.rgb.shape[:2], np.float32)
        centre = (x + width // 2, y + height // 2)
        cv2.ellipse(marked, centre, (width // 2, height // 2), 0, 0, 360, 1, -1)
        share = cv2.GaussianBlur(marked, (0, 0), width / 20)[:, :, None]
        mixed = self.rgb + share * (change(self.rgb).astype(np.float32) - self.rgb)
        return Shown(np.rint(mixed).astype(np.uint8), self.face)

    def surroundings_changed(self, change: Callable[[Bytes], Bytes]) -> "Shown":
        """Change all but the face, with a soft edge."""
        return Shown(change(self.rgb), self.face).face_changed(lambda _: self.rgb)


def main() -> None:
    """Print the distribution of every measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder with five pictures of one face each")
    shown = [Shown.of(rgb) for rgb in _pictures(parser.parse_args().pictures)]
    if len(shown) != PICTURES:
        raise SystemExit(f"{PICTURES} pictures are needed with the sample; {len(shown)} are there.")
    _print_light(shown)
    _print_swaps(shown)
    _print_kinds(shown)


def _pictures(folder: Path | None) -> Iterator[Bytes]:
    with Image.open(PORTRAIT) as file:
        portrait = file.convert("RGB")
    sample = np.asarray(portrait)
    yield sample
    if folder is not None:
        for path in sorted(folder.iterdir()):
            with Image.open(path) as picture:
                yield np.asarray(picture.convert("RGB"))
        return
    yield np.asarray(ImageOps.mirror(portrait))
    yield (sample * 0.6).astype(np.uint8)
    yield warm(sample)
    yield np.asarray(ImageOps.mirror(portrait).resize((1024, 1024), Image.Resampling.LANCZOS))
    yield np.asarray(portrait.resize((384, 384), Image.Resampling.LANCZOS))


def warm(rgb: Bytes) -> Bytes:
    """Show a picture in evening light."""
    return np.clip(rgb.astype(np.float32) * WARM, 0, 255).astype(np.uint8)


def coarse(rgb: Bytes, times: float = SMALLER) -> Bytes:
    """Make a picture smaller and enlarge it again."""
    small = cv2.resize(rgb, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    size = rgb.shape[1], rgb.shape[0]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def enlarged(rgb: Bytes, times: float) -> Bytes:
    """Enlarge a picture."""
    large = cv2.resize(rgb, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def compressed(rgb: Bytes) -> Bytes:
    """Compress a picture far too much."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="JPEG", quality=10)
    return np.asarray(Image.open(buffer))


def changed(operation: FaceOperation, *pictures: Bytes) -> Bytes:
    """Perform an operation with the preview engine."""
    normal = [normal_form(Image.fromarray(rgb)) for rgb in pictures]
    made = ENGINE.run(operation, normal).picture
    if made is None:
        raise SystemExit(f"{operation.path} made no picture.")
    return np.asarray(made.image.convert("RGB"))


def _print_light(shown: Sequence[Shown]) -> None:
    lights = [light for picture in shown if (light := light_of(picture.rgb, picture.face))]
    pairs = list(permutations(lights, 2))
    means = [abs(one.mean - other.mean) for one, other in pairs]
    _line("difference of mean L*", means, most=MAX_LIGHTNESS_DIFFERENCE)
    most = MAX_SLOPE_DIFFERENCE
    slopes = [abs(one.slope - other.slope) for one, other in pairs]
    _line("difference of slope of L*", slopes, most=most)
    # A mirrored picture is lit from the other side.
    slopes = [abs(one.slope + other.slope) for one, other in pairs]
    _line("  the source mirrored", slopes, most=most)
    slopes = [2 * abs(light.slope) for light in lights]
    _line("  a picture and its mirror image", slopes, most=most)


def _print_swaps(shown: Sequence[Shown]) -> None:
    swaps = [
        (target, Shown.of(changed(SwapOperation(), source.rgb, target.rgb)))
        for source, target in permutations(shown, 2)
    ]
    most = MAX_COLOUR_DISTANCE
    _line("a*b* distance of a swap", [_colour(*swap) for swap in swaps], most=most)
    lit = [_colour(target, made.face_changed(warm)) for target, made in swaps]
    _line("  its face in warm light", lit, most=most)
    _line("  without a swap", [_colour(picture, picture) for picture in shown], most=most)
    least, most = MIN_SHARPNESS, MAX_SHARPNESS
    sharpness = [_relative(made) for _, made in swaps]
    _line("relative sharpness of a swap", sharpness, least, most)
    soft = [_relative(made.face_changed(coarse)) for _, made in swaps]
    _line(f"  its face enlarged {SMALLER} times", soft, least, most)
    soft = [_relative(made.surroundings_changed(coarse)) for _, made in swaps]
    _line("  all but its face enlarged", soft, least, most)
    _line("  without a swap", [_relative(picture) for picture in shown], least, most)


def _colour(target: Shown, made: Shown) -> float | None:
    before = skin_colour(target.rgb, target.face)
    difference = None if before is None else colour_difference(made.rgb, made.face, before)
    return None if difference is None else float(np.hypot(*difference))


def _relative(shown: Shown) -> float | None:
    return relative_sharpness(shown.rgb, shown.face)


def _print_kinds(shown: Sequence[Shown]) -> None:
    for times in (0.5, 1, 1.5, 2, 3):
        copies = [Shown.of(enlarged(picture.rgb, times)) for picture in shown]
        sharp = [_sharp(copy) for copy in copies]
        _line(f"sharpness, enlarged {times:g} times", sharp, most=SHARP_FACE)
        better = [_sharp(copy) for each in copies if (copy := _enhanced(each)) is not None]
        _line("  and enhanced", better, most=SHARP_FACE)
    flat = [flat_share(picture.rgb, picture.face) for picture in shown]
    _line("flat share", flat, most=FLAT_FACE)
    squeezed = [flat_share(compressed(picture.rgb), picture.face) for picture in shown]
    _line("flat share, JPEG 10", squeezed, most=FLAT_FACE)


def _sharp(shown: Shown) -> float | None:
    return face_sharpness(shown.rgb, shown.face, GOOD_PICTURE)


def _enhanced(shown: Shown) -> Shown | None:
    try:
        return Shown.of(changed(EnhanceOperation(), shown.rgb))
    except FaceError:
        return None  # its detector finds fewer faces than the landmarks do


def _line(
    name: str, values: Sequence[float | None], least_fit: float = -np.inf, most: float = np.inf
) -> None:
    """Print a distribution, and how many are beyond the bounds of a note."""
    known = [value for value in values if value is not None]
    noted = sum(not least_fit <= value <= most for value in known)
    least, low, median, high, largest = np.quantile(known, (0, 0.1, 0.5, 0.9, 1))
    print(
        f"{name:32} {noted:2} of {len(known):2}: least {least:5.2f}, tenth {low:5.2f}, "
        f"median {median:5.2f}, nine tenths {high:5.2f}, most {largest:5.2f}"
    )


if __name__ == "__main__":
    main()

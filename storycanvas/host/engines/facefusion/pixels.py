"""Pictures on their way to FaceFusion and back, without any loss.

FaceFusion 3.8.1 makes odd sizes even, fails on tiny pictures and drops the ICC profile
(docs/facefusion.md); so it gets pictures that it leaves as they are, and its output is cut back to
the original's form.
"""

from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from storycanvas.faces.errors import EngineFailed, FaceError
from storycanvas.faces.pictures.reading import Picture, decode, normal_form

_ROWS = 256

Bytes = NDArray[np.uint8]


def opened(picture: Picture) -> Image.Image:
    """Return the pixels of a picture in normal form."""
    return picture.image


def in_mode(mode: str, image: Image.Image) -> Image.Image:
    """Convert an image, or return it: Pillow copies what has the mode, and the GPU waits."""
    return image if image.mode == mode else image.convert(mode)


def as_before(image: Image.Image, before: Image.Image) -> Picture:
    """Make an RGB or RGBA image of no file a picture with the ICC profile of another."""
    profile = before.info.get("icc_profile")
    image.info = {"icc_profile": profile} if profile else {}
    return Picture.of_image(image)


def alike(before: Image.Image, after: Image.Image) -> None:
    """Refuse two images of different sizes or modes with `EngineFailed`."""
    if (before.size, before.mode) != (after.size, after.mode):
        raise EngineFailed(
            f"A picture of {before.width} x {before.height} pixels in {before.mode} cannot be "
            f"combined with one of {after.width} x {after.height} in {after.mode}."
        )


def row_pairs(pixels: Bytes, image: Image.Image) -> Iterator[tuple[Bytes, Bytes]]:
    """Yield some rows of two pictures at a time: views of the first, copies of the second."""
    for row in range(0, image.height, _ROWS):
        end = min(row + _ROWS, image.height)
        yield pixels[row:end], np.asarray(image.crop((0, row, image.width, end)))


_OPAQUE = 255

LEAST_SIDE = 64
"""Sides below this are padded, in pixels: FaceFusion 3.8.1 fails on 1 x 1."""


def fitted_size(width: int, height: int) -> tuple[int, int]:
    """Return the size in pixels that FaceFusion gets: even, and at least 64 x 64."""
    return _fitted_side(width), _fitted_side(height)


def fit(picture: Picture, file: IO[bytes]) -> None:
    """Write a picture for FaceFusion, which holds the GPU while it reads and writes.

    Args:
        picture: What it works on or with.
        file: Gets a BMP, which costs no compression, of the same colours, right and bottom edge
            repeated to an even size of at least 64 x 64. Alpha stays here: FaceFusion's face
            processors carry it along unread, and `restore` puts it back.
    """
    image = in_mode("RGB", opened(picture))
    width, height = fitted_size(picture.width, picture.height)
    if (width, height) != image.size:
        room = ((0, height - picture.height), (0, width - picture.width), (0, 0))
        image = Image.fromarray(np.pad(np.asarray(image), room, mode="edge"))
    image.save(file, format="BMP")


def restore(data: bytes, original: Picture) -> Picture:
    """Bring FaceFusion's output for a fitted picture into the form of the original.

    Returns:
        The output in the original's size and mode, with its alpha and ICC profile.

    Raises:
        EngineFailed: The output cannot be read, or its size or mode is wrong.
    """
    made, before = _output(data, original), opened(original)
    if (made.mode, before.mode) == ("RGBA", "RGB") and made.getchannel("A").getextrema()[
        0
    ] != _OPAQUE:
        raise EngineFailed(
            "FaceFusion made an opaque picture transparent, as no supported release does; check "
            "out a supported one."
        )
    colours = in_mode("RGB", made)
    if before.mode == "RGBA":
        colours.putalpha(before.getchannel("A"))
    return as_before(colours, before)


def restore_mask(data: bytes, original: Picture) -> Picture:
    """Cut the mask of a fitted picture to the original's size, as RGB without profile."""
    mask = Image.new("RGB", (original.width, original.height))
    mask.paste(_output(data, original, ("L", "RGB")))
    return normal_form(mask)


def blend(original: Picture, changed: Picture, amount: float) -> Picture:
    """Mix two pictures of one size and mode, linearly.

    Args:
        original: What 0 gives, exactly; its profile is kept.
        changed: What 1 gives, exactly.
        amount: 0 to 1.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"A blend of {amount}; give 0 to 1.")
    before, after = opened(original), opened(changed)
    alike(before, after)
    if amount in {0, 1}:
        return changed if amount else original
    result = np.asarray(before).copy()
    for below, above in row_pairs(result, after):
        difference = above.astype(np.float32) - below
        below[:] = np.rint(below + difference * np.float32(amount))
    return as_before(Image.fromarray(result), before)


def merge(original: Picture, changed: Sequence[Picture]) -> Picture:
    """Apply to a picture what each of several copies of it changed.

    The original's profile is kept; where several copies differ from it, the last is seen.
    """
    before = opened(original)
    result = np.asarray(before).copy()
    for picture in changed:
        after = opened(picture)
        alike(before, after)
        for (below, above), (same, _) in zip(
            row_pairs(result, after), row_pairs(np.asarray(before), after), strict=True
        ):
            np.copyto(below, above, where=(above != same).any(axis=2, keepdims=True))
    return as_before(Image.fromarray(result), before) if changed else original


def same_pixels(a: Picture, b: Picture) -> bool:
    """Return whether two pictures have the same size, mode and pixels; profiles do not count."""
    first, second = opened(a), opened(b)
    if (first.size, first.mode) != (second.size, second.mode):
        return False
    return ImageChops.difference(first, second).getbbox(alpha_only=False) is None


def _fitted_side(side: int) -> int:
    return max(LEAST_SIDE, side + side % 2)


def _output(data: bytes, original: Picture, modes: Sequence[str] = ("RGB", "RGBA")) -> Image.Image:
    width, height = fitted_size(original.width, original.height)
    try:
        made = decode(data, "FaceFusion's output", width * height)
    except FaceError as error:
        raise EngineFailed(f"FaceFusion's output cannot be used: {error}") from error
    if made.size != (width, height) or made.mode not in modes:
        raise EngineFailed(
            f"FaceFusion answered {made.width} x {made.height} pixels in {made.mode} where "
            f"{width} x {height} in {' or '.join(modes)} were due."
        )
    if made.size == (original.width, original.height):
        return made
    return made.crop((0, 0, original.width, original.height))

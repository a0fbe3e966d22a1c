"""Pictures of couples, and who is seen where in them.

All are made of the one portrait in `samples/` (public domain, samples/PROVENANCE.md). The husband
is the portrait with a dark moustache, the wife the portrait with light cheeks, both drawn here; the
faces of a template are the portrait without marks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from deployments.sample import PORTRAIT
from storycanvas.faces.pictures.boxes import Box, widened

HEAD = (96, 0, 352, 256)
"""The part of the portrait that is put into templates."""
FACE = (177, 66, 96, 109)
"""The face in the portrait, as the preview engine finds it."""
MOUSTACHE = ((0.34, 0.60, 0.65, 0.67),)
CHEEKS = ((0.16, 0.45, 0.34, 0.58), (0.65, 0.45, 0.83, 0.58))
"""Left, top, right and bottom as shares of the box of a face."""
EMPTY = (90, 110, 120)

SIDE = 300
BESIDE = ((0, 0), (320, 20))
ABOVE = ((0, 0), (20, 310))
OVERLAPPING = ((0, 0), (95, 0))
THREE = ((0, 0), (320, 20), (640, 0))


def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as image:
        return image.convert("RGB")


def husband() -> Image.Image:
    return _drawn(portrait(), FACE, MOUSTACHE, (35, 22, 18))


def wife() -> Image.Image:
    return _drawn(portrait(), FACE, CHEEKS, (255, 240, 235))


def side_by_side(*pictures: Image.Image) -> Image.Image:
    """One photo of several persons."""
    photo = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)))
    left = 0
    for picture in pictures:
        photo.paste(picture, (left, 0))
        left += picture.width
    return photo


def template(places: Sequence[tuple[int, int]], own: int = 0) -> Image.Image:
    """A picture with a face at each place; where heads overlap, the later one is in front.

    Args:
        places: Left and top of each head, which is `SIDE` pixels wide.
        own: Makes it a picture of its own, 0 to 255.
    """
    head = portrait().crop(HEAD).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    front = Image.new("L", (256, 256))
    ImageDraw.Draw(front).ellipse((60, 20, 200, 190), fill=255)
    width = max(x for x, _ in places) + SIDE + 20
    height = max(y for _, y in places) + SIDE + 20
    scene = Image.new("RGB", (width, height), EMPTY)
    for number, place in enumerate(places):
        covers = any(abs(place[0] - x) < SIDE > abs(place[1] - y) for x, y in places[:number])
        scene.paste(head, place, front.resize(head.size) if covers else None)
    scene.putpixel((0, height - 1), (own, own, own))
    return scene


def _drawn(
    picture: Image.Image,
    box: Box,
    parts: Sequence[tuple[float, ...]],
    colour: tuple[int, int, int],
) -> Image.Image:
    pen = ImageDraw.Draw(picture)
    for part in parts:
        pen.ellipse(_placed(part, box), fill=colour)
    return picture


def _placed(part: Sequence[float], box: Box) -> tuple[int, ...]:
    x, y, width, height = box
    left, top, right, bottom = part
    return (
        round(x + left * width),
        round(y + top * height),
        round(x + right * width),
        round(y + bottom * height),
    )


def seen_at(before: Image.Image, after: Image.Image, box: Box) -> str:
    """Who is on a face now: `husband`, `wife`, or `template` where it is as it was."""
    if _change(before, after, box, CHEEKS) > MARKED:
        return "wife"
    return "husband" if _change(before, after, box, MOUSTACHE) < -MARKED else "template"


MARKED = 20
"""Levels of light by which a mark differs at least."""


def _change(
    before: Image.Image, after: Image.Image, box: Box, parts: Sequence[tuple[float, ...]]
) -> float:
    """By how many levels the middles of parts of a face became lighter."""
    changes = []
    for part in parts:
        left, top, right, bottom = _placed(part, box)
        middle = (left + 4, top + 3, right - 4, bottom - 3)
        lights = [
            np.asarray(p.convert("L").crop(middle), np.float32).mean() for p in (before, after)
        ]
        changes.append(float(lights[1] - lights[0]))
    return sum(changes) / len(changes)


def changed_outside(before: Image.Image, after: Image.Image, box: Box, share: float) -> int:
    """Count the pixels that differ outside a box that is widened by a share of its sides."""
    differs: NDArray[np.bool_] = (np.asarray(before) != np.asarray(after)).any(axis=2)
    x, y, width, height = widened(box, share, before.size)
    differs[y : y + height, x : x + width] = False
    return int(differs.sum())

"""Makes `target.jpg`, the picture to swap into, from `portrait.png`.

Run `python samples/make_target.py` to make it again.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

HERE = Path(__file__).parent
SIZE = (900, 720)
"""Width and height of the target in pixels."""
CROP = (40, 0, 440, 320)
"""The part of the mirrored portrait that is used: left, top, right, bottom."""
FACE = (440, 150, 655, 400)
"""The face in the target: left, top, right, bottom."""
BLOCK = 7
"""Side of the coarse squares the face is averaged over, in pixels."""
WARMTH = (1.10, 0.97, 0.72)
"""Factors of red, green and blue: evening light."""


def make_target(portrait: Image.Image) -> Image.Image:
    """Mirror, crop, enlarge and warm a portrait, and lose the detail of its face.

    Args:
        portrait: The sample portrait, 512 x 512 pixels.

    Returns:
        A picture of `SIZE` whose face can be found but is blurred.
    """
    scene = ImageOps.mirror(portrait.convert("RGB")).crop(CROP).resize(SIZE)
    scene = Image.composite(_coarse(scene), scene, _face_mask())
    warm = np.asarray(ImageEnhance.Brightness(scene).enhance(0.85), np.float32) * WARMTH
    return Image.fromarray(np.clip(warm, 0, 255).astype(np.uint8))


def _coarse(scene: Image.Image) -> Image.Image:
    few = scene.resize((SIZE[0] // BLOCK, SIZE[1] // BLOCK), Image.Resampling.BOX)
    return few.resize(SIZE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))


def _face_mask() -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse(FACE, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(12))


if __name__ == "__main__":
    with Image.open(HERE / "portrait.png") as portrait:
        make_target(portrait).save(HERE / "target.jpg", quality=90)

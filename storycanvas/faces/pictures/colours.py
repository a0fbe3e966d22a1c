"""Colours of pictures that are not RGB, brought to sRGB through their ICC profile by LittleCMS."""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

_PROFILE = "icc_profile"
_SPACES = {"L": {"GRAY", "RGB"}, "RGB": {"RGB"}, "CMYK": {"CMYK"}, "LAB": {"Lab"}}
"""Colour spaces of the profiles that can describe pixels of a mode."""
_GREY = {"1", "L", "LA", "La"}
_OPAQUE = 255
_DEEP_GREYS = 65_536
_TONES = 256
_KNOWN_RANGES = {"I": ((0, 255, 256), (256, 65_535, 65_536)), "F": ((0, 1, 1), (16, 255, 256))}
"""By mode of 32 bits, the brightest value from and to which its tones are so many."""
_BAND_PIXELS = 1 << 20
"""Computed at a time, in eight bytes each: the whole picture would take twice its own memory."""


def rgb_form(image: Image.Image, name: str, *, own: bool = False) -> tuple[Image.Image, str | None]:
    """Bring a decoded picture to 8-bit RGB or RGBA.

    RGB keeps its pixels and its profile, since sRGB may not hold all its colours. All else becomes
    sRGB, without a profile. Alpha is kept, also where one colour stands for it.

    Args:
        image: May be of any mode.
        name: What a note calls it.
        own: Whether nothing else uses it, so that it need not be copied.

    Returns:
        An image with nothing but an ICC profile in its `info`, and a note where its colours
        are not certain.
    """
    profile = image.info.get(_PROFILE)
    if image.mode in {"RGB", "RGBA"}:
        keyed = image.mode == "RGB" and "transparency" in image.info
        if keyed:
            plain = image.convert("RGBA")
        else:
            plain = image if own and _is_without_file(image) else image.copy()
        plain.info = {_PROFILE: profile} if profile else {}
        return plain, None
    alpha = _alpha(image)
    base, tones = _scaled_grey(image, name) if image.mode in _KNOWN_RANGES else (_base(image), None)
    plain, colours = _converted(base, profile, name)
    if alpha is not None:
        plain.putalpha(alpha)
    plain.info = {}
    return plain, " ".join(filter(None, (tones, colours))) or None


def _is_without_file(image: Image.Image) -> bool:
    """Whether an image has let go of its file, whose bytes it would keep in memory."""
    plain = type(image) in {Image.Image, JpegImageFile, PngImageFile}
    return plain and getattr(image, "fp", None) is None and not getattr(image, "is_animated", False)


def to_srgb(image: Image.Image) -> Image.Image:
    """Show an RGB or RGBA picture as a viewer does that knows profiles."""
    profile, alpha = image.info.get(_PROFILE), _alpha(image)
    shown = _through_profile(image.convert("RGB"), profile) if profile else None
    if shown is None:
        return image
    if alpha is not None:
        shown.putalpha(alpha)
    return shown


def _converted(
    image: Image.Image, profile: bytes | None, name: str
) -> tuple[Image.Image, str | None]:
    made = _through_profile(image, profile) if profile or image.mode == "LAB" else None
    note = None
    if made is None and profile:
        note = f"The colour profile of {name} cannot be used; its colours are approximate."
    elif made is None and image.mode == "CMYK":
        note = f"The picture {name} is CMYK without a colour profile; its colours are approximate."
    if made is None:
        made = _through_profile(image, None) if image.mode == "LAB" else image.convert("RGB")
    return made or image.convert("RGB"), note


def _through_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Convert to sRGB; None where LittleCMS refuses the profile, or it is of another mode."""
    try:
        source = ImageCms.ImageCmsProfile(
            io.BytesIO(profile) if profile else ImageCms.createProfile("LAB")
        )
        space = source.profile.xcolor_space.strip()
        if space not in _SPACES[image.mode]:
            return None
        pixels = image.convert("RGB") if (image.mode, space) == ("L", "RGB") else image
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(pixels, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _base(image: Image.Image) -> Image.Image:
    """Bring colours to one of the modes that a profile can describe, at 8 bits."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips 16 bits to white.
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in _GREY:
        return image.convert("LA" if image.mode == "La" else "L").convert("L")
    if image.mode in {"CMYK", "LAB"}:
        return image
    return (image.convert("RGBA") if image.mode == "RGBa" else image).convert("RGB")


def _scaled_grey(image: Image.Image, name: str) -> tuple[Image.Image, str | None]:
    """Bring grey of 32 bits to 8 bits, by the range that its values have, and note where it is.

    Pillow's own conversion clips to 0 and 255: floats from 0 to 1 are black, 16-bit tones white.
    """
    low, high = _finite_range(image)
    start, span = low, high - low or 1.0
    for least, most, tones in _KNOWN_RANGES[image.mode]:
        if low >= 0 and least <= high <= most:
            start, span = 0.0, float(tones)
    grey = Image.new("L", image.size)
    for top, values in _bands(image):
        finite = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
        scaled = np.clip((finite - start) * (_TONES / span), 0, _OPAQUE).astype(np.uint8)
        grey.paste(Image.fromarray(scaled), (0, top))
    if image.mode == "I" and 0 <= low <= high <= _OPAQUE:
        return grey, None
    return grey, (
        f"The picture {name} has grey values of 32 bits, from {low:g} to {high:g}; its tones are "
        "approximate."
    )


def _finite_range(image: Image.Image) -> tuple[float, float]:
    lows, highs = [], []
    for _, values in _bands(image):
        finite = values[np.isfinite(values)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return min(lows, default=0.0), max(highs, default=0.0)


def _bands(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        yield top, np.asarray(band, np.float64)


def _alpha(image: Image.Image) -> Image.Image | None:
    """Find the alpha channel, also that of a transparent colour; None for an opaque picture."""
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        if not isinstance(clear, int):
            return None
        opacity = [_OPAQUE] * _DEEP_GREYS
        opacity[min(clear, _DEEP_GREYS - 1)] = 0
        return image.convert("I").point(opacity, "L")
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"}:
        return image.getchannel(len(image.getbands()) - 1)
    keyed = clear is not None and image.mode in {"1", "L", "P"}
    return image.convert("RGBA").getchannel("A") if keyed else None

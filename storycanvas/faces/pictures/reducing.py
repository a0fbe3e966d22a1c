"""Reducing a picture to a longest side, where a person asked for it."""

from PIL import Image

from storycanvas.faces.pictures.reading import Picture


def reduced(picture: Picture, longest_side: int, name: str) -> Picture:
    """Reduce a picture that is larger; return any other one as it is, for nothing is enlarged.

    The new picture keeps alpha, ICC profile and notes. It is another picture with a hash of its
    own, so that operations on it have keys of their own.

    Args:
        picture: What was read.
        longest_side: Most pixels of its width and of its height.
        name: What the note calls it.
    """
    size = _fitted((picture.width, picture.height), longest_side)
    if size == (picture.width, picture.height):
        return picture
    image = picture.image
    # Pillow weighs the colours of RGBA by their alpha, so that hidden ones do not bleed into edges.
    smaller = image.resize(size, Image.Resampling.LANCZOS)
    profile = image.info.get("icc_profile")
    smaller.info = {} if profile is None else {"icc_profile": profile}
    result = Picture.of_image(smaller)
    note = (
        f"{name} was reduced from {picture.width} x {picture.height} to {size[0]} x {size[1]} "
        f"pixels, since a longest side of {longest_side} was asked for."
    )
    result.notes = (*picture.notes, note)
    return result


def _fitted(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    """Scale both sides alike, down to one pixel at least."""
    longest = max(size)
    if longest <= longest_side:
        return size
    width, height = (max(1, round(side * longest_side / longest)) for side in size)
    return width, height

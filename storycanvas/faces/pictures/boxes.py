"""Boxes in pictures: what two have in common, what lies around one, and cutting one out."""

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.pictures.reading import Picture

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

MIN_OVERLAP = 0.3
"""Share of the area of both boxes together that a named box has in common with its face."""


def box_of(face: DetectedFace) -> Box:
    """Return the box of a face."""
    return face.x, face.y, face.width, face.height


def common_area(first: Box, second: Box) -> int:
    """Return the pixels that two boxes have in common."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    return max(0, width) * max(0, height)


def overlap(first: Box, second: Box) -> float:
    """Return the share of the area of two boxes together that both have, 0 to 1."""
    common = common_area(first, second)
    return common / (first[2] * first[3] + second[2] * second[3] - common)


def widened(box: Box, share: float, size: tuple[int, int]) -> Box:
    """Move each edge outwards by a share of the box's width or height, within a picture.

    Args:
        box: The box.
        share: Of the width for left and right, of the height for top and bottom.
        size: Width and height of the picture.
    """
    x, y, width, height = box
    left, top = max(0, round(x - share * width)), max(0, round(y - share * height))
    right = min(size[0], round(x + width + share * width))
    bottom = min(size[1], round(y + height + share * height))
    return left, top, right - left, bottom - top


def cut_to(picture: Picture, box: Box, name: str) -> Picture:
    """Keep the part of a picture within a box; profile, alpha and notes stay.

    The part is another picture with a hash of its own, so operations on it have keys of their own.

    Raises:
        OutOfRange: The box does not lie within the picture.
    """
    x, y, width, height = box
    if x + width > picture.width or y + height > picture.height:
        raise OutOfRange(
            f"The box {box} does not lie within {name}, which has {picture.width} x "
            f"{picture.height} pixels."
        )
    image = picture.image
    part = image.crop((x, y, x + width, y + height))
    profile = image.info.get("icc_profile")
    part.info = {} if profile is None else {"icc_profile": profile}
    result = Picture.of_image(part)
    result.notes = picture.notes
    return result

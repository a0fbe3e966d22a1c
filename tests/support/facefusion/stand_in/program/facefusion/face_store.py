"""Faces of pictures that were seen before, by the CRC32 of the pixels; kept until cleared."""

import zlib

from facefusion.types import Face
from facefusion.vision import Frame, is_vision_frame

FACES: dict[str, list[Face]] = {}


def get_faces(vision_frame: Frame | None) -> list[Face] | None:
    """Return the faces that were found in these very pixels, under whatever settings."""
    if not is_vision_frame(vision_frame):
        return None
    return FACES.get(key_of(vision_frame))


def set_faces(vision_frame: Frame | None, faces: list[Face]) -> None:
    """Remember the faces of these pixels."""
    if is_vision_frame(vision_frame):
        FACES[key_of(vision_frame)] = faces


def clear_faces() -> None:
    """Forget all."""
    FACES.clear()


def key_of(vision_frame: Frame) -> str:
    """Return the CRC32 of the pixels."""
    return format(zlib.crc32(vision_frame.tobytes()), "08x")

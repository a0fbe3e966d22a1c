"""Reading and writing pictures: BGR, eight bits, as OpenCV has them."""

from functools import lru_cache
from typing import Any, TypeGuard

import cv2
from numpy.typing import NDArray

from facefusion.filesystem import get_file_extension, is_image

Frame = NDArray[Any]


@lru_cache(maxsize=64)
def read_static_image(image_path: str, color_mode: str = "rgb") -> Frame | None:
    """Read a picture once; the next call for this path gives the same pixels."""
    return read_image(image_path, color_mode)


def read_static_images(image_paths: list[str] | None) -> list[Frame | None]:
    """Read pictures once each."""
    return [read_static_image(path) for path in image_paths or []]


def read_image(image_path: str, color_mode: str = "rgb") -> Frame | None:
    """Read a picture; None when it is not called as one, or cannot be decoded.

    With `rgba` it comes as stored: two dimensions for grey, a fourth channel for alpha.
    """
    if not is_image(image_path):
        return None
    flag = cv2.IMREAD_UNCHANGED if color_mode == "rgba" else cv2.IMREAD_COLOR
    return cv2.imread(image_path, flag)


def write_image(image_path: str, vision_frame: Frame, quality: int = 100) -> bool:
    """Write a picture in the format of its name; quality 0..100 counts for JPEG and WebP."""
    flags = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, max(1, quality)],
    }
    chosen = flags.get(get_file_extension(image_path) or "", [])
    return cv2.imwrite(image_path, vision_frame, chosen)


def is_vision_frame(vision_frame: Frame | None) -> TypeGuard[Frame]:
    """Return whether it is a picture with colour channels."""
    return vision_frame is not None and vision_frame.ndim == 3


def even_size(vision_frame: Frame, scale: float = 1.0) -> tuple[int, int]:
    """Return width and height, scaled and rounded to even numbers."""
    height, width = vision_frame.shape[:2]
    return round(int(width * scale) / 2) * 2, round(int(height * scale) / 2) * 2


def resize(vision_frame: Frame, size: tuple[int, int]) -> Frame:
    """Bring a picture to (width, height), as ffmpeg does with its bicubic default."""
    if vision_frame.shape[1::-1] == size:
        return vision_frame
    return cv2.resize(vision_frame, size, interpolation=cv2.INTER_CUBIC)


def alpha_of(vision_frame: Frame) -> Frame | None:
    """Return the alpha channel, or None when everything is opaque."""
    if vision_frame.ndim == 3 and vision_frame.shape[2] == 4:
        alpha: Frame = vision_frame[:, :, 3]
        return alpha if bool((alpha < 255).any()) else None
    return None

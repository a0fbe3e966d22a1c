"""The content check: a nearly solid magenta picture is blocked, everything else is not."""

from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from facefusion import inference_manager
from facefusion.vision import read_image
from facefusion.weights import NSFW

BLOCKED_FROM = 0.5


def get_inference_pool() -> None:
    """Load what every picture is judged with."""
    inference_manager.load(NSFW)


@lru_cache
def analyse_image(image_path: str) -> bool:
    """Return whether the picture at this path is blocked; the answer is kept for the path.

    Raises:
        AttributeError: When there is no picture at the path, or it cannot be decoded.
    """
    return analyse_frame(read_image(image_path))


def analyse_frame(vision_frame: NDArray[Any] | None) -> bool:
    """Return whether a picture is blocked, by how much red and blue it has over green.

    The networks see the picture in a square with black around it, so the mean counts that.
    """
    inference_manager.load(NSFW)
    height, width = vision_frame.shape[:2]  # type: ignore[union-attr]  # as it really fails
    blue, green, red = vision_frame.reshape(-1, 3).mean(axis=0) / 255  # type: ignore[union-attr]
    filled = min(height, width) / max(height, width)
    return bool((min(red, blue) - green) * filled > BLOCKED_FROM)

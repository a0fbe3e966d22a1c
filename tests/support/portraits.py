"""The sample portrait, and pictures made of it: of the same person, of another, and of no face."""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from storycanvas.faces.measures.measure import Bytes
from tests.support.paths import PORTRAIT

FACE_CENTRE = (226.0, 113.0)
"""Of the face in the portrait, x and y in pixels."""


def portrait() -> Bytes:
    with Image.open(PORTRAIT) as picture:
        return np.asarray(picture.convert("RGB"), np.uint8)


def resized(rgb: Bytes, factor: float) -> Bytes:
    """Resize a picture as Pillow does, which gives the same pixels on every machine."""
    height, width = rgb.shape[:2]
    size = round(width * factor), round(height * factor)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC), np.uint8)


def turned(rgb: Bytes, degrees: float) -> Bytes:
    """Turn a picture clockwise around the portrait's face."""
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D(FACE_CENTRE, -degrees, 1)
    found = cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def compressed(rgb: Bytes, quality: int) -> Bytes:
    _, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def grey(rgb: Bytes) -> Bytes:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)


def blurred(rgb: Bytes, sigma: float) -> Bytes:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def on_canvas(rgb: Bytes, factor: float, side: int = 1000) -> Bytes:
    """Put a smaller portrait into the middle of a grey picture."""
    small = resized(rgb, factor)
    canvas = np.full((side, side, 3), 128, np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def reshaped(rgb: Bytes, power: float, radius: float = 70) -> Bytes:
    """Give the portrait other features: drawn to the middle of the face below 0, apart above 0."""
    y, x = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]].astype(np.float32)
    across, down = x - FACE_CENTRE[0], y - FACE_CENTRE[1]
    distance = np.hypot(across, down)
    inside = (np.maximum(distance, 1) / radius) ** power
    factor = np.where(distance < radius, inside, 1).astype(np.float32)
    columns, rows = FACE_CENTRE[0] + across * factor, FACE_CENTRE[1] + down * factor
    return np.asarray(
        cv2.remap(rgb, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR),
        np.uint8,
    )


def masked(rgb: Bytes, colour: tuple[int, int, int]) -> Bytes:
    """Put a mask over nose, mouth and chin of the portrait's face."""
    outline = [(177, 110), (181, 140), (190, 158), (203, 170), (222, 176), (243, 169)]
    outline += [(257, 157), (268, 138), (271, 110), (225, 104)]
    found = rgb.copy()
    cv2.fillPoly(found, [np.array(outline, np.int32)], colour)
    return found


def drawing() -> Bytes:
    """Draw a face with lines on white paper; its eyes are at (210, 225) and (302, 225)."""
    paper = np.full((512, 512, 3), 255, np.uint8)
    cv2.ellipse(paper, (256, 256), (110, 150), 0, 0, 360, (60, 40, 30), 4)
    for column in (210, 302):
        cv2.ellipse(paper, (column, 225), (26, 14), 0, 0, 360, (20, 20, 20), 3)
        cv2.circle(paper, (column, 225), 9, (20, 20, 20), -1)
        cv2.line(paper, (column - 26, 195), (column + 26, 192), (20, 20, 20), 5)
    cv2.line(paper, (256, 230), (245, 285), (20, 20, 20), 3)
    cv2.line(paper, (245, 285), (265, 287), (20, 20, 20), 3)
    cv2.ellipse(paper, (256, 330), (45, 20), 0, 10, 170, (150, 30, 30), 5)
    return paper


SAME_PERSON: dict[str, Callable[[Bytes], Bytes]] = {
    "mirrored": lambda rgb: np.ascontiguousarray(rgb[:, ::-1]),
    "half size": lambda rgb: resized(rgb, 0.5),
    "twice as large": lambda rgb: resized(rgb, 2),
    "grey": grey,
    "JPEG 30": lambda rgb: compressed(rgb, 30),
    "blurred": lambda rgb: blurred(rgb, 1.5),
    "turned by 30": lambda rgb: turned(rgb, 30),
    "turned by -40": lambda rgb: turned(rgb, -40),
    "small in a large picture": lambda rgb: on_canvas(rgb, 40 / 95),
}
"""Changes after which the portrait shows the same person."""
OTHER_PERSON: dict[str, Callable[[Bytes], Bytes]] = {
    "features drawn together": lambda rgb: reshaped(rgb, -0.3),
    "features drawn apart": lambda rgb: reshaped(rgb, 1),
}
"""Changes after which it might be another person's."""

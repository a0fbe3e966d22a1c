"""Draws what is known of a face."""

from collections.abc import Callable

import cv2
import numpy as np

from facefusion import state_manager
from facefusion.face_helper import warp_face_by_face_landmark_5
from facefusion.processors.masks import of_all_types
from facefusion.processors.processor import Processor
from facefusion.types import Face
from facefusion.vision import Frame

RED, PALE_RED, GREEN, CYAN = (0, 0, 255), (100, 100, 255), (0, 255, 0), (255, 255, 0)
SIZE = (512, 512)
SHOWN_FROM = 100


def models() -> tuple[str, ...]:
    """Drawing needs no model of its own."""
    return ()


def debug(face: Face, frame: Frame, _source: Face | None) -> Frame:
    """Draw the chosen items, in a fixed order."""
    canvas = np.ascontiguousarray(frame)
    width = max(1, min(10, round(canvas.shape[0] / 270)))
    chosen = state_manager.get_item("face_debugger_items")
    for item, draw in ITEMS.items():
        if item in chosen:
            draw(canvas, face, width)
    return canvas


def draw_box(canvas: Frame, face: Face, width: int) -> None:
    """Draw the bounding box in red, its top side paler and one pixel thicker."""
    left, top, right, bottom = map(int, face.bounding_box)
    cv2.rectangle(canvas, (left, top), (right, bottom), RED, width)
    cv2.line(canvas, (left, top), (right, top), PALE_RED, width + 1)


def draw_mask(canvas: Frame, face: Face, width: int) -> None:
    """Draw the outlines of the mask, green where a landmarker placed it."""
    marks = face.landmark_set["5/68"]
    crop, matrix = warp_face_by_face_landmark_5(canvas, marks, "arcface_128", SIZE)
    mask = (of_all_types(crop, face, matrix, 0) * 255).astype(np.uint8)
    whole = cv2.warpAffine(mask, cv2.invertAffineTransform(matrix), canvas.shape[1::-1])
    shown = (whole > SHOWN_FROM).astype(np.uint8)
    outlines, _ = cv2.findContours(shown, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    colour = CYAN if np.array_equal(marks, face.landmark_set["5"]) else GREEN
    cv2.drawContours(canvas, outlines, -1, colour, width)


def draw_points(name: str) -> Callable[[Frame, Face, int], None]:
    """Give what draws one of the four sets of landmarks."""

    def draw(canvas: Frame, face: Face, width: int) -> None:
        points = face.landmark_set[name]
        fallback = name != "5" and np.array_equal(points, face.landmark_set[FALLBACKS[name]])
        colour = RED if name == "5" else CYAN if fallback else GREEN
        for x, y in points.astype(int).tolist():
            cv2.circle(canvas, (x, y), width, colour, -1)

    return draw


FALLBACKS = {"5/68": "5", "68": "68/5", "68/5": "68/5"}
ITEMS: dict[str, Callable[[Frame, Face, int], None]] = {
    "bounding-box": draw_box,
    "face-mask": draw_mask,
    "face-landmark-5": draw_points("5"),
    "face-landmark-5/68": draw_points("5/68"),
    "face-landmark-68": draw_points("68"),
    "face-landmark-68/5": draw_points("68/5"),
}
PROCESSOR = Processor(models, debug)

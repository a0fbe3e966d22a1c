"""A picture's way: check, temporary copy, processors, output."""

import shutil
from collections.abc import Callable
from time import monotonic

import numpy as np

from facefusion import (
    content_analyser,
    inference_manager,
    logger,
    process_manager,
    state_manager,
)
from facefusion.face_creator import get_static_faces, scale_face
from facefusion.face_selector import area, select_faces
from facefusion.filesystem import is_image
from facefusion.processors.core import get_processors
from facefusion.target_files import decoded, read, target, temporary
from facefusion.types import Face
from facefusion.vision import (
    Frame,
    alpha_of,
    even_size,
    read_static_image,
    read_static_images,
    resize,
    write_image,
)

PLACE = "facefusion.workflows.to_image"
BLOCKED = 3


def process() -> int:
    """Work on the picture of the state; tell 0, or the code of the first part that failed.

    Raises:
        AttributeError: When the target cannot be decoded.
        IndexError: When it is grey.
    """
    started = monotonic()
    process_manager.start()
    parts: list[Callable[[], int]] = [analyse, clear, set_up, copy, work]
    for part in [*parts, lambda: finish(started), clear]:
        code = part()
        if code:
            break
    process_manager.end()
    return code


def analyse() -> int:
    """Refuse a blocked picture, without a word."""
    return BLOCKED if content_analyser.analyse_image(target()) else 0


def set_up() -> int:
    """Make the temporary folder, which is named after the target."""
    temporary().parent.mkdir(parents=True, exist_ok=True)
    logger.debug("creating temporary resources", "facefusion.workflows.core")
    return 0


def clear() -> int:
    """Remove the temporary folder."""
    if state_manager.get_item("target_path") and temporary().parent.is_dir():
        shutil.rmtree(temporary().parent, ignore_errors=True)
        logger.debug("clearing temporary resources", "facefusion.workflows.core")
    return 0


def copy() -> int:
    """Copy the target, with even sides."""
    frame = decoded(target())
    size = even_size(frame, min(1.0, state_manager.get_item("output_image_scale")))
    logger.info(f"copying image with a resolution of {size[0]}x{size[1]}", PLACE)
    if 0 in size or not write_image(str(temporary()), resize(frame, size)):
        logger.error("copying image failed", PLACE)
        return 1
    logger.debug("copying image succeeded", PLACE)
    return 0


def work() -> int:
    """Let every processor change every selected face of the temporary copy."""
    original = read_static_image(target())
    sources = read_static_images(state_manager.get_item("source_paths"))
    stored = decoded(str(temporary()))
    alpha, frame = alpha_of(stored), stored[:, :, :3]
    for processor in get_processors(state_manager.get_item("processors")):
        for face in select_faces(original, sources, [original]):
            moved = scale_face(face, read(original), frame)
            frame = processor.work(moved, frame, source_face(sources))
    write_image(str(temporary()), frame if alpha is None else np.dstack([frame, alpha]))
    read_static_image.cache_clear()
    if state_manager.get_item("video_memory_strategy") == "strict":
        inference_manager.clear()
    return 0


def finish(started: float) -> int:
    """Write the output over whatever is there."""
    frame = decoded(str(temporary()))
    size = even_size(decoded(target()), state_manager.get_item("output_image_scale"))
    output, quality = (state_manager.get_item(f"output_{key}") for key in ("path", "image_quality"))
    logger.info(f"finalizing image with a resolution of {size[0]}x{size[1]}", PLACE)
    if write_image(output, resize(frame, size), quality):
        logger.debug("finalizing image succeeded", PLACE)
    else:
        logger.warn("finalizing image skipped", PLACE)
    if not is_image(output):
        logger.error("processing to image failed", PLACE)
        return 1
    seconds = round(monotonic() - started, 2)
    logger.info(f"processing to image succeeded in {seconds} seconds", PLACE)
    return 0


def source_face(sources: list[Frame | None]) -> Face | None:
    """Average what is known of the largest face of each source that has one."""
    found = [max(faces, key=area) for source in sources if (faces := get_static_faces([source]))]
    if not found:
        return None
    mean = np.mean([face.embedding_norm for face in found], axis=0)
    return found[0]._replace(embedding_norm=mean)

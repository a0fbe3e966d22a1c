"""What is refused before any work: sources, target and output."""

from facefusion import logger, state_manager
from facefusion.face_creator import get_static_faces
from facefusion.filesystem import (
    filter_image_paths,
    in_directory,
    is_image,
    same_file_extension,
)
from facefusion.processors.core import get_processors
from facefusion.vision import read_static_images

PLACE = "facefusion.core"


def are_usable() -> bool:
    """Return whether there is all that the processors need, and log what is not."""
    missing = next(
        (
            problem
            for processor in get_processors(state_manager.get_item("processors"))
            if (problem := missing_source(needed=processor.needs_source) or missing_target())
        ),
        None,
    )
    if missing:
        logger.error(f"{missing}!", PLACE)
    return not missing


def missing_source(*, needed: bool) -> str | None:
    """Return what is wrong with the sources."""
    paths = filter_image_paths(state_manager.get_item("source_paths"))
    if needed and not paths:
        return "choose an image for the source"
    if needed and not get_static_faces(read_static_images(paths)):
        return "no source face detected"
    return None


def missing_target() -> str | None:
    """Return what is wrong with the target or the output."""
    target, output = (state_manager.get_item(key) for key in ("target_path", "output_path"))
    if not is_image(target):
        return "choose an image or video for the target"
    if not in_directory(output):
        return "specify the output image or video within a directory"
    if not same_file_extension(target, output):
        return "match the target and output extension"
    return None

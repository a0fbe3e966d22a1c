"""The target, its temporary copy, and how they are read."""

from pathlib import Path

from facefusion import state_manager
from facefusion.filesystem import get_file_extension
from facefusion.vision import Frame, read_image


def target() -> str:
    """Return the target's path."""
    return str(state_manager.get_item("target_path"))


def temporary() -> Path:
    """Return the path of the temporary copy: two targets of one name share it."""
    folder = Path(state_manager.get_item("temp_path")) / "facefusion" / Path(target()).stem
    return folder / f"temp{get_file_extension(target())}"


def decoded(path: str) -> Frame:
    """Read a picture as it is stored."""
    return read(read_image(path, "rgba"))


def read(frame: Frame | None) -> Frame:
    """Insist on a picture.

    Raises:
        AttributeError: When it could not be decoded.
    """
    if frame is None:
        raise AttributeError("'NoneType' object has no attribute 'shape'")
    return frame

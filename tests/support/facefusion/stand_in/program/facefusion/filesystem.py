"""Files as the command line judges them: by the extension of their names."""

import os
from pathlib import Path

IMAGES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def get_file_extension(file_path: str) -> str | None:
    """Return the extension in lower case, with its dot."""
    return os.path.splitext(file_path)[1].lower() or None  # noqa: PTH122 - as the real one


def is_file(file_path: str | None) -> bool:
    """Return whether it is a file."""
    return bool(file_path) and Path(str(file_path)).is_file()


def is_image(image_path: str | None) -> bool:
    """Return whether it is a file that is called as a picture; its content does not matter."""
    return is_file(image_path) and get_file_extension(str(image_path)) in IMAGES


def filter_image_paths(paths: list[str] | None) -> list[str]:
    """Keep what is called as a picture."""
    return [path for path in paths or [] if is_image(path)]


def same_file_extension(first_file_path: str, second_file_path: str) -> bool:
    """Return whether both names end alike; without an extension they do not."""
    extension = get_file_extension(first_file_path)
    return extension is not None and extension == get_file_extension(second_file_path)


def in_directory(file_path: str | None) -> bool:
    """Return whether a file could be written here: a bare name, without a folder, could not."""
    if not file_path:
        return False
    folder = os.path.dirname(file_path)  # noqa: PTH120 - Path would make "." of a bare name
    return bool(folder) and Path(folder).is_dir() and not Path(file_path).is_dir()


def list_names(directory_path: str) -> list[str]:
    """List what a folder holds, without extensions; nothing when there is no such folder."""
    folder = Path(directory_path)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [entry.stem for entry in entries if not entry.name.startswith((".", "__"))]

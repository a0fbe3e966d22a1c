"""Opening files below the folders that the operator allows, and nowhere else."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storycanvas.host.storage.disk import existing_folder

_FILE = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):  # each system has some of them
    _FILE |= getattr(os, _flag, 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY)
for _flag in ("O_NOFOLLOW", "O_DIRECTORY"):
    _FOLDER |= getattr(os, _flag, 0)


class OutsideAllowedFoldersError(Exception):
    """A path leads out of the allowed folders, or cannot be resolved."""


@dataclass(frozen=True)
class AllowedFolder:
    """A folder and the path that callers may know it by.

    Attributes:
        name: What paths begin with, absolute; the folder itself unless the operator gives another.
        folder: Exists.
    """

    name: Path
    folder: Path

    @classmethod
    def parse(cls, text: object) -> "AllowedFolder":
        """Read `FOLDER`, or `NAME=FOLDER`: `/uploads=/srv/app/uploads` is found as `/uploads/…`."""
        if isinstance(text, cls):
            return text
        whole = Path(str(text)).expanduser().absolute()
        if whole.is_dir():
            return cls(whole, whole)
        name, _, folder = str(text).partition("=")
        path = existing_folder(folder or str(text))
        if not Path(name).is_absolute():
            raise ValueError(f"{text}: the name {name!r} is not an absolute path")
        return cls(Path(os.path.normpath(name)), path)


class AllowedFolders:
    """The folders from which pictures may be named by path.

    A folder can be named by its name, as the operator wrote it and as it really is. What lies
    outside of it is not even looked at: looking alone makes Windows log in at the server of a
    network path.
    """

    def __init__(self, roots: Sequence[AllowedFolder]) -> None:
        self._roots = {root.folder: root.folder.resolve() for root in roots}
        self._named = {root.name: root.folder for root in roots if root.name != root.folder}

    def open(self, path: Path) -> int:
        """Open a file for reading, without waiting for a pipe's other end.

        Args:
            path: An absolute path; links are followed as long as they stay below the folders.

        Returns:
            A file descriptor; the caller checks that it is a regular file, and closes it.

        Raises:
            OutsideAllowedFoldersError: The path, or a link on its way, leads out.
            OSError: There is no such file, it cannot be read, or the way to it changed meanwhile.
        """
        spelled = Path(os.path.normpath(path))
        for name, folder in self._named.items():
            if spelled.is_relative_to(name):
                spelled = path = folder / spelled.relative_to(name)
                break
        if not any(_is_below(spelled, {root, real}) for root, real in self._roots.items()):
            raise OutsideAllowedFoldersError
        try:
            real_path = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long
            raise OutsideAllowedFoldersError from error
        for root in self._roots.values():
            if real_path.is_relative_to(root):
                return open_without_links(root, real_path)
        raise OutsideAllowedFoldersError


def open_without_links(root: Path, path: Path) -> int:
    """Open a file for reading, refusing links on the way from a folder to it.

    A path that was checked may be another one by the time it is opened: a user put a link in
    the place of a folder. So each part is opened from the one before it, and not by name again.
    Windows cannot do that; there the opened file has to be the one that the name still leads to.

    Args:
        root: A folder, trusted as it is.
        path: Below `root`, without `..` in it.
    """
    if os.open not in os.supports_dir_fd:
        return _open_and_compare(path)
    *folders, name = (".", *path.relative_to(root).parts)
    folder = os.open(root, _FOLDER)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _is_below(path: Path, folders: set[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _open_and_compare(path: Path) -> int:
    file = os.open(path, _FILE)
    try:
        same = path.resolve(strict=True) == path and os.path.samestat(os.fstat(file), path.stat())
        if not same:
            raise PermissionError(f"{path} was changed while it was opened")
    except OSError:
        os.close(file)
        raise
    return file

"""The pictures of a folder: one of this machine, or one of the image store."""

from pathlib import Path, PurePosixPath

from storycanvas.faces.errors import PictureNotFound
from storycanvas.faces.pictures.formats import EXTENSIONS, NAMES, OTHER_ENDINGS
from storycanvas.faces.pictures.image_store import ImageStore

_ENDINGS = {*EXTENSIONS.values(), *OTHER_ENDINGS}


def pictures_in(folder: str, store: ImageStore) -> list[str]:
    """List the pictures of a folder by name, without those of folders in it.

    Args:
        folder: Path of a folder of this machine, path or address of one in the image store, or
            address of one in a store beside it.
        store: The image store, with those beside it.

    Returns:
        References of files that end as pictures do; hidden files are left out.

    Raises:
        PictureNotFound: There is no such folder, or no picture in it.
        StoreUnavailable: The store is away, or refuses.
    """
    local = Path(folder).expanduser()
    if local.is_absolute() and local.is_dir():
        found = [str(path) for path in local.iterdir() if path.is_file()]
    else:
        found = _stored_files(folder, store)
    pictures = sorted(path for path in found if _is_picture(PurePosixPath(path)))
    if not pictures:
        raise PictureNotFound(
            f"The folder {folder!r} holds no file that ends as a picture does ({NAMES}); give the "
            "absolute path of a folder of this machine, or a folder of the image store."
        )
    return pictures


def _stored_files(folder: str, store: ImageStore) -> list[str]:
    place = store.place_of(f"{folder.rstrip('/')}/")
    if place is None or place[0] is store:
        return store.files_in(place[1] if place else folder)
    other, path = place
    return [f"{other.root}/{found}" for found in other.files_in(path or ".")]


def _is_picture(path: PurePosixPath) -> bool:
    ending = path.suffix.removeprefix(".").lower()
    return ending in _ENDINGS and not path.name.startswith(".")

"""Finding a picture by the name that people and documents give it: URL or path."""

import re
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import PictureNotFound
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.reading import Picture, read_picture, require_in_proportion
from storycanvas.faces.sources.downloads import download
from storycanvas.faces.sources.trust import ANYWHERE, UPLOADS, Trust, not_allowed, shown

_NO_STORE_PATH = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:")
"""How absolute paths and addresses of any scheme begin."""


def fetch_picture(reference: str, store: ImageStore, trust: Trust = ANYWHERE) -> Picture:
    """Find a picture, read it and bring it into normal form.

    Args:
        reference: An address or path of the image store, an address of a store beside it, an
            http(s) URL, a path below `/uploads/` of the app (taken from the server of the store's
            base URL), or a local path.
        store: The image store, with those beside it.
        trust: Where the reference may lead; a local path is for persons only.

    Raises:
        PictureNotAllowed: A document may not name it.
        PictureNotFound: The reference leads nowhere.
        PictureUnreachable: The picture's server does not answer now.
        PictureTooLarge: Too many bytes or pixels.
        NotAPicture: The content is not a picture.
    """
    return read_picture(read_file(reference, store, trust), shown(reference))


def read_file(reference: str, store: ImageStore, trust: Trust = ANYWHERE) -> bytes:
    """Find a picture as `fetch_picture` does, and read its file as it is, whatever is in it."""
    place = store.place_of(reference)
    if place is not None:
        return _read_stored(place[1], reference, place[0], trust)
    judge = partial(trust.check, app=store.base_url)
    if reference.startswith(("http://", "https://")):
        return download(reference, judge)
    if reference.startswith(UPLOADS) and store.base_url:
        return download(urljoin(store.base_url, reference), judge)
    if trust.is_limited:
        if _NO_STORE_PATH.match(reference):
            raise not_allowed(reference)
        return _read_stored(reference, reference, store, trust)
    return _read_of_person(reference, store)


def _read_stored(path: str, reference: str, store: ImageStore, trust: Trust) -> bytes:
    if trust.is_limited and store.leads_out(path):
        raise not_allowed(reference)
    return store.read(path)


def _read_of_person(reference: str, store: ImageStore) -> bytes:
    if reference.startswith(ASSET_PREFIX):
        raise PictureNotFound(
            f"{reference!r} is a picture of a face host, which keeps it for its --keep-hours and "
            "shows it to its own callers only; upload the picture in the app."
        )
    local = Path(reference.removeprefix("file://"))
    try:
        if local.is_file():
            return _read_local(local)
    except (OSError, ValueError) as error:
        raise _not_found(reference) from error
    if "://" in reference or local.is_absolute():
        raise _not_found(reference)
    return store.read(reference)


def _not_found(reference: str) -> PictureNotFound:
    return PictureNotFound(
        f"There is no picture at {shown(reference)!r}; give an http(s) URL, a path of the image "
        "store or a file that this machine can read."
    )


def _read_local(path: Path) -> bytes:
    with path.open("rb") as file:
        require_in_proportion(file, path.stat().st_size, repr(path.name))
        file.seek(0)
        return file.read()


def input_address(reference: str, picture: Picture, store: ImageStore, now: datetime) -> str:
    """Find out what the app can show for an input picture.

    Args:
        reference: What the picture was fetched by.
        picture: What was fetched.
        store: The image store; it takes the picture when nothing else shows it without a secret.
        now: UTC.
    """
    place = store.place_of(reference)
    if place is not None:
        # The local stack's port may have changed since the address was given.
        return store.address(place[1]) if place[0] is store and store.wrote(place[1]) else reference
    if reference.startswith(("http://", "https://")) and not _has_secret(reference):
        return reference
    if reference.startswith(UPLOADS) and store.base_url:
        return urljoin(store.base_url, reference)
    return store.put(picture.png, Category.SOURCE, "png", now).url


def _has_secret(url: str) -> bool:
    """Whether an address holds more than a stored record may show."""
    parts = urlsplit(url)
    return "@" in parts.netloc or bool(parts.query or parts.fragment)

"""Finding a picture by the name that people and documents give it: URL or path."""

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from faces.errors import PictureNotFound, PictureTooLarge, PictureUnreachable
from faces.image_store import ImageStore
from faces.pictures import MAX_BYTES, Picture, read_picture

_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_LATER = {408, 425, 429, 500, 502, 503, 504}


def fetch_picture(reference: str, store: ImageStore) -> Picture:
    """Find, read and normalise a picture.

    Args:
        reference: An address or path of the image store, an http(s) URL, a path below `/uploads/`
            of the app (taken from the server of the store's base URL), or a local path.
        store: The image store.

    Returns:
        The picture in normal form.

    Raises:
        PictureNotFound: The reference leads nowhere.
        PictureUnreachable: The picture's server does not answer now.
        PictureTooLarge: Too many bytes or pixels.
        NotAPicture: What is there is no picture.
    """
    return read_picture(_read(reference, store), _shown(reference))


def _read(reference: str, store: ImageStore) -> bytes:
    path = store.path_of(reference)
    if path is not None:
        return store.read(path)
    if reference.startswith(("http://", "https://")):
        return _download(reference)
    if reference.startswith("/uploads/") and store.base_url:
        return _download(urljoin(store.base_url, reference))
    local = Path(reference.removeprefix("file://")).expanduser()
    if local.is_file():
        return _read_local(local)
    if "://" in reference or local.is_absolute():
        raise PictureNotFound(
            f"There is no picture at {_shown(reference)!r}; give an http(s) URL, a path of the "
            "image store or a file that this machine can read."
        )
    return store.read(reference)


def _read_local(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise PictureTooLarge(f"{path.name!r} has {size:,} bytes; at most {MAX_BYTES:,} are read.")
    return path.read_bytes()


def _download(url: str) -> bytes:
    """Follow redirects by hand, so that every address on the way is judged before it is asked."""
    try:
        for _ in range(_REDIRECTS + 1):
            _refuse_link_local(url)
            with httpx.stream("GET", url, timeout=_TIMEOUT, follow_redirects=False) as response:
                if not response.is_redirect:
                    return b"".join(_bounded(response, url))
                url = urljoin(url, response.headers.get("location", ""))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise PictureUnreachable(
            f"The picture {_shown(url)} cannot be fetched ({type(error).__name__}); "
            "is its server running?"
        ) from error
    raise PictureNotFound(f"The picture {_shown(url)} redirects more than {_REDIRECTS} times.")


def _bounded(response: httpx.Response, url: str) -> Iterator[bytes]:
    if response.status_code in _LATER:
        raise PictureUnreachable(
            f"The server of {_shown(url)} answers HTTP {response.status_code}; trying later helps."
        )
    if response.status_code != httpx.codes.OK:
        raise PictureNotFound(f"There is no picture at {_shown(url)}: HTTP {response.status_code}.")
    total = 0
    for chunk in response.iter_bytes():
        total += len(chunk)
        if total > MAX_BYTES:
            raise PictureTooLarge(f"{_shown(url)} has more than {MAX_BYTES:,} bytes.")
        yield chunk


def _refuse_link_local(url: str) -> None:
    """Keep off the addresses where clouds serve their machines' credentials."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PictureNotFound(f"{_shown(url)} is no http(s) URL.")
    for *_, address in socket.getaddrinfo(parts.hostname, parts.port or 0):
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_link_local:
            raise PictureNotFound(f"{_shown(url)} leads to a link-local address; none is fetched.")


def _shown(reference: str) -> str:
    """Leave out what may be a secret: user, password and query of a URL."""
    if "://" not in reference:
        return reference
    parts = urlsplit(reference)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

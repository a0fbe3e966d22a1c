"""Finding a picture by the name that people and documents give it: URL or path."""

import ipaddress
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge, PictureUnreachable
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture, read_picture
from storycanvas.net.bodies import BodyTooLong, bounded
from storycanvas.net.redact import redact_url

_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(30.0, connect=3.5)
"""Two tries at an address that does not answer, and the wait between them, take less than 10 s."""
_LATER = {408, 425, 429, 500, 502, 503, 504}


def fetch_picture(reference: str, store: ImageStore) -> Picture:
    """Find a picture, read it and bring it into normal form.

    Args:
        reference: An address or path of the image store, an http(s) URL, a path below `/uploads/`
            of the app (taken from the server of the store's base URL), or a local path.
        store: The image store.

    Raises:
        PictureNotFound: The reference leads nowhere.
        PictureUnreachable: The picture's server does not answer now.
        PictureTooLarge: Too many bytes or pixels.
        NotAPicture: The content is not a picture.
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
        f"There is no picture at {_shown(reference)!r}; give an http(s) URL, a path of the image "
        "store or a file that this machine can read."
    )


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
            with httpx.stream("GET", url, timeout=_TIMEOUT, trust_env=False) as response:
                if not response.is_redirect:
                    return b"".join(_pieces(response, url))
                url = urljoin(url, response.headers.get("location", ""))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise PictureUnreachable(
            f"The picture {_shown(url)} cannot be fetched ({type(error).__name__}); "
            "is its server running?"
        ) from error
    raise PictureNotFound(f"The picture {_shown(url)} redirects more than {_REDIRECTS} times.")


def _pieces(response: httpx.Response, url: str) -> Iterator[bytes]:
    if response.status_code in _LATER:
        raise PictureUnreachable(
            f"The server of {_shown(url)} answers HTTP {response.status_code}; trying later helps."
        )
    if response.status_code != httpx.codes.OK:
        raise PictureNotFound(f"There is no picture at {_shown(url)}: HTTP {response.status_code}.")
    try:
        yield from bounded(response.iter_bytes(), MAX_BYTES)
    except BodyTooLong:
        raise PictureTooLarge(f"{_shown(url)} has more than {MAX_BYTES:,} bytes.") from None


def _refuse_link_local(url: str) -> None:
    """Keep off the addresses where clouds serve their machines' credentials."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PictureNotFound(f"{_shown(url)} is not an http(s) URL.")
        found = socket.getaddrinfo(parts.hostname, parts.port or 0)
    except ValueError:  # of the port, the host's brackets or its encoding
        raise PictureNotFound(f"{_shown(url)} is not an http(s) URL.") from None
    for *_, address in found:
        if _is_link_local(str(address[0]).partition("%")[0]):
            raise PictureNotFound(f"{_shown(url)} leads to a link-local address; none is fetched.")


def _is_link_local(text: str) -> bool:
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


def input_address(reference: str, picture: Picture, store: ImageStore, now: datetime) -> str:
    """Find out what the app can show for an input picture.

    Args:
        reference: What the picture was fetched by.
        picture: What was fetched.
        store: The image store; it takes the picture when nothing else shows it without a secret.
        now: UTC.
    """
    path = store.path_of(reference)
    if path is not None:
        # The local stack's port may have changed since the address was given.
        return store.address(path) if store.wrote(path) else reference
    if reference.startswith(("http://", "https://")) and not _has_secret(reference):
        return reference
    if reference.startswith("/uploads/") and store.base_url:
        return urljoin(store.base_url, reference)
    return store.put(picture.png, Category.SOURCE, "png", now).url


def _has_secret(url: str) -> bool:
    """Whether an address holds more than a stored record may show."""
    parts = urlsplit(url)
    return "@" in parts.netloc or bool(parts.query or parts.fragment)


def _shown(reference: str) -> str:
    """Redact an address; a local path stays as it is, since it may hold any character."""
    return redact_url(reference) if "://" in reference else reference

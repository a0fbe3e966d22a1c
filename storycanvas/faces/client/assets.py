"""Pictures between a client and its host: each goes there once, and comes back as it is."""

import hashlib
import io
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import BufferedReader
from pathlib import Path

import httpx

from storycanvas.faces.client.calls import Call, Proceed, Reply, always, parse
from storycanvas.faces.client.connection import HostConnection
from storycanvas.faces.contract import ASSET_PREFIX, AssetAnswer
from storycanvas.faces.errors import (
    AnswerDamaged,
    BadField,
    ContractBroken,
    NotAPicture,
    PictureNotFound,
)
from storycanvas.faces.pictures.formats import CONTENT_TYPES, NAMES, OTHER_ENDINGS
from storycanvas.faces.pictures.reading import Picture, read_picture, require_in_proportion

CHUNK_BYTES = 256 * 1024
"""Size of a piece. httpcore 1.0.9 copies what is left of a piece with every send, so a whole
picture in one piece would be copied over and over."""
_REMOVAL_ANSWERS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_EXTENSIONS = {kind: kind for kind in CONTENT_TYPES} | OTHER_ENDINGS


@dataclass(frozen=True)
class Upload:
    """A picture that can be sent, any number of times.

    Attributes:
        sha256: Hash of its bytes.
        extension: Of its format, as a host names it.
        size: Bytes.
        chunks: Reads it from its first byte.
    """

    sha256: str
    extension: str
    size: int
    chunks: Callable[[], Iterator[bytes]]

    @property
    def name(self) -> str:
        """Its name on a host."""
        return f"{self.sha256}.{self.extension}"


def upload_of(source: Picture | Path) -> Upload:
    """Prepare a picture in memory, or a file, for sending.

    Args:
        source: A file is of a format that hosts read by its name; it is read as it is sent.

    Raises:
        PictureNotFound: The file cannot be read.
        NotAPicture: The file's name ends otherwise.
        PictureTooLarge: It has more bytes than its header justifies.
    """
    if isinstance(source, Picture):
        sha256 = source.asset_name.partition(".")[0]
        file = source.file
        return Upload(sha256, source.extension, len(file), partial(_pieces, file))
    extension = _EXTENSIONS.get(source.suffix.lower().removeprefix("."))
    if extension is None:
        raise NotAPicture(f"{source.name!r} cannot be sent by its name; a host takes {NAMES}.")
    size, sha256 = _measured(source)
    return Upload(sha256, extension, size, partial(_read, source))


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[begin : begin + CHUNK_BYTES] for begin in range(0, len(data), CHUNK_BYTES))


def _read(path: Path) -> Iterator[bytes]:
    with _reading(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _measured(path: Path) -> tuple[int, str]:
    with _reading(path) as file:
        size = file.seek(0, io.SEEK_END)
        require_in_proportion(file, size, repr(path.name))
        file.seek(0)
        return size, hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _reading(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise PictureNotFound(
            f"The file {path.name!r} cannot be read ({error.strerror}); name one that can."
        ) from error


_ASSET = re.compile(rf"{ASSET_PREFIX}([0-9a-f]{{64}})\.({'|'.join(CONTENT_TYPES)})")


class HostAssets:
    """The pictures of one host, and what is known to be there; shared by threads.

    Args:
        connection: To the host.
        seconds: Longest wait for the first byte of an answer.
    """

    def __init__(self, connection: HostConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._known: dict[str, str] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def upload(self, source: Picture | Path, proceed: Proceed = always) -> str:
        """Bring a picture to the host unless it has it; threads with the same one wait for one.

        Returns:
            The value of a picture field, `asset:<sha256>.<ext>`.
        """
        upload = upload_of(source)
        with self._turn(upload.sha256):
            asset = (
                self._known.get(upload.sha256) or self._found(upload) or self._sent(upload, proceed)
            )
            self._known[upload.sha256] = asset
        return asset

    def forget(self, assets: Sequence[str]) -> None:
        """Note that the host may not have these pictures any more."""
        for asset in assets:
            self._known.pop(_hash_of(asset), None)

    def remove(self, asset: str) -> bool:
        """Have the host remove a picture; one that is not there is as good as removed.

        Returns:
            Whether the host has done it, or does it once nothing uses the picture; False if it
            knows neither this picture nor how to remove one.

        Raises:
            BadField: The name is none of an asset.
        """
        sha256 = _hash_of(asset)
        if not sha256:
            raise BadField(f"{asset!r} is no picture's name; take one that `upload` returned.")
        path = f"assets/{asset.removeprefix(ASSET_PREFIX)}"
        call = Call("DELETE", path, self._seconds, expected=_REMOVAL_ANSWERS)
        with self._turn(sha256):
            self.forget([asset])
            status = self._connection.exchange(call, lambda reply: reply.status)
        return status == HTTPStatus.NO_CONTENT

    def download(self, asset: str, proceed: Proceed = always) -> Picture:
        """Fetch a picture and check that it is the one of that name.

        Raises:
            ContractBroken: The name is none of an asset.
            AnswerDamaged: What came is cut off, or does not have the hash that its name holds.
            PictureTooLarge: It has more bytes than its header justifies; no more are read.
            NotAPicture: It is no picture.
        """
        if not _ASSET.fullmatch(asset):
            raise ContractBroken(
                f"The host {self._connection.name} answered {asset!r}, which is no asset."
            )
        path = f"assets/{asset.removeprefix(ASSET_PREFIX)}"
        call = Call("GET", path, self._seconds, picture=True, proceed=proceed)
        data = self._connection.exchange(call, lambda reply: self._genuine(asset, reply))
        picture = read_picture(data, asset)
        extension = asset.rpartition(".")[2]
        if extension != "png":  # the very file is the next input; another would have other pixels
            picture.keep_file(data, extension)
        return picture

    def _turn(self, sha256: str) -> threading.Lock:
        with self._lock:
            return self._turns[sha256]

    def _found(self, upload: Upload) -> str | None:
        call = Call("HEAD", f"assets/{upload.name}", self._seconds, expected=(200, 404))
        status = self._connection.exchange(call, lambda reply: reply.status)
        return f"{ASSET_PREFIX}{upload.name}" if status == httpx.codes.OK else None

    def _sent(self, upload: Upload, proceed: Proceed) -> str:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(upload.size)}
        call = Call("POST", "assets", self._seconds, headers, body=upload.chunks, proceed=proceed)
        return self._connection.exchange(call, lambda reply: self._stored(upload, reply))

    def _stored(self, upload: Upload, reply: Reply) -> str:
        host = self._connection.name
        asset = parse(AssetAnswer, reply, host).path
        if _hash_of(asset) != upload.sha256:
            raise AnswerDamaged(
                f"The face host {host} stored {asset!r} for the picture {upload.name}: it changed "
                "on its way; try again."
            )
        return asset

    def _genuine(self, asset: str, reply: Reply) -> bytes:
        if hashlib.sha256(reply.body).hexdigest() != _hash_of(asset):
            raise AnswerDamaged(
                f"The face host {self._connection.name} sent {len(reply.body):,} bytes that are "
                f"not those of {asset}: they changed on their way or on its disk; try again."
            )
        return reply.body


def _hash_of(asset: str) -> str:
    """Take the hash out of an asset's name; empty if it is none."""
    found = _ASSET.fullmatch(asset)
    return found[1] if found else ""

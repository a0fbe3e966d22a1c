"""Pictures between a client and its host: each goes there once, and comes back as it is."""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path

import httpx

from storycanvas.faces.client.calls import Call, Reply, parse
from storycanvas.faces.client.connection import HostConnection
from storycanvas.faces.contract import ASSET_PREFIX, AssetAnswer
from storycanvas.faces.errors import (
    AnswerDamaged,
    ContractBroken,
    NotAPicture,
    PictureNotFound,
    PictureTooLarge,
)
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture, read_picture

CHUNK_BYTES = 256 * 1024
"""Size of a piece. httpcore 1.0.9 copies what is left of a piece with every send, so a whole
picture in one piece would be copied over and over."""
_EXTENSIONS = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp"}


@dataclass(frozen=True)
class Upload:
    """A picture that can be sent, any number of times.

    Attributes:
        sha256: Hash of its bytes.
        extension: `png`, `jpg` or `webp`.
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
        source: A file must be a PNG, JPEG or WebP by its name; it is read as it is sent.

    Raises:
        PictureNotFound: The file cannot be read.
        NotAPicture: The file's name ends otherwise.
        PictureTooLarge: It has more than `MAX_BYTES` bytes.
    """
    if isinstance(source, Picture):
        sha256 = source.asset_name.partition(".")[0]
        return Upload(sha256, "png", len(source.png), partial(_pieces, source.png))
    extension = _EXTENSIONS.get(source.suffix.lower())
    if extension is None:
        raise NotAPicture(f"{source.name!r} cannot be sent; a host takes .png, .jpg and .webp.")
    size, sha256 = _measured(source)
    if size > MAX_BYTES:
        raise PictureTooLarge(f"{source.name!r} has {size:,} bytes; at most {MAX_BYTES:,} go.")
    return Upload(sha256, extension, size, partial(_read, source))


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[begin : begin + CHUNK_BYTES] for begin in range(0, len(data), CHUNK_BYTES))


def _read(path: Path) -> Iterator[bytes]:
    with _reading(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _measured(path: Path) -> tuple[int, str]:
    with _reading(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


@contextmanager
def _reading(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise PictureNotFound(
            f"The file {path.name!r} cannot be read ({error.strerror}); name one that can."
        ) from error


_ASSET = re.compile(rf"{ASSET_PREFIX}([0-9a-f]{{64}})\.(png|jpg|webp)")


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

    def upload(self, source: Picture | Path) -> str:
        """Bring a picture to the host unless it has it; threads with the same one wait for one.

        Returns:
            The value of a picture field, `asset:<sha256>.<ext>`.
        """
        upload = upload_of(source)
        with self._lock:
            turn = self._turns[upload.sha256]
        with turn:
            asset = self._known.get(upload.sha256) or self._found(upload) or self._sent(upload)
            self._known[upload.sha256] = asset
        return asset

    def forget(self, assets: Sequence[str]) -> None:
        """Note that the host may not have these pictures any more."""
        for asset in assets:
            self._known.pop(_hash_of(asset), None)

    def download(self, asset: str) -> Picture:
        """Fetch a picture and check that it is the one of that name.

        Raises:
            ContractBroken: The name is none of an asset.
            AnswerDamaged: What came is cut off, or does not have the hash that its name holds.
            PictureTooLarge: It has more than `MAX_BYTES` bytes; no more are read.
            NotAPicture: It is no picture.
        """
        if not _ASSET.fullmatch(asset):
            raise ContractBroken(
                f"The host {self._connection.name} answered {asset!r}, which is no asset."
            )
        path = f"assets/{asset.removeprefix(ASSET_PREFIX)}"
        call = Call("GET", path, self._seconds, most_bytes=MAX_BYTES, too_large=PictureTooLarge)
        data = self._connection.exchange(call, lambda reply: self._genuine(asset, reply))
        return read_picture(data, asset)

    def _found(self, upload: Upload) -> str | None:
        call = Call("HEAD", f"assets/{upload.name}", self._seconds, expected=(200, 404))
        status = self._connection.exchange(call, lambda reply: reply.status)
        return f"{ASSET_PREFIX}{upload.name}" if status == httpx.codes.OK else None

    def _sent(self, upload: Upload) -> str:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(upload.size)}
        call = Call("POST", "assets", self._seconds, headers, body=upload.chunks)
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

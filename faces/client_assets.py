"""Pictures between a client and its host: each goes there once, and comes back as it is."""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import httpx

from faces.client_calls import Call, Reply, parse
from faces.client_connection import HostConnection
from faces.contract import ASSET_PREFIX, AssetAnswer
from faces.errors import AnswerDamaged, ContractBroken, PictureTooLarge
from faces.pictures import MAX_BYTES, Picture, read_picture
from faces.uploads import Upload, upload_of

_ASSET = re.compile(rf"{ASSET_PREFIX}([0-9a-f]{{64}})\.(png|jpg|webp)")


class HostAssets:
    """The pictures of one host, and what is known to be there; shared by threads.

    Args:
        connection: To the host.
        seconds: Longest wait for the begin of an answer.
    """

    def __init__(self, connection: HostConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._known: dict[str, str] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def upload(self, source: Picture | Path) -> str:
        """Bring a picture to the host unless it has it already.

        Threads that bring the same picture wait for the first of them.

        Returns:
            The value of a picture field, `asset:<sha256>.<ext>`.

        Raises:
            FaceError: The picture cannot be sent, the host refuses it or does not answer.
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
            AnswerDamaged: What came is cut off, or has other bytes than its name says.
            PictureTooLarge: It has more than `MAX_BYTES` bytes; no more are read.
            NotAPicture: It is no picture.
            FaceError: The host refuses or does not answer.
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

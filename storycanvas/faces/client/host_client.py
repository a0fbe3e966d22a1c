"""Speaks the host contract to one face host."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from storycanvas.faces.client.assets import HostAssets
from storycanvas.faces.client.calls import Call, parse
from storycanvas.faces.client.connection import HostConnection
from storycanvas.faces.client.timeouts import DEFAULT_TIMEOUTS, Timeouts
from storycanvas.faces.contract import IDEMPOTENCY_HEADER, HostStatus, OperationAnswer
from storycanvas.faces.errors import ContractBroken, PictureNotFound
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.net.retry import RetryPolicy

_DEFAULT_RETRIES = RetryPolicy()


class FaceHostClient:
    """A connection to a face host; usable from several threads.

    Calls share one pool of connections. A call that fails in a way that may pass is repeated a few
    times within seconds, as `RetryPolicy` decides; an operation always with the same key.

    Args:
        url: The host's address without the API path, such as `http://127.0.0.1:9002`.
        token: The host's token; needed unless it listens on loopback only.
        timeouts: Longest waits, in seconds.
        retries: How failures that may pass are repeated.

    Raises:
        TokenRefused: The token holds characters that cannot be sent.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        retries: RetryPolicy = _DEFAULT_RETRIES,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeouts = timeouts
        self._connection = HostConnection(self.url, token, timeouts=timeouts, retries=retries)
        self._assets = HostAssets(self._connection, timeouts.answer("assets"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def status(self) -> HostStatus:
        """Ask what the host runs and how busy it is."""
        call = Call("GET", "status", self._timeouts.answer("status"))
        return self._connection.exchange(
            call, lambda reply: parse(HostStatus, reply, self._connection.name)
        )

    def upload(self, source: Picture | Path) -> str:
        """Bring a picture to the host unless it has it already.

        What is known to be there is not asked about again while this client lives.

        Args:
            source: A picture, or a PNG, JPEG or WebP file, which is sent as it is.

        Returns:
            The value of a picture field, `asset:<sha256>.<ext>`.
        """
        return self._assets.upload(source)

    def operate(
        self,
        operation: FaceOperation,
        assets: Sequence[str],
        key: str,
        *,
        upload_again: Callable[[], object] | None = None,
    ) -> OperationAnswer:
        """Have one operation done, or get its result if the host has it.

        Args:
            operation: What to do.
            assets: Its uploaded inputs, in the order of `operation.pictures`.
            key: The idempotency key; the same on every try.
            upload_again: Uploads the inputs once more. It is called when the host has removed one
                of them meanwhile, and the operation is repeated once.

        Raises:
            PictureNotFound: The host does not have an input.
            FaceError: The operation failed; `retryable` is whether to try again.
            ContractBroken: A success without the picture that the operation makes.
        """
        call = self._call(operation, assets, key)
        try:
            answer = self._answer(call)
        except PictureNotFound:
            self._assets.forget(assets)
            if upload_again is None:
                raise
            upload_again()
            answer = self._answer(call)
        if operation.makes_picture and not answer.output_path:
            raise ContractBroken(
                f"The host {self._connection.name} answered {operation.path} with success but no "
                "output_path."
            )
        return answer

    def download(self, output_path: str) -> Picture:
        """Fetch the picture `asset:<sha256>.<ext>` of an answer, and check its hash."""
        return self._assets.download(output_path)

    def _call(self, operation: FaceOperation, assets: Sequence[str], key: str) -> Call:
        body = operation.model_dump(mode="json", by_alias=True, exclude_none=True)
        body |= dict(zip(operation.pictures, assets, strict=True))
        headers = {"Content-Type": "application/json", IDEMPOTENCY_HEADER: key}
        seconds = self._timeouts.answer(operation.path)
        return Call("POST", operation.path, seconds, headers, json.dumps(body).encode)

    def _answer(self, call: Call) -> OperationAnswer:
        return self._connection.exchange(
            call, lambda reply: parse(OperationAnswer, reply, self._connection.name)
        )

"""Speaks the host contract to one face host."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Self

from storycanvas.faces.client.assets import HostAssets
from storycanvas.faces.client.calls import Call, Proceed, Reply, always, parse
from storycanvas.faces.client.connection import HostConnection
from storycanvas.faces.client.errors import refusal
from storycanvas.faces.client.operations import ACCEPTED, HostOperations
from storycanvas.faces.client.timeouts import DEFAULT_TIMEOUTS, Timeouts
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import (
    IDEMPOTENCY_HEADER,
    PREFER_HEADER,
    RESPOND_ASYNC,
    HostStatus,
    OperationAnswer,
)
from storycanvas.faces.errors import ContractBroken, PictureNotFound
from storycanvas.faces.operations import MEASURE, FaceOperation
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
        self._operations = HostOperations(self._connection, timeouts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def status(self) -> HostStatus:
        """Ask what the host runs and how busy it is.

        A host that can do nothing answers 503 with the same body, older ones 200.
        """
        expected = (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
        call = Call("GET", "status", self._timeouts.answer("status"), expected=expected)
        return self._connection.exchange(call, self._status_of)

    def _status_of(self, reply: Reply) -> HostStatus:
        try:
            return parse(HostStatus, reply, self._connection.name)
        except ContractBroken:
            if reply.status == HTTPStatus.OK:
                raise
            # Of a proxy before the host, or an error of the host itself.
            raise refusal(reply.status, {}, reply.body, self._connection.name) from None

    def upload(self, source: Picture | Path, proceed: Proceed = always) -> str:
        """Bring a picture to the host unless it has it already.

        What is known to be there is not asked about again while this client lives.

        Args:
            source: A picture, or a file of a format that hosts read, which is sent as it is.
            proceed: Asked before each piece; what it raises ends the upload, and the host keeps
                nothing of it.

        Returns:
            The value of a picture field, `asset:<sha256>.<ext>`.
        """
        return self._assets.upload(source, proceed)

    def operate(
        self,
        operation: FaceOperation,
        assets: Sequence[str],
        key: str,
        *,
        upload_again: Callable[[], object] | None = None,
        watch: OperationWatch | None = None,
        measure: bool = True,
    ) -> OperationAnswer:
        """Have one operation done, or get its result if the host has it.

        It is submitted and polled, so that no connection has to last as long as it does; a host
        that is older answers at its end.

        Args:
            operation: What to do.
            assets: Its uploaded inputs, in the order of `operation.picture_fields`.
            key: The idempotency key; the same on every try.
            upload_again: Uploads the inputs once more. It is called when the host has removed one
                of them meanwhile, and the operation is repeated once.
            watch: Is told when the engine has ended, and can cancel it from another thread.
            measure: Whether the host measures the likeness of a changed face, if it can. An answer
                that it keeps stays as it is. A host that is older refuses False.

        Raises:
            OperationCancelled: It was cancelled.
            PictureNotFound: The host does not have an input.
            FaceError: The operation failed; `retryable` is whether to try again.
            ContractBroken: A success without the picture that the operation makes.
        """
        call = self._call(operation, assets, key, measure=measure)
        watch = watch or OperationWatch()
        try:
            answer = self._operations.done(call, watch)
        except PictureNotFound:
            self._assets.forget(assets)
            if upload_again is None:
                raise
            upload_again()
            answer = self._operations.done(call, watch)
        if operation.makes_picture and not answer.output_path:
            raise ContractBroken(
                f"The host {self._connection.name} answered {operation.path} with success but no "
                "output_path."
            )
        return answer

    def has_begun(self, key: str) -> bool:
        """Ask whether the host works on the operation of a key, or keeps its result."""
        found = self._operations.of_key(key)
        return found is not None and found.state in {"waiting", "running", "succeeded"}

    def download(self, output_path: str, proceed: Proceed = always) -> Picture:
        """Fetch the picture `asset:<sha256>.<ext>` of an answer, and check its hash.

        `proceed` is asked before each piece; what it raises ends the download.
        """
        return self._assets.download(output_path, proceed)

    def remove(self, asset: str) -> bool:
        """Have the host remove a picture: now, or as soon as nothing uses it there.

        Another client that knew it there learns so from its next operation (`upload_again`).

        Returns:
            False if the host knows neither this picture nor how to remove one.
        """
        return self._assets.remove(asset)

    def _call(
        self, operation: FaceOperation, assets: Sequence[str], key: str, *, measure: bool
    ) -> Call:
        body = operation.model_dump(mode="json", by_alias=True, exclude_none=True)
        if operation.changes_faces and not measure:
            body[MEASURE] = False
        body |= dict(zip(operation.picture_fields(len(assets)), assets, strict=True))
        headers = {
            "Content-Type": "application/json",
            IDEMPOTENCY_HEADER: key,
            PREFER_HEADER: RESPOND_ASYNC,
        }
        seconds = self._timeouts.answer(operation.path)
        return Call(
            "POST", operation.path, seconds, headers, json.dumps(body).encode, (200, ACCEPTED)
        )

"""Speaks the host contract to one face host."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from faces.contract import (
    API,
    ASSET_PREFIX,
    IDEMPOTENCY_HEADER,
    ErrorAnswer,
    HostStatus,
    OperationAnswer,
)
from faces.errors import (
    ContractBroken,
    FaceError,
    HostNotReady,
    HostUnreachable,
    TokenRefused,
    UnknownHostError,
    error_class,
)
from faces.operations import FaceOperation
from faces.pictures import Picture, read_picture

Parsed = TypeVar("Parsed", bound=BaseModel)

OPERATION_SECONDS = 330.0
"""Longest wait for an answer: the host's own limit of 300 s and some."""


class FaceHostClient:
    """A connection to a face host; usable from several threads.

    Args:
        url: The host's address without the API path, such as `http://127.0.0.1:9002`.
        token: The host's token; needed unless it listens on loopback only.
        operation_seconds: Longest wait for the answer to an operation.
    """

    def __init__(
        self, url: str, token: str | None = None, *, operation_seconds: float = OPERATION_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._operation_timeout = httpx.Timeout(30.0, read=operation_seconds, connect=5.0)
        self._http = httpx.Client(
            base_url=self.url + API, headers=headers, timeout=httpx.Timeout(30.0, connect=5.0)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status(self) -> HostStatus:
        """Ask what the host runs and how busy it is.

        Raises:
            HostUnreachable: Nobody answers.
            FaceError: The host answers an error.
        """
        return self._parse(HostStatus, self._request("GET", "/status"))

    def upload(self, picture: Picture) -> str:
        """Bring a picture to the host unless it has it already.

        Returns:
            The value of a picture field, `asset:<sha256>.png`.

        Raises:
            FaceError: The host refuses the picture or does not answer.
        """
        name = picture.asset_name
        known = self._request("HEAD", f"/assets/{name}", expected=(200, 404))
        if known.status_code != httpx.codes.OK:
            self._request(
                "POST", "/assets", content=picture.png, headers={"Content-Type": "image/png"}
            )
        return ASSET_PREFIX + name

    def operate(self, operation: FaceOperation, assets: Sequence[str], key: str) -> OperationAnswer:
        """Have one operation done, or get its result if the host has it.

        Args:
            operation: What to do.
            assets: Its uploaded inputs, in the order of `operation.pictures`.
            key: The idempotency key; the same on every try.

        Returns:
            The host's answer.

        Raises:
            FaceError: The operation failed; the class tells how and whether to try again.
            ContractBroken: A success without the picture that the operation makes.
        """
        body = operation.model_dump(mode="json", by_alias=True, exclude_none=True)
        body |= dict(zip(operation.pictures, assets, strict=True))
        answer = self._parse(
            OperationAnswer,
            self._request(
                "POST",
                f"/{operation.path}",
                json=body,
                headers={IDEMPOTENCY_HEADER: key},
                timeout=self._operation_timeout,
            ),
        )
        if operation.makes_picture and not answer.output_path:
            raise ContractBroken(
                f"The host {self.url} answered {operation.path} with success but no output_path."
            )
        return answer

    def download(self, output_path: str) -> Picture:
        """Fetch the picture that an operation made.

        Args:
            output_path: `asset:<name>` from an answer.

        Raises:
            ContractBroken: The path is no asset.
            FaceError: The host refuses or does not answer.
            NotAPicture: What came is no picture.
        """
        if not output_path.startswith(ASSET_PREFIX):
            raise ContractBroken(
                f"The host {self.url} answered {output_path!r}, which is no asset."
            )
        name = output_path.removeprefix(ASSET_PREFIX)
        return read_picture(self._request("GET", f"/assets/{name}").content, output_path)

    def _request(
        self, method: str, path: str, *, expected: tuple[int, ...] = (200,), **options: Any
    ) -> httpx.Response:
        with self._reaching():
            response = self._http.request(method, path, **options)
        if response.status_code not in expected:
            raise _refusal(response, self.url)
        return response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise HostUnreachable(
                f"The face host {self.url} did not answer in time ({type(error).__name__})."
            ) from error
        except httpx.HTTPError as error:
            raise HostUnreachable(
                f"The face host {self.url} cannot be reached; start it or correct FACEFUSION_URL."
            ) from error

    def _parse(self, kind: type[Parsed], response: httpx.Response) -> Parsed:
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise ContractBroken(
                f"{self.url} does not answer as a face host does ({error.error_count()} fields "
                "differ); is another program listening there?"
            ) from error


_NOT_NOW = {502, 503, 504}
"""What a proxy answers for a host that is restarting; a host itself adds an error body."""


def _refusal(response: httpx.Response, url: str) -> FaceError:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return TokenRefused(
            f"The face host {url} refuses the token; correct FACEFUSION_TOKEN or the block."
        )
    try:
        detail = ErrorAnswer.model_validate_json(response.content).error
    except ValidationError:
        if response.status_code in _NOT_NOW:
            return HostUnreachable(f"The face host {url} answers HTTP {response.status_code} now.")
        return ContractBroken(
            f"The face host {url} answered HTTP {response.status_code} without an error body; "
            "is another program listening there?"
        )
    known = error_class(detail.code)
    if known is UnknownHostError and detail.retryable:
        return HostNotReady(detail.message)
    return known(detail.message)

"""A host as a process of its own, which drives a FaceFusion checkout."""

import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import API, HostStatus, OperationAnswer
from storycanvas.faces.operations import FaceOperation
from storycanvas.net.retry import RetryPolicy
from tests.support.facefusion.checkouts import Checkout, programs
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.host.started_host import PROGRAM, HostProcess, environment

WAIT_SECONDS = 120
MODES: dict[str, tuple[str, ...]] = {"resident": (), "isolated": ("--isolated",)}
Pixels = NDArray[np.int64]


@dataclass(frozen=True)
class Done:
    """The result of an operation.

    Attributes:
        answer: All its fields.
        png: The picture; nothing for `detect`.
    """

    answer: OperationAnswer
    png: bytes

    @property
    def picture(self) -> Image.Image:
        return Image.open(io.BytesIO(self.png))

    @property
    def pixels(self) -> Pixels:
        return np.asarray(self.picture).astype(np.int64)


class DrivenHost(HostProcess):
    """A running host; `end` it.

    Args:
        checkout: The FaceFusion it drives.
        folder: Where its pictures and those it may read are.
        arguments: More of its command line.
        variables: More of its environment.
    """

    end_seconds = WAIT_SECONDS

    def __init__(
        self,
        checkout: Checkout,
        folder: Path,
        arguments: tuple[str, ...] = (),
        variables: dict[str, str] | None = None,
    ) -> None:
        self.checkout = checkout
        self.data_dir = folder / "data"
        self.pictures = folder / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        given = environment_of(checkout, folder) | (variables or {})
        command = [
            *(*PROGRAM, "--port", "0", "--engine", "facefusion"),
            *("--data-dir", str(self.data_dir), "--allow-root", str(self.pictures)),
            *arguments,
        ]
        super().__init__(command, given)
        token = given.get("FACEFUSION_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            base_url=f"{self.url}{API}/", timeout=WAIT_SECONDS, headers=headers
        )
        self.client = FaceHostClient(self.url, token, retries=RetryPolicy(tries=1))

    def ready(self) -> HostStatus:
        """Wait until its engine has started."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (status := self.client.status()).status == "starting":
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return status

    def upload(self, data: bytes) -> str:
        """Store a file as it is."""
        answer = self.http.post("assets", content=data)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["path"])

    def done(self, operation: FaceOperation, *pictures: bytes) -> Done:
        """Have an operation done; what was done before is not done again."""
        meaning = [operation.model_dump_json().encode(), *pictures]
        key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in meaning))
        assets = [self.upload(picture) for picture in pictures]
        answer = self.client.operate(operation, assets, key.hexdigest())
        return Done(answer, self._fetched(answer))

    def post(self, operation: FaceOperation, *pictures: bytes) -> httpx.Response:
        """Ask for an operation without a key, and take any answer."""
        body = operation.model_dump(mode="json", by_alias=True, exclude_none=True)
        assets = map(self.upload, pictures)
        return self.http.post(
            operation.path,
            json=body | dict(zip(operation.picture_fields(len(pictures)), assets, strict=True)),
        )

    def jobs(self) -> list[Path]:
        """List what lies in the engine's folder for the files of operations."""
        return list((self.data_dir / "facefusion" / "jobs").rglob("*"))

    def workers(self) -> list[int]:
        """List its living processes of FaceFusion."""
        notes = (self.data_dir / "facefusion" / "pids").glob("*.json")
        return [pid for pid in (int(note.stem) for note in notes) if not is_gone(pid)]

    def close(self) -> None:
        self.http.close()
        self.client.close()

    def _fetched(self, answer: OperationAnswer) -> bytes:
        if answer.output_path is None:
            return b""
        return self.http.get(f"assets/{answer.output_path}").raise_for_status().content


def environment_of(checkout: Checkout, folder: Path) -> dict[str, str]:
    """Return the environment of a host that drives a checkout."""
    return environment() | {
        "PATH": programs(folder / "programs"),
        "FACEFUSION_HOME": str(checkout.home),
        "FACEFUSION_PYTHON": str(checkout.python),
    }


Drive = Callable[..., DrivenHost]
"""Starts a host with a checkout; takes what a driven host takes but its folder."""

"""A client of the first published contract: it waits for each answer, and knows no newer field.

Its requests are those that were sent then, in `synchronous_requests.json`. Its models are those
that answers were read with then. Neither follows the code: a host that they do not fit has broken
clients that are installed elsewhere.
"""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tests.support.host.started_host import WAIT_SECONDS

OUTPUT = re.compile(r"asset:([0-9a-f]{64})\.(png|jpg|webp)")
MOST_BYTES = 30 * 1024 * 1024


class _Read(BaseModel):
    """Fields that came later are left out; those that are here have to be as they were."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Status(_Read):
    status: Literal["ok", "starting", "stopping", "failed"] = "ok"
    engine: str
    engine_version: str
    engine_mode: str | None = None
    gpu_slots: int = Field(ge=1)
    busy: int = Field(ge=0)
    queued: int = Field(ge=0)
    operations: int = Field(ge=0)
    able: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None


class Face(_Read):
    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    score: float | None = None
    estimated_age: float | None = None


class Phases(_Read):
    queue: float = Field(ge=0)
    decode: float = Field(ge=0)
    engine: float = Field(ge=0)
    encode: float = Field(ge=0)


class Answered(_Read):
    success: Literal[True] = True
    output_path: str | None = None
    faces: tuple[Face, ...] | None = None
    total_faces: int | None = None
    faces_detected: int | None = None
    estimated_age: float | None = None
    processing_time_seconds: float = Field(ge=0)
    phases: Phases | None = None
    engine: str
    engine_version: str
    models: tuple[str, ...] = ()
    used: dict[str, str | int | float] = Field(default_factory=dict)
    stepped_down: tuple[str, ...] = ()
    engine_log: tuple[str, ...] = ()
    completed_at: datetime


class Stored(_Read):
    path: str


class Detail(_Read):
    code: str
    message: str
    retryable: bool


class Refused(_Read):
    error: Detail


class Sent(_Read):
    """A request as it was sent, without its pictures."""

    path: str
    pictures: tuple[str, ...]
    body: dict[str, Any]


SENT = TypeAdapter(tuple[Sent, ...]).validate_json(
    Path(__file__).with_name("synchronous_requests.json").read_bytes()
)
"""Of each of the six operations the least and the most that could be asked for."""

Kind = TypeVar("Kind", bound=_Read)


class SynchronousClient:
    """What the client did over the wire; it fails on any answer that it could not read."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/api/v1/",
            headers={"Accept-Encoding": "identity"},
            timeout=WAIT_SECONDS,
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def status(self) -> Status:
        return read(Status, self._http.get("status"))

    def upload(self, picture: bytes) -> str:
        """Send a PNG file unless the host has it."""
        sha256 = hashlib.sha256(picture).hexdigest()
        found = self._http.head(f"assets/{sha256}.png")
        assert found.status_code in {200, 404}, found.status_code
        if found.status_code == 200:
            return f"asset:{sha256}.png"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(picture))}
        stored = read(Stored, self._http.post("assets", content=iter([picture]), headers=headers))
        assert stored.path == f"asset:{sha256}.png"
        return stored.path

    def send(self, sent: Sent, picture: str, key: str) -> httpx.Response:
        body = json.dumps(sent.body | dict.fromkeys(sent.pictures, picture)).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._http.post(sent.path, content=body, headers=headers)

    def download(self, output_path: str) -> bytes:
        """Fetch an output, and check that it is the one of that name."""
        found = OUTPUT.fullmatch(output_path)
        assert found, output_path
        answer = self._http.get(f"assets/{output_path.removeprefix('asset:')}")
        assert answer.status_code == 200, answer.text
        assert len(answer.content) <= MOST_BYTES
        assert hashlib.sha256(answer.content).hexdigest() == found[1]
        return answer.content


def read(kind: type[Kind], answer: httpx.Response) -> Kind:
    """Read a success; any other status was a refusal."""
    assert answer.status_code == 200, answer.text
    return kind.model_validate_json(answer.content)

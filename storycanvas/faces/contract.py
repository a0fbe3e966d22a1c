"""The answers of the `/api/v1` contract.

Requests are the operations themselves (`storycanvas.faces.operations`, by alias) plus their
picture fields.
docs/host-api.json has all names; the fields below `engine` are what a safe remote
host adds.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

API = "/api/v1"
IDEMPOTENCY_HEADER = "Idempotency-Key"
ASSET_PREFIX = "asset:"


class Answer(BaseModel):
    """Base of all answers; a client ignores fields that a newer host adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class HostStatus(Answer):
    """Answer of `GET status`; holds no path and no secret, since it needs no token."""

    status: Literal["ok", "starting", "stopping", "failed"] = "ok"
    engine: str = Field(description="What the host runs: `facefusion` or `preview`.")
    engine_version: str
    engine_mode: str | None = Field(
        None,
        description="How it drives the engine: `in-process`, `resident` (one process stays), "
        "`isolated` (a process for each operation), or `starting`.",
    )
    gpu_slots: int = Field(ge=1, description="Operations that run at one time.")
    busy: int = Field(ge=0, description="Operations running now.")
    queued: int = Field(ge=0, description="Operations waiting now.")
    operations: int = Field(ge=0, description="Operations done since the host started.")
    able: tuple[str, ...] | None = Field(
        None, description="Operations whose models are there, by their paths."
    )
    models: tuple[str, ...] | None = Field(
        None, description="Models that are there, by the engine's names."
    )


class DetectedFace(Answer):
    """One face that was found, in pixels of the picture as sent."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    score: float | None = Field(
        None, description="The detector's certainty; larger is surer. None if it is not known."
    )
    estimated_age: float | None = Field(None, description="Years, by the engine's own estimate.")


class Phases(Answer):
    """How long the parts of an operation took, in seconds."""

    queue: float = Field(ge=0, description="Waiting for a slot.")
    decode: float = Field(ge=0, description="Fetching and decoding its pictures.")
    engine: float = Field(ge=0, description="The engine at work.")
    encode: float = Field(ge=0, description="Keeping its output.")


class OperationAnswer(Answer):
    """Answer of the six operations."""

    success: Literal[True] = True
    output_path: str | None = Field(
        None, description="`asset:<sha256>.png`, to be fetched from `assets/`; none for detect."
    )
    faces: tuple[DetectedFace, ...] | None = Field(None, description="Detect only.")
    total_faces: int | None = Field(None, description="Detect only.")
    faces_detected: int | None = Field(None, description="Faces found in the picture.")
    estimated_age: float | None = Field(
        None, description="The engine's estimate of the face before the operation, in years."
    )
    processing_time_seconds: float = Field(ge=0, description="Engine time, without waiting.")
    phases: Phases | None = None
    engine: str
    engine_version: str
    models: tuple[str, ...] = Field((), description="What did the work, by the engine's names.")
    used: dict[str, str | int | float] = Field(
        default_factory=dict,
        description="Parameters really used where they differ from what was asked: values on the "
        "engine's grid, models under another name.",
    )
    stepped_down: tuple[str, ...] = Field(
        (), description="What was done with less, after the engine ran out of memory once."
    )
    engine_log: tuple[str, ...] = Field(
        (), description="The engine's log, oldest line first, at most 20 lines without paths."
    )
    completed_at: datetime = Field(description="When the engine finished, UTC.")


class AssetAnswer(Answer):
    """Answer of `POST assets`."""

    path: str = Field(description="`asset:<sha256>.<ext>`, a picture field's value.")


class ErrorDetail(Answer):
    """What went wrong and whether trying again can help."""

    code: str
    message: str
    retryable: bool


class ErrorAnswer(Answer):
    """Body of every answer that is not a success."""

    error: ErrorDetail

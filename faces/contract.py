"""What host and client say to each other: the answers of the `/api/v1` contract.

Requests are the operations themselves (`faces.operations`, by alias) plus their picture fields.
Reference section 1.2 gives the names; the fields below `engine` are what a safe remote host adds.
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
    """Answer of `GET status`; holds no path and no secret, for it needs no token."""

    status: Literal["ok", "starting", "stopping", "failed"] = "ok"
    engine: str = Field(description="What the host runs: `facefusion` or `preview`.")
    engine_version: str
    gpu_slots: int = Field(ge=1, description="Operations that run at one time.")
    busy: int = Field(ge=0, description="Operations running now.")
    queued: int = Field(ge=0, description="Operations waiting now.")
    operations: int = Field(ge=0, description="Operations carried out since the host started.")


class DetectedFace(Answer):
    """One face that was found, in pixels of the picture as sent."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    score: float = Field(description="The detector's certainty; larger is surer.")
    estimated_age: float | None = Field(None, description="Years, by the engine's own estimate.")


class OperationAnswer(Answer):
    """Answer of the six operations."""

    success: Literal[True] = True
    output_path: str | None = Field(
        None, description="`asset:<sha256>.png`, to be fetched from `assets/`; none for detect."
    )
    faces: tuple[DetectedFace, ...] | None = Field(None, description="Detect only.")
    total_faces: int | None = Field(None, description="Detect only.")
    faces_detected: int | None = Field(None, description="Faces seen in the picture.")
    estimated_age: float | None = Field(
        None, description="The engine's estimate of the face before the operation, in years."
    )
    processing_time_seconds: float = Field(ge=0, description="Engine time, without waiting.")
    engine: str
    engine_version: str
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

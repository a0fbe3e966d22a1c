"""The answers of the `/api/v1` contract.

Requests are the operations themselves (`storycanvas.faces.operations`, by alias) plus their
picture fields.
docs/host-api.json has all names; the fields below `engine` are what a safe remote
host adds.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.measures.measure import Likeness

API = "/api/v1"
IDEMPOTENCY_HEADER = "Idempotency-Key"
ASSET_PREFIX = "asset:"
PREFER_HEADER = "Prefer"
RESPOND_ASYNC = "respond-async"
"""The preference of RFC 7240 that an operation is answered with 202 before it is done."""
MAX_WAIT_SECONDS = 60.0
"""Longest `?wait=` for a change of an operation; proxies cut a silent answer after a minute."""

OperationState = Literal["waiting", "running", "succeeded", "failed", "cancelled"]
OperationPhase = Literal["queued", "decoding", "ready", "engine", "measuring", "encoding"]


class Answer(BaseModel):
    """Base of all answers; a client ignores fields that a newer host adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DeviceMemory(Answer):
    """Memory of what an engine computes on, in bytes."""

    used_bytes: int = Field(ge=0, description="By all programs on a GPU, by the engine on the CPU.")
    total_bytes: int = Field(ge=0, description="Of the GPU, or of the machine.")


class Execution(Answer):
    """What an engine computes on; providers by FaceFusion's names: `cuda`, `tensorrt`, `cpu`."""

    asked: tuple[str, ...] = Field(
        (), description="What the operator asks for, or what the engine chose by itself."
    )
    used: tuple[str, ...] = Field(
        (), description="What its sessions really have; `cpu` where the GPU cannot be used."
    )
    device: str | None = Field(None, description="The GPU's name, or `CPU`; None if not known.")
    memory: DeviceMemory | None = Field(None, description="None where it cannot be read.")


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
    engine_loaded: bool = Field(
        True,
        description="Whether the engine's process runs and may hold GPU memory; false after "
        "`engine/unload`, until `engine/load` or the next operation.",
    )
    loading: tuple[str, ...] = Field(
        (),
        description="What `--preload` names and is not loaded yet; the first is being loaded.",
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
    execution: Execution | None = Field(
        None, description="What the engine computes on; none until it has started."
    )
    reason: str | None = Field(
        None,
        description="Why nothing can be done, or what of `--preload` could not be loaded and why; "
        "without paths.",
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
    yaw: float | None = Field(
        None,
        ge=-180,
        le=180,
        description="Degrees by which the head is turned to the right edge of the picture. None if "
        "it is not known, as for `pitch` and `roll`.",
    )
    pitch: float | None = Field(
        None, ge=-180, le=180, description="Degrees by which the head is turned upwards."
    )
    roll: float | None = Field(
        None, ge=-180, le=180, description="Degrees by which it is tilted clockwise."
    )
    reference_distance: float | None = Field(
        None,
        ge=0,
        description="How far it is from the first face of `reference_image`, on the scale of "
        "`reference_face_distance`; 0 is the same. None without such a picture.",
    )


class Phases(Answer):
    """How long the parts of an operation took, in seconds."""

    queue: float = Field(ge=0, description="Waiting for a slot.")
    decode: float = Field(ge=0, description="Fetching and decoding its pictures.")
    engine: float = Field(ge=0, description="The engine at work.")
    measure: float = Field(
        0.0, ge=0, description="The engine measuring the likeness, in the same slot."
    )
    encode: float = Field(ge=0, description="Keeping its output.")


class OperationAnswer(Answer):
    """Answer of the six operations."""

    success: Literal[True] = True
    output_path: str | None = Field(
        None,
        description="`asset:<sha256>.<ext>`, to be fetched from `assets/`, or its address where "
        "the operator publishes outputs and the request names a path or URL; none for detect.",
    )
    faces: tuple[DetectedFace, ...] | None = Field(None, description="Detect only.")
    total_faces: int | None = Field(None, description="Detect only.")
    faces_detected: int | None = Field(None, description="Faces found in the picture.")
    selected_faces: tuple[DetectedFace, ...] = Field(
        (), description="The faces that were worked on, or would be by another operation."
    )
    notes: tuple[str, ...] = Field(
        (), description="What a person should know about the result, in sentences."
    )
    estimated_age: float | None = Field(
        None, description="The engine's estimate of the face before the operation, in years."
    )
    likeness: Likeness | None = Field(
        None,
        description="How unlike the changed face is to the source of a swap, else to itself "
        "before; none where it was not measured.",
    )
    likeness_not_measured: str | None = Field(
        None,
        description="Why an engine that can measure it did not, as a sentence; none where it was "
        "not asked to, or cannot.",
    )
    processing_time_seconds: float = Field(
        ge=0, description="Engine time, without waiting and measuring."
    )
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
    execution: Execution | None = Field(None, description="What the operation was computed on.")
    completed_at: datetime = Field(description="When the engine finished, UTC.")


class ErrorDetail(Answer):
    """What went wrong and whether trying again can help."""

    code: str
    message: str
    retryable: bool


class OperationStatus(Answer):
    """How far an operation has come; answer of `operations/{id}` and of a 202."""

    id: str = Field(description="Its name below `operations/`; random to all who do not have it.")
    operation: str = Field(description="Which of the six it is, by its path.")
    state: OperationState = Field(
        description="`waiting` until the engine begins, `running` until the result is kept; the "
        "other three are ends."
    )
    phase: OperationPhase | None = Field(
        None,
        description="`queued`, `decoding` and `ready` while it waits; `engine`, perhaps "
        "`measuring` and, once the engine is free, `encoding` while it runs; null at its end.",
    )
    place: int | None = Field(
        None, ge=1, description="Its place in the queue while it waits; 1 is next."
    )
    revision: int = Field(
        ge=1, description="Grows with each change of state or phase; the value for `after`."
    )
    phases: Phases = Field(description="How long its parts took up to now.")
    created_at: datetime = Field(description="When the host took it, UTC.")
    ended_at: datetime | None = Field(None, description="When it came to its end, UTC.")
    result: OperationAnswer | None = Field(None, description="The answer, once it succeeded.")
    error: ErrorDetail | None = Field(None, description="Why it failed or was cancelled.")

    @property
    def has_ended(self) -> bool:
        """Whether its state changes no more."""
        return self.state not in {"waiting", "running"}


class OperationList(Answer):
    """Answer of `GET operations`."""

    operations: tuple[OperationStatus, ...] = Field(
        description="Those of this caller: what has not ended by its turn, then the newest ends."
    )


class AssetAnswer(Answer):
    """Answer of `POST assets`."""

    path: str = Field(description="`asset:<sha256>.<ext>`, a picture field's value.")


class ErrorAnswer(Answer):
    """Body of every answer that is not a success."""

    error: ErrorDetail

"""The interface between the host and its engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from storycanvas.faces.contract import DetectedFace, Execution
from storycanvas.faces.measures.measure import Likeness
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture

Readiness = Literal["starting", "ok", "failed"]


class EngineUnusable(Exception):
    """The program that an engine drives is missing or not supported."""


@dataclass(frozen=True)
class EngineResult:
    """The result of an operation.

    Attributes:
        picture: The new picture; None for `detect`.
        faces: The faces found in the picture worked on, in selector order.
        chosen: Places in `faces` of those worked on.
        estimated_age: The engine's estimate for the first of them before the operation, in years.
        used: Parameters that were really used where they differ from what was asked.
        models: The models that did the work, by the engine's names.
        reduced: Options that were lowered after the engine ran out of memory once.
        log: The engine's log, oldest line first, without paths.
        execution: What it was computed on.
        likeness: How like the changed face is; None where it was not measured.
        likeness_not_measured: Why it was not, where it should have been; a sentence.
    """

    picture: Picture | None
    faces: tuple[DetectedFace, ...]
    estimated_age: float | None
    used: Mapping[str, str | int | float] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    reduced: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    execution: Execution | None = None
    chosen: tuple[int, ...] = ()
    likeness: Likeness | None = None
    likeness_not_measured: str | None = None


@dataclass(frozen=True)
class EngineHealth:
    """What an operator watches of an engine.

    Attributes:
        execution: What it computes on; None until it has started.
        restarts: Processes that were started in place of another one since the host started.
        memory_bytes: Resident memory of its processes.
        reason: Why it cannot work, or what of `--preload` failed, without paths; None while it
            works, or starts.
        loading: What `--preload` names and is not loaded yet, the first of it being loaded.
        loaded: Whether it holds the memory of its models, or may; False after `unload`.
    """

    execution: Execution | None = None
    restarts: int = 0
    memory_bytes: int = 0
    reason: str | None = None
    loading: tuple[str, ...] = ()
    loaded: bool = True


class Engine(Protocol):
    """Does operations, one call at a time for each of the host's slots."""

    name: str
    version: str

    @property
    def mode(self) -> str:
        """How it works: `in-process`, `resident`, `isolated`, or `starting`."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Whether it can work now."""
        ...

    @property
    def health(self) -> EngineHealth:
        """What it computes on, and what that costs; measured in the background, read at once."""
        ...

    def able(self) -> tuple[str, ...]:
        """Return the paths of the operations it can do now."""
        ...

    def models(self) -> tuple[str, ...]:
        """Return the models it has, as operations name them."""
        ...

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation on its pictures, in the order of `operation.picture_fields`.

        `storycanvas.host.engines.within_boxes.kept_outside` does a swap's `within_box`.
        A cancellation reaches it through `storycanvas.host.engines.cancelling`; an engine that does
        not look there goes on and keeps its slot until it ends. Whether the result is measured says
        `storycanvas.host.engines.measuring`; what fails in that does not fail the operation.

        Raises:
            NoFace: A picture that needs a face has none.
            ContentRejected: The engine refuses the picture.
            OperationUnsupported: The engine cannot do it.
            EngineFailed: The engine broke down.
        """
        ...

    def load(self) -> None:
        """Be ready, with what `--preload` names, before an operation comes; at once if it is.

        Raises:
            HostNotReady: It cannot work.
        """
        ...

    def unload(self) -> None:
        """Give memory back once the running operations have ended; the next one loads it anew."""
        ...

    def close(self) -> None:
        """Free what it started; running operations fail."""
        ...

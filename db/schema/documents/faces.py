"""Jobs and presets of face operations, and the ledger with its pending effects."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from db.schema.documents.base import Count, Dated, Frozen, Id, Percent, SoftDeletable
from db.schema.documents.characters import HistoryEntry

JobType = Literal["enhance", "age_adjust", "swap", "edit", "mask", "detect", "batch", "chain"]


class FacefusionJob(Dated):
    """A document of `facefusion_jobs`.

    The app writes `results` beside `output_data`; `output_data.results` is the place for them.

    Attributes:
        job_type: The app leaves it out of its batches.
        priority: The higher is claimed the earlier; among equals the older.
        not_before: It is not claimed before, UTC.
        attempts: How often it was claimed, without claims whose work could not be begun.
        claim_token: What every write of the claim names; null while it is not worked on.
        claimed_by: The flow run that claimed it, as people call it.
        lease_expires_at: Until when the claim holds, UTC; a job that is processing without one is
            the app's own.
        flow_run_id: Id of the flow run that claimed it last.
        error_code: Name of the kind of error, such as `no_face`.
    """

    id: Id
    character_id: str | None = None
    project_id: str | None = None
    job_type: JobType = "batch"
    status: Literal["queued", "processing", "completed", "failed", "cancelled"] = "queued"
    priority: int = 0
    input_data: dict[str, Any] = Field(default_factory=dict)
    output_data: dict[str, Any] | None = None
    error_code: str | None = None
    error_message: str | None = None
    progress: Percent = 0.0
    total_operations: Count = 0
    completed_operations: Count = 0
    failed_operations: Count = 0
    not_before: datetime | None = None
    attempts: Count = 0
    claim_token: str | None = None
    claimed_by: str | None = None
    lease_expires_at: datetime | None = None
    flow_run_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


class Preset(BaseModel):
    """What a flow reads of a `facefusion_presets` document."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str
    operation_type: str
    parameters: Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict
    )


class StoredPreset(SoftDeletable):
    """A document of `facefusion_presets`.

    Attributes:
        operation_type: `enhance`, `age_adjust`, `swap` or `edit` in the app's schema; here `mask`,
            `detect` and `chain`, too.
        unique_name: Whether no other preset with this mark may have its name, in any case.
        use_count: How many runs have used it.
        last_used_at: When a run last used it, UTC.
        last_used_run: Id of that run, which counts once.
    """

    id: Id
    name: str = Field(min_length=1)
    description: str | None = None
    operation_type: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    user_id: str | None = None
    is_public: bool = False
    use_count: Count = 0
    last_used_at: datetime | None = None
    last_used_run: str | None = None
    unique_name: bool = False


_EFFECTS = uuid5(NAMESPACE_URL, "storycanvas:effects")


class _LedgerPart(Frozen):
    model_config = ConfigDict(populate_by_name=True)


class HistoryEffect(_LedgerPart):
    """A history entry owed to a character; its id is the entry's id.

    Attributes:
        flow: What made it owed; None of what was done before that was noted.
    """

    kind: Literal["history"] = "history"
    id: str
    character_id: str
    flow: str | None = None
    entry: HistoryEntry
    applied_at: datetime | None = None


class GalleryEffect(_LedgerPart):
    """A gallery entry owed to a character.

    Attributes:
        gallery: A list of the gallery, or `age_variants`.
        age: Years, for `age_variants` only.
    """

    kind: Literal["gallery"] = "gallery"
    id: str
    character_id: str
    gallery: str
    age: int | None = None
    url: str
    applied_at: datetime | None = None


Effect = Annotated[HistoryEffect | GalleryEffect, Field(discriminator="kind")]


class Output(_LedgerPart):
    """The picture that an operation made.

    Attributes:
        path: Path in the image store.
        url: What the app can show.
        sha256: Pixel hash.
        width: Pixels.
        height: Pixels.
    """

    path: str
    url: str
    sha256: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class OperationRecord(_LedgerPart):
    """A document of `facefusion_operations`.

    Attributes:
        operation_key: The `_id`, so that it is unique on every server from the first write on.
        inputs: Pixel hashes.
        output: None for `detect`.
        faces: Faces found by `detect`, boxes in pixels.
        faces_detected: How many faces were found; unknown of older records.
        selected_faces: Those of them that were worked on; unknown of older records and hosts.
        estimated_age: The engine's estimate before the operation, in years.
        repeat: Id of the forced run that did it again last; None when it was done once.
        earlier_outputs: Outputs that forced runs replaced.
        measure: What was measured of the output (docs/measures.md); None until a run measures it.
        created_at: When the engine finished, UTC.
    """

    operation_key: str = Field(alias="_id")
    key_version: int
    operation_type: str
    parameters: dict[str, Any]
    inputs: list[str]
    engine: str
    engine_version: str
    host: str
    output: Output | None = None
    faces: list[dict[str, Any]] | None = None
    faces_detected: int | None = None
    selected_faces: list[dict[str, Any]] | None = None
    estimated_age: float | None = None
    processing_time_seconds: float = Field(ge=0)
    created_at: datetime
    repeat: str | None = None
    earlier_outputs: list[Output] = Field(default_factory=list)
    measure: dict[str, Any] | None = None
    effects: list[Effect] = Field(default_factory=list)

    def boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        """List left, top, width and height in pixels of the faces that were worked on."""
        return tuple(
            (face["x"], face["y"], face["width"], face["height"])
            for face in self.selected_faces or ()
        )


def effect_id(*meaning: str | None) -> str:
    """Derive an effect's id from what it means, so that owing it twice is owing it once."""
    return str(uuid5(_EFFECTS, "\n".join(part or "" for part in meaning)))

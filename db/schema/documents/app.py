"""What only the app writes: its queue, batches, gallery, and settings of models.

These models accept whatever the app itself can read. `init-db` neither creates nor indexes their
collections, and gives them no validator.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Id, Stored

Time = datetime | str
"""The app reads both, and writes its queue's times as text."""


class QueueJob(Stored):
    """A document of `queue_jobs`, the app's own queue of its ComfyUI servers.

    Attributes:
        priority: The higher is taken the earlier.
        server_id: The server that works on it.
    """

    id: Id
    clip_id: str
    project_id: str
    generation_type: str
    prompt: str
    status: Literal["queued", "processing", "completed", "failed", "cancelled"]
    priority: int = 0
    server_id: str | None = None
    created_at: Time
    started_at: Time | None = None
    completed_at: Time | None = None
    error: str | None = None
    result_url: str | None = None
    retry_count: Count = 0


class BatchJob(Stored):
    """A document of `batch_jobs`: one content for each of several clips.

    Attributes:
        results: For each clip what was made, or why not.
    """

    id: Id
    status: Literal["pending", "processing", "completed", "failed"]
    total: Count = 0
    completed: Count = 0
    failed: Count = 0
    results: list[Any] = Field(default_factory=list)
    started_at: Time | None = None
    updated_at: Time | None = None
    error: str | None = None


class GalleryItem(Stored):
    """A document of `gallery_items`: what was generated for a clip, which holds it, too."""

    id: Id
    clip_id: str
    content_type: Literal["image", "video"]
    url: str | None = None
    prompt: str
    server_id: str
    server_name: str
    model_name: str
    is_selected: bool = False
    created_at: Time | None = None


class ModelConfiguration(Stored):
    """A document of `model_configurations`.

    Attributes:
        model_id: Null in a configuration for all models of a base model.
    """

    id: Id
    model_id: str | None = None
    base_model: str
    name: str
    is_default: bool = False
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    resolution_width: int
    resolution_height: int
    created_at: Time
    updated_at: Time


class ModelPreset(Stored):
    """A document of `model_presets`.

    Attributes:
        model_id: Null in a preset for all models of a base model.
    """

    id: Id
    name: str
    model_id: str | None = None
    base_model: str | None = None
    is_global: bool | None = False
    cfg_scale: float | None = None
    steps: int | None = None
    sampler: str | None = None
    scheduler: str | None = None
    created_at: Time | None = None
    updated_at: Time | None = None

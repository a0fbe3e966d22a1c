"""Projects, their scenes, clips and styles, and what was generated for them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Dated, Id, SoftDeletable, Stored

CLIP_TYPES = ("image", "video", "text")
"""What the app's schema knows; clips of other types are read all the same."""


class Scene(SoftDeletable):
    """A document of `scenes`.

    `clips` inside of a scene is a shape of the app's answers and is not stored.

    Attributes:
        parent_scene_id: The scene that it belongs to or is an alternate of.
        alternate_number: Which alternate it is, from the older API.
        duration: Seconds, from the older API.
        timeline_start: Seconds, from the older API.
    """

    id: Id
    project_id: Id
    name: str
    description: str | None = ""
    lyrics: str | None = ""
    order: int = 0
    parent_scene_id: str | None = None
    is_alternate: bool = False
    alternate_number: int | None = None
    duration: float | None = Field(None, ge=0)
    timeline_start: float | None = Field(None, ge=0)


TimelineSeconds = Annotated[float, Field(ge=0, le=10_000)]


class Clip(SoftDeletable):
    """A document of `clips`.

    Read as aliases: `duration` for `length`.

    Attributes:
        project_id: The older API leaves it out.
        timeline_position: Seconds, rounded to hundredths.
        length: Seconds.
        generated_images: URLs, or objects with an id and a URL.
        generated_videos: URLs, or objects with an id and a URL.
        type: `image`, `video` or `text` in the app's schema.
    """

    id: Id
    scene_id: Id
    project_id: str | None = None
    name: str | None = None
    lyrics: str | None = ""
    order: int = 0
    timeline_position: TimelineSeconds = 0.0
    length: float = Field(5.0, gt=0)
    image_prompt: str | None = None
    video_prompt: str | None = None
    generated_images: list[Any] = Field(default_factory=list)
    generated_videos: list[Any] = Field(default_factory=list)
    selected_image_id: str | None = None
    selected_video_id: str | None = None
    character_id: str | None = None
    versions: list[Any] = Field(default_factory=list)
    active_version: Count = 1
    parent_clip_id: str | None = None
    alternate_number: int | None = None
    is_alternate: bool = False
    type: str | None = None
    content: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    comfyui_server_id: str | None = None
    style_template_id: str | None = None
    inference_config_id: str | None = None


class StyleLora(Stored):
    """A LoRA that a style applies."""

    name: str
    weight: float = 1.0


class StyleTemplate(SoftDeletable):
    """A document of `style_templates`, the field set of the app's DTO.

    Read as aliases: `prompt_template` and `prompt_additions` for each other,
    `negative_prompt_template` for `negative_prompt`, `default_params` for `params`, and `is_global`
    for an empty `project_id`.

    Attributes:
        project_id: Null for a template of all projects.
    """

    id: Id
    project_id: str | None = None
    name: str
    description: str | None = ""
    category: str = "custom"
    model: str | None = None
    prompt_additions: str | None = ""
    negative_prompt: str | None = ""
    style_strength: float | None = Field(None, ge=0, le=1)
    loras: list[StyleLora] = Field(default_factory=list)
    params: dict[str, Any] = Field(default_factory=dict)
    preview_url: str | None = None
    is_public: bool = False
    created_by: str | None = None
    use_count: Count = 0


class GenerationBatch(Dated):
    """A document of `generation_batches`.

    Read as aliases: `total`, `completed` and `failed` for the three counters.
    """

    id: Id
    project_id: Id
    clip_id: str | None = None
    status: Literal["queued", "processing", "completed", "failed"] = "queued"
    total_jobs: Count = 0
    completed_jobs: Count = 0
    failed_jobs: Count = 0
    comfyui_server_id: str | None = None
    prompt_data: dict[str, Any] = Field(default_factory=dict)
    results: list[Any] = Field(default_factory=list)
    error_message: str | None = None
    started_at: datetime | None = None


class GenerationPoolItem(Dated):
    """A document of `generation_pool`.

    Read as aliases: `source_clip_id` for `clip_id`.
    """

    id: Id
    project_id: Id
    name: str | None = None
    description: str | None = None
    content_type: Literal["image", "video"]
    source_type: Literal["clip_generation", "manual_upload", "batch_generation"] | None = None
    clip_id: str | None = None
    source_clip_id: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    generation_params: dict[str, Any] | None = None
    tags: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] | None = None
    status: str | None = None


class Project(SoftDeletable):
    """A document of `projects`.

    Read as aliases: `music_file` for `music_file_path`.
    """

    id: Id
    name: str
    description: str | None = ""
    thumbnail_url: str | None = None
    music_file_path: str | None = None
    music_duration: float | None = Field(None, ge=0)

"""A clip of a scene."""

from typing import Annotated, Any

from pydantic import Field

from db.documents.stored import Count, Id, SoftDeletable

TimelineSeconds = Annotated[float, Field(ge=0, le=10_000)]


class Clip(SoftDeletable):
    """A document of `clips` (seeds 001 and 004).

    Read as aliases: `duration` for `length`.

    Attributes:
        project_id: The scene's project, repeated here; the older API leaves it out.
        timeline_position: Seconds, rounded to hundredths.
        length: Seconds.
        generated_images: URLs, or objects with an id and a URL.
        generated_videos: URLs, or objects with an id and a URL.
        type: `image`, `video` or `text` in seed 001.
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

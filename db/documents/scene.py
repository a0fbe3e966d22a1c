"""A scene of a project."""

from pydantic import Field

from db.documents.stored import Id, SoftDeletable


class Scene(SoftDeletable):
    """A document of `scenes` (seed 001; seed 004 for the lyrics).

    `clips` inside of a scene is a shape of the app's answers and is not stored.

    Attributes:
        parent_scene_id: The scene that this one belongs to or is an alternate of.
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

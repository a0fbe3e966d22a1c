"""A project, the top of every story."""

from pydantic import Field

from db.documents.stored import Id, SoftDeletable


class Project(SoftDeletable):
    """A document of `projects` (seed 001; seed 004 for the music).

    Read as aliases: `music_file` for `music_file_path`.
    """

    id: Id
    name: str
    description: str | None = ""
    thumbnail_url: str | None = None
    music_file_path: str | None = None
    music_duration: float | None = Field(None, ge=0)

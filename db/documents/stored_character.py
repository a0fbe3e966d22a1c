"""A character as it is stored; `db.documents.character` holds what a face flow reads of it."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from db.documents.history import HistoryEntry
from db.documents.output_gallery import OutputGallery
from db.documents.preferred_settings import PreferredSettings
from db.documents.stored import Id, SoftDeletable


class StoredHistoryEntry(HistoryEntry):
    """A history entry that this project or the app wrote."""

    model_config = ConfigDict(extra="allow", frozen=True)


class StoredCharacter(SoftDeletable):
    """A document of `characters` (seed 001, reference section 2).

    Attributes:
        generation_method: `ip_adapter`, `reactor`, `instantid` or `lora`, from the older API.
        face_image: From the older API.
        generation_params: From the older API.
    """

    id: Id
    project_id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = Field("", max_length=2000)
    reference_images: list[str] = Field(default_factory=list)
    lora: str | None = Field(None, max_length=200)
    trigger_words: str | None = Field(None, max_length=500)
    style_notes: str | None = Field(None, max_length=2000)
    facefusion_processing_history: list[StoredHistoryEntry] = Field(default_factory=list)
    facefusion_preferred_settings: PreferredSettings | None = None
    facefusion_output_gallery: OutputGallery = Field(default_factory=OutputGallery)
    generation_method: str | None = None
    face_image: str | None = None
    generation_params: dict[str, Any] | None = None

"""A model of the Civitai catalog."""

from datetime import datetime
from typing import Any

from pydantic import Field

from db.documents.stored import Stored


class CivitaiModel(Stored):
    """A document of `civitai_models`: Civitai's own item unchanged, with what is lifted out of it.

    The field names are Civitai's (reference section 4.2). Read as aliases: `model_versions` for
    `modelVersions` (seed 001).

    Attributes:
        base_models: `baseModel` of every version, since an item has none of its own.
        file_keys: Names of all files without case.
        name_keys: The words of these names, with single spaces.
        content_hash: SHA-256 of the item as it was imported, so that the same one is not written
            again.
        import_id: The import that wrote it last.
        allowCommercialUse: A list; text in old data.
    """

    id: int
    name: str
    type: str
    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    nsfw: bool = False
    nsfwLevel: int | None = None  # noqa: N815 - Civitai's spelling
    allowDerivatives: bool | None = None  # noqa: N815
    allowCommercialUse: list[str] | str | None = None  # noqa: N815
    stats: dict[str, Any] = Field(default_factory=dict)
    creator: dict[str, Any] | None = None
    modelVersions: list[dict[str, Any]] = Field(default_factory=list)  # noqa: N815
    base_models: list[str] = Field(default_factory=list)
    file_keys: list[str] = Field(default_factory=list)
    name_keys: list[str] = Field(default_factory=list)
    content_hash: str | None = None
    imported_at: datetime | None = Field(None, alias="_imported_at")
    import_id: str | None = Field(None, alias="_import_id")

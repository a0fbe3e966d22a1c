"""A style template, of one project or of all."""

from typing import Any

from pydantic import Field

from db.documents.stored import Count, Id, SoftDeletable, Stored


class StyleLora(Stored):
    """A LoRA that a style applies."""

    name: str
    weight: float = 1.0


class StyleTemplate(SoftDeletable):
    """A document of `style_templates`, the field set of the app's DTO (reference section 3).

    Read as aliases: `prompt_template` and `prompt_additions` for one another,
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

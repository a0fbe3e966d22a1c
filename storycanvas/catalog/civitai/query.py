"""The filters of Civitai's list of models."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

ModelType = Literal[
    "Checkpoint",
    "TextualInversion",
    "Hypernetwork",
    "AestheticGradient",
    "LORA",
    "LoCon",
    "DoRA",
    "Controlnet",
    "Upscaler",
    "MotionModule",
    "VAE",
    "TextEncoder",
    "UNet",
    "CLIPVision",
    "Poses",
    "Wildcards",
    "Workflows",
    "ComfyWorkflows",
    "Detection",
    "VisionLanguage",
    "CLIP",
    "LLM",
    "Other",
]
"""Types that Civitai's list can be filtered by."""

SortOrder = Literal["Highest Rated", "Most Downloaded", "Newest"]
Period = Literal["AllTime", "Year", "Month", "Week", "Day"]


def _nothing_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Words = Annotated[_Text | None, BeforeValidator(_nothing_if_blank)]


class CivitaiQuery(BaseModel):
    """Filters and order of a list of models; a field that is left out does not filter.

    Attributes:
        types: Types of models; empty for all.
        base_models: Such as `SDXL 1.0`; empty for all.
        sort: Which models come first.
        period: The time that the ranking covers.
        nsfw: Whether adult models are wanted; None leaves it to Civitai.
        query: Words of the name; blank for any.
        tag: A tag; blank for any.
        username: The author; blank for any.
        limit: Items a page, 1 to 100.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[ModelType, ...] = ()
    base_models: tuple[_Text, ...] = ()
    sort: SortOrder = "Highest Rated"
    period: Period | None = None
    nsfw: bool | None = None
    query: _Words = None
    tag: _Words = None
    username: _Words = None
    limit: int = Field(100, ge=1, le=100)

    def parameters(self, cursor: str | None = None) -> list[tuple[str, str]]:
        """Make the API's parameters, for the page at a cursor or the first one.

        The values of a name that comes several times are sorted.
        """
        nsfw = None if self.nsfw is None else str(self.nsfw).lower()
        single = {
            "sort": self.sort,
            "period": self.period,
            "nsfw": nsfw,
            "query": self.query,
            "tag": self.tag,
            "username": self.username,
            "cursor": cursor,
        }
        return [
            ("limit", str(self.limit)),
            *(("types", name) for name in sorted(set(self.types))),
            *(("baseModels", name) for name in sorted(set(self.base_models))),
            *((name, value) for name, value in single.items() if value is not None),
        ]

    @property
    def key(self) -> str:
        """A short name, the same for the same filters and order.

        The length of a page is left out: a cursor says where a page begins, not how long it is.
        """
        asked = json.dumps(self.parameters()[1:])
        return f"civitai-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"

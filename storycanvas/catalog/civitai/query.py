"""The filters of Civitai's list of models."""

import hashlib
import json
import math
from typing import Annotated, Literal, Self

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

SortOrder = Literal["Highest Rated", "Most Downloaded", "Newest", "Oldest"]
Period = Literal["AllTime", "Year", "Month", "Week", "Day"]

_OTHER_ENDS: dict[SortOrder, SortOrder] = {"Newest": "Oldest", "Oldest": "Newest"}
"""Orders that Civitai has in both directions (`ModelSort` in `src/server/common/enums.ts`)."""
_BOTH_ENDS: tuple[SortOrder, ...] = ("Newest", "Oldest")

_OFFSET = "offset="


def offset_cursor(offset: int) -> str:
    """Make the cursor of a list with page numbers: how many items come before the page.

    A page number would mean another place once pages have another length.
    """
    return f"{_OFFSET}{offset}"


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
        limit, page = self.limit, None
        if cursor is not None and cursor.startswith(_OFFSET):
            offset, cursor = int(cursor.removeprefix(_OFFSET)), None
            limit = math.gcd(offset, limit)  # a page begins at a multiple of its length
            page = str(offset // limit + 1)
        single = {
            "sort": self.sort,
            "period": self.period,
            "nsfw": nsfw,
            "query": self.query,
            "tag": self.tag,
            "username": self.username,
            "page": page,
            "cursor": cursor,
        }
        return [
            ("limit", str(limit)),
            *(("types", name) for name in sorted(set(self.types))),
            *(("baseModels", name) for name in sorted(set(self.base_models))),
            *((name, value) for name, value in single.items() if value is not None),
        ]

    def from_other_ends(self) -> list[Self]:
        """Make the queries that reach what lies behind a place at which the list cannot be read.

        That is the same list in the opposite order. A ranking has none, so its models are listed
        by their age, from both ends, unless a period limits the ranking: then the models differ.
        """
        other = _OTHER_ENDS.get(self.sort)
        is_limited = self.period not in (None, "AllTime")
        orders = (other,) if other else () if is_limited else _BOTH_ENDS
        return [self.model_copy(update={"sort": order}) for order in orders]

    @property
    def key(self) -> str:
        """A short name, the same for the same filters and order.

        The length of a page is left out: a cursor says where a page begins, not how long it is.
        """
        asked = json.dumps(self.parameters()[1:])
        return f"civitai-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"

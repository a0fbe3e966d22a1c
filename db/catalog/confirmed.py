"""Links that a person made or confirmed; nothing overwrites them."""

from collections.abc import Mapping
from typing import Any

NOT_CONFIRMED: Mapping[str, Any] = {
    "civitai_match_quality": {"$ne": "manual"},
    "civitai_match_confirmed": {"$ne": True},
}
"""What every update of a link asks for again, since a person may have been there meanwhile."""


def is_confirmed(document: Mapping[str, Any]) -> bool:
    """Tell whether a person made or confirmed a document's link with Civitai.

    Args:
        document: Of `active_backend_models` or `database_models`.
    """
    if document.get("civitai_match_quality") == "manual":
        return True
    return document.get("civitai_match_confirmed") is True

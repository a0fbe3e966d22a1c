"""The outcome of matching a local model, in plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

NOT_CONFIRMED: Mapping[str, Any] = {
    "civitai_match_quality": {"$ne": "manual"},
    "civitai_match_confirmed": {"$ne": True},
}
"""The filter of every update of a link: a person may have made a link since it was read."""


def is_confirmed(document: Mapping[str, Any]) -> bool:
    """Whether a person made or confirmed a document's link with Civitai."""
    if document.get("civitai_match_quality") == "manual":
        return True
    return document.get("civitai_match_confirmed") is True


Quality = Literal["exact_hash", "high_confidence", "low_confidence"]
KNOWN: frozenset[Quality] = frozenset({"exact_hash", "high_confidence"})
"""Qualities with which a model is known well enough for `database_models`."""


@dataclass(frozen=True, slots=True)
class MatchLink:
    """The Civitai version that a local model is.

    Attributes:
        civitai_id: Of the item.
        name: Of the item.
        version_id: Civitai's number of the version.
        version_name: Such as `v2.0`.
        quality: How sure it is, in the words of `civitai_match_quality`.
        method: How it was found, such as `sha256`.
        score: From 0 to 1.
        base_model: As Civitai writes it.
        description: Of the item; may be HTML.
        tags: Of the item.
        trained_words: The words that trigger the version.
        is_nsfw: Whether Civitai marks it so.
        sha256: Of the file, in upper case.
    """

    civitai_id: int
    name: str
    version_id: int
    version_name: str | None
    quality: Quality
    method: str
    score: float
    base_model: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    trained_words: tuple[str, ...] = ()
    is_nsfw: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A local model and its match.

    Attributes:
        model_id: Folder and path.
        file_name: The last part of the path.
        model_type: A type of `database_models`.
        link: The version; None without one.
        reason: Why there is no link, as a sentence.
        candidates: Versions that it could be, the likeliest first, as they are to be stored.
        servers: Ids of the servers that have the file, sorted.
        raw_names: The path below the folder as servers spell it, sorted.
    """

    model_id: str
    file_name: str
    model_type: str
    link: MatchLink | None = None
    reason: str | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    servers: tuple[str, ...] = ()
    raw_names: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path below the folder, with slashes."""
        return self.model_id.partition("/")[2]

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which the app may have a row for the file, the likeliest first."""
        return app_names(self.raw_names, self.path)


def app_names(raw_names: Iterable[str], path: str) -> tuple[str, ...]:
    """List the names by which the app may have a row for a file, the likeliest first.

    Args:
        raw_names: The path below the folder as servers spell it.
        path: The same with slashes.
    """
    return tuple(dict.fromkeys((*raw_names, path, path.replace("/", "\\"))))


def link_fields(link: MatchLink | None) -> dict[str, Any]:
    """Make the fields of a link in `active_backend_models`; all null without one."""
    return {
        "civitai_model_id": link and str(link.civitai_id),
        "civitai_model_name": link and link.name,
        "civitai_version_id": link and link.version_id,
        "civitai_match_quality": link and link.quality,
        "match_method": link and link.method,
        "match_score": link and float(link.score),
    }

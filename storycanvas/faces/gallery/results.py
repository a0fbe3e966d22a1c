"""A result as the gallery shows it: in words, and where its picture is."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict

_UNSAFE = re.compile(r"[^a-z0-9]+")
_MODELS = ("enhancement_model", "face_swapper_model", "model")
_TOLD_ELSEWHERE = {*_MODELS, "source_face_url", "target_image_url"}
EARLIER = "earlier runs"
"""Where results are listed whose flow was not noted yet."""


class GalleryResult(BaseModel):
    """A picture of the gallery.

    Attributes:
        path: Path in the image store, which the page links; None where it lies elsewhere.
        address: Where documents say that it is, or where a browser shows it.
        flow: What added it to the character.
        in_gallery: Whether the app shows it; else it is a step on the way to another.
        shows: What the picture shows, in a few words.
        settings: All of them by name; the model among them.
        measured: Age and likeness in a few words.
        size: Width and height in pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None
    address: str
    flow: str = EARLIER
    in_gallery: bool = True
    shows: str
    model: str = ""
    settings: dict[str, Any] = {}
    engine: str = ""
    made_at: datetime | None = None
    measured: str = ""
    size: tuple[int, int] | None = None

    def facts(self) -> list[tuple[str, str]]:
        """List what is known of it, by name."""
        told = {"made": f"{self.made_at:%Y-%m-%d %H:%M} UTC" if self.made_at else ""}
        told |= {"model": self.model, "engine": self.engine, "measured": self.measured}
        settings = {name: written(value) for name, value in sorted(self.settings.items())}
        return [(name, text) for name, text in {**told, **settings}.items() if text]


def written(value: object) -> str:
    """Write a setting's value as a person reads it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value))
    return "" if value is None else str(value)


def what_it_shows(
    name: str, operation_type: str, parameters: Mapping[str, Any], age: int | None
) -> str:
    """Say in a few words what a result shows, for those who do not see it."""
    asked = parameters.get("target_age", age)
    if operation_type == "edit":
        changed = [
            f"{key.removeprefix('face_editor_').replace('_', ' ')} {value}"
            for key, value in sorted(parameters.items())
            if key.startswith("face_editor_") and value
        ]
        return f"{name} with another expression" + (f": {', '.join(changed)}" if changed else "")
    words = {
        "age_adjust": f"{name} at age {asked}",
        "enhance": f"{name} at age {age}, restored" if age is not None else f"{name}, restored",
        "swap": f"{name} in another picture",
        "mask": f"mask of the face of {name}",
    }
    return words.get(operation_type, f"{name}: {operation_type}")


def model_of(parameters: Mapping[str, Any]) -> str:
    """Name the model that did it; empty where the operation has none to choose."""
    return next((str(parameters[name]) for name in _MODELS if parameters.get(name)), "")


def other_settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the settings that are not told elsewhere."""
    return {name: value for name, value in parameters.items() if name not in _TOLD_ELSEWHERE}


Sections = list[tuple[str, list[tuple[str, list[GalleryResult]]]]]
"""Results by flow and day, the newest first in each."""


def by_flow_and_day(results: Iterable[GalleryResult]) -> Sections:
    """Group results by the flow that added them, and by day."""
    flows: dict[str, list[GalleryResult]] = {}
    for result in sorted(results, key=_time, reverse=True):
        flows.setdefault(result.flow, []).append(result)
    return [
        (flow, [(day, [*found]) for day, found in groupby(listed, key=_day)])
        for flow, listed in flows.items()
    ]


def _time(result: GalleryResult) -> float:
    return result.made_at.timestamp() if result.made_at else 0.0


def _day(result: GalleryResult) -> str:
    return f"{result.made_at:%Y-%m-%d}" if result.made_at else "no date"


def gallery_key(character_id: str) -> str:
    """Make of a character's id what names its page: readable, and no other's in any case.

    Ids that differ in case or signs only give others.
    """
    readable = _UNSAFE.sub("-", character_id.lower()).strip("-")[:60]
    return f"{readable}-{sha256(character_id.encode()).hexdigest()[:8]}".strip("-")

"""Looking at pictures before work is planned on them: is there a face, is it large enough, how old."""

from dataclasses import dataclass

from faces.preferences import Preferences
from faces.recipes.inspection import inspection
from tasks.road import Road
from tasks.run_plan import run_plan
from tasks.run_step import Made, Order

SMALLEST_FACE = 256
"""Pixels of a source face's shorter side below which results get poor (seed 002)."""


@dataclass(frozen=True)
class Inspection:
    """What was seen in the pictures.

    Attributes:
        estimated_ages: The engine's estimate in years, by picture; None where it gives none.
        warnings: Sentences for the report.
    """

    estimated_ages: dict[str, float | None]
    warnings: tuple[str, ...]


def inspect(
    road: Road, order: Order, pictures: dict[str, str], preferences: Preferences
) -> Inspection:
    """Find the face in each picture.

    Args:
        road: What the run works with.
        order: For whom.
        pictures: References by the name that messages call the picture.
        preferences: Settings of a preset and of the character.

    Returns:
        Estimated ages and warnings.

    Raises:
        NoFace: A picture has none; nothing has been recorded.
        FaceError: A picture cannot be read, or the host failed.
    """
    result = run_plan(road, order, inspection(pictures, preferences))
    for error in result.errors.values():
        raise error
    seen = {name: result.made[f"detect {name}"] for name in pictures}
    warnings = [text for name, made in seen.items() for text in _warnings(name, made)]
    ages = {name: made.record.estimated_age if made.record else None for name, made in seen.items()}
    return Inspection(ages, tuple(warnings))


def _warnings(name: str, made: Made) -> list[str]:
    faces = (made.record.faces if made.record else None) or []
    warnings = []
    if len(faces) > 1:
        warnings.append(
            f"The {name} picture shows {len(faces)} faces; the selector order decides which is used."
        )
    side = min(faces[0]["width"], faces[0]["height"]) if faces else SMALLEST_FACE
    if side < SMALLEST_FACE:
        warnings.append(
            f"The face in the {name} picture is {side} pixels wide; "
            f"{SMALLEST_FACE} or more give better results."
        )
    return warnings

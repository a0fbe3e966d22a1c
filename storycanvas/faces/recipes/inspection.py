"""Inspection: finds the face in each picture before any work is planned on it."""

from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences


def inspection(pictures: dict[str, str], preferences: Preferences | None = None) -> Plan:
    """Plan one `detect` for each picture.

    Args:
        pictures: References by the name that messages call the picture.
        preferences: Settings of a preset and of the character.

    Returns:
        A plan with one step for each picture, named `detect <name>`.

    Raises:
        OutOfRange: A preferred setting is out of its range.
    """
    operation, sources = (preferences or Preferences()).resolve(
        DetectOperation, fitted={}, explicit={}
    )
    return Plan(
        pictures=tuple(PlanPicture(name=name, reference=ref) for name, ref in pictures.items()),
        steps=tuple(
            Step(name=f"detect {name}", operation=operation, inputs=(name,), sources=sources)
            for name in pictures
        ),
    )

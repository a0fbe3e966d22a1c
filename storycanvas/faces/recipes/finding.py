"""Looking at faces without changing them: the mask of one, or all faces of pictures."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from storycanvas.faces.operations import (
    DetectOperation,
    FaceSelectorMode,
    FaceSelectorOrder,
    MaskOperation,
)
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences

PICTURE = "picture"


def mask_face(picture: str, *, preferences: Preferences | None = None) -> Plan:
    """Plan the mask of a face; it goes to no gallery."""
    operation, sources = (preferences or Preferences()).resolve(
        MaskOperation, fitted={}, explicit={}
    )
    step = Step(name="mask", operation=operation, inputs=(PICTURE,), label="mask", sources=sources)
    return Plan(
        pictures=(PlanPicture(name=PICTURE, reference=picture, label=PICTURE),), steps=(step,)
    )


def detect_faces(
    pictures: Mapping[str, str],
    *,
    required: bool = True,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan a search for faces in pictures, given as references by name.

    One that cannot be had stops all, or only its own step where they are not `required`.
    """
    operation, sources = (preferences or Preferences()).resolve(
        DetectOperation, fitted={}, explicit={}
    )
    return Plan(
        pictures=tuple(
            PlanPicture(name=name, reference=reference, label=name, required=required)
            for name, reference in pictures.items()
        ),
        steps=tuple(
            Step(name=f"detect {name}", operation=operation, inputs=(name,), sources=sources)
            for name in pictures
        ),
    )


_PERSON = "the person of face_of"
"""With spaces, so that no picture of a recipe or of a chain has this name."""


def detect_like(
    person: PlanPicture, pictures: Sequence[PlanPicture], preferences: Preferences
) -> Plan:
    """Plan a search for all faces of pictures, each with its distance to a person's face.

    Args:
        person: Shows the person; its name does not count.
        pictures: Where the faces are looked for; one that cannot be had stops its own step only.
        preferences: How faces are found.
    """
    operation, _ = preferences.resolve(
        DetectOperation,
        fitted={},
        explicit={"face_selector_mode": FaceSelectorMode.MANY, "reference_face_distance": 1.0},
    )
    known = person.model_copy(update={"name": _PERSON, "required": False})
    looked_at = [picture.model_copy(update={"required": False}) for picture in pictures]
    return Plan(
        pictures=(known, *looked_at),
        steps=tuple(
            Step(name=f"find {name}", operation=operation, inputs=(_PERSON, name))
            for name in (picture.name for picture in pictures)
        ),
    )


_COMPARE = DetectOperation(
    face_selector_mode=FaceSelectorMode.MANY,
    face_selector_order=FaceSelectorOrder.LARGE_SMALL,
    reference_face_distance=1.0,
)
"""The same whatever is preferred, so that the ledger has the distance of two pictures once."""


def compare_pictures(pictures: Sequence[PlanPicture]) -> Plan:
    """Plan the distances between the largest faces of pictures: each pair is one `detect`.

    The first face that a step finds has the distance. Pairs are in an order of their own, so that
    other pictures or another order of them leave those done that were done.
    """
    ordered = sorted(pictures, key=lambda picture: picture.reference)
    return Plan(
        pictures=tuple(picture.model_copy(update={"required": False}) for picture in ordered),
        steps=tuple(
            Step(
                name=f"compare {first.name} with {second.name}",
                operation=_COMPARE,
                inputs=(first.name, second.name),
            )
            for first, second in combinations(ordered, 2)
        ),
    )

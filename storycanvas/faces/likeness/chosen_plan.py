"""Giving the steps of a plan the faces that were chosen in its pictures."""

from collections.abc import Collection, Mapping

from storycanvas.faces.errors import PlanInvalid
from storycanvas.faces.operations import FaceBox
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import build_operation
from storycanvas.faces.settings import face_givers

Source = tuple[str, int | None, FaceBox | None]
"""What makes a picture that is fetched another one: reference, longest side, and cut."""


def source_of(picture: PlanPicture) -> Source:
    """Return what a picture of a plan is made from; its name there does not count."""
    return picture.reference, picture.longest_side, picture.cut


def worked_on(plan: Plan, givers: Collection[str] | None = None) -> tuple[PlanPicture, ...]:
    """List the pictures in which the settings choose a face.

    Args:
        plan: The plan.
        givers: Pictures that only give their face; None finds those of the plan's swaps.
    """
    spared = face_givers(plan) if givers is None else givers
    origins = set(plan.origins().values())
    return tuple(p for p in plan.pictures if p.name in origins and p.name not in spared)


def with_chosen_faces(
    plan: Plan, boxes: Mapping[Source, FaceBox], givers: Collection[str] | None = None
) -> Plan:
    """Have each step work on the face that was chosen in its picture.

    Args:
        plan: The plan.
        boxes: Left, top, width and height of the chosen face, by picture.
        givers: As for `worked_on`.

    Raises:
        PlanInvalid: No face was chosen in a picture; another one would be taken by its place.
        OutOfRange: A step chooses a face by itself.
    """
    origins = plan.origins()
    pictures = {picture.name: picture for picture in worked_on(plan, givers)}
    steps = []
    for step in plan.steps:
        picture = pictures.get(origins[step.name])
        if picture is not None:
            box = boxes.get(source_of(picture))
            if box is None:
                raise PlanInvalid(
                    f"The step '{step.name}' works on the picture '{picture.name}', in which "
                    "face_of chose no face; choose one by face_box or face_position instead."
                )
            step = _with_box(step, box)  # noqa: PLW2901 - the same step, complete
        steps.append(step)
    return plan.model_copy(update={"steps": tuple(steps)})


def _with_box(step: Step, box: FaceBox) -> Step:
    kind = type(step.operation)
    stated = {name: getattr(step.operation, name) for name in kind.model_fields}
    sources = step.sources | {"face_box": "explicit"}
    operation, sources = build_operation(kind, stated | {"face_box": box}, sources)
    return step.model_copy(update={"operation": operation, "sources": sources})

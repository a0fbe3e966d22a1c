"""The steps of a plan work on the faces that were chosen in their pictures, or not at all."""

import pytest

from storycanvas.faces.errors import OutOfRange, PlanInvalid
from storycanvas.faces.likeness.chosen_plan import source_of, with_chosen_faces, worked_on
from storycanvas.faces.operations import EnhanceOperation, SwapOperation
from storycanvas.faces.plan import Plan, PlanPicture, Step

PERSON = PlanPicture(name="source", reference="person.png")
SCENE = PlanPicture(name="target", reference="scene.png", longest_side=800)
BOX = (10, 20, 30, 40)


def plan(*, of: EnhanceOperation | None = None) -> Plan:
    enhance = of or EnhanceOperation()
    return Plan(
        pictures=(PERSON, SCENE),
        steps=(
            Step(name="enhance source", operation=enhance, inputs=("source",)),
            Step(name="swap", operation=SwapOperation(), inputs=("enhance source", "target")),
            Step(name="enhance result", operation=EnhanceOperation(), inputs=("swap",)),
        ),
    )


def test_faces_are_chosen_in_the_pictures_that_are_worked_on() -> None:
    assert worked_on(plan()) == (SCENE,)
    assert worked_on(plan(), ()) == (PERSON, SCENE)


def test_every_step_on_a_picture_gets_its_face_and_the_giver_none() -> None:
    found = with_chosen_faces(plan(), {source_of(SCENE): BOX})

    boxes = {step.name: step.operation.face_box for step in found.steps}
    assert boxes == {"enhance source": None, "swap": BOX, "enhance result": BOX}
    assert found.steps[1].sources["face_box"] == "explicit"


def test_a_picture_of_another_size_is_another_picture() -> None:
    other = SCENE.model_copy(update={"longest_side": None})

    with pytest.raises(PlanInvalid, match="'target', in which face_of chose no face"):
        with_chosen_faces(plan(), {source_of(other): BOX})


def test_a_step_that_chooses_a_face_itself_is_refused() -> None:
    by_place = plan(of=EnhanceOperation(face_position=1))
    boxes = {source_of(SCENE): BOX, source_of(PERSON): BOX}

    with pytest.raises(OutOfRange, match="face_position and face_box each choose a face"):
        with_chosen_faces(by_place, boxes, ())

"""A plan whose parts do not fit is refused before anything runs."""

import pytest

from storycanvas.faces.errors import PlanInvalid
from storycanvas.faces.operations import DetectOperation, EnhanceOperation, SwapOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step

BASE = PlanPicture(name="base", reference="base.png")


def step(name: str, *inputs: str, **more: object) -> Step:
    return Step(name=name, operation=EnhanceOperation(), inputs=inputs, **more)


MISFITS = [
    ((step("base", "base"),), "uses the name 'base' twice"),
    ((step("a", "base"), step("a", "base")), "uses the name 'a' twice"),
    ((step("a", "nowhere"),), "takes 'nowhere'"),
    ((step("a", "b"), step("b", "base")), "takes 'b'"),
    ((step("a"),), "has 0 inputs; enhance takes 1"),
    ((step("a", "base", "base"),), "has 2 inputs; enhance takes 1"),
    ((Step(name="s", operation=SwapOperation(), inputs=("base",)),), "swap takes 2"),
    (
        (Step(name="d", operation=DetectOperation(), inputs=("base",)), step("a", "d")),
        "nor the picture of an earlier step",
    ),
    ((step("a", "base", gallery=Gallery.AGE_VARIANTS),), "must name an age"),
    ((step("a", "base", age=40),), "must name an age"),
]


@pytest.mark.parametrize(("steps", "reason"), MISFITS)
def test_a_plan_that_does_not_fit_is_refused(steps: tuple[Step, ...], reason: str) -> None:
    with pytest.raises(PlanInvalid, match=reason):
        Plan(pictures=(BASE,), steps=steps)


def test_steps_may_take_pictures_and_earlier_steps() -> None:
    plan = Plan(pictures=(BASE,), steps=(step("a", "base"), step("b", "a")))

    assert [s.name for s in plan.steps] == ["a", "b"]

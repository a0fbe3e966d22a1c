"""What follows from a person's answer: pictures, and what lies on the way to them."""

from datetime import UTC, datetime

import pytest

from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.results.reviewing import (
    ReviewAnswer,
    entered_steps,
    form_text,
    named_apart,
    read_answer,
    review_key,
)

SHOWN = ("age 25", "age 45", "age 65")


def step(name: str, of: str, gallery: Gallery | None = None) -> Step:
    age = 65 if gallery is Gallery.AGE_VARIANTS else None
    return Step(name=name, operation=EnhanceOperation(), inputs=(of,), gallery=gallery, age=age)


PLAN = Plan(
    pictures=(PlanPicture(name="base", reference="base.png"),),
    steps=(
        step("restored", "base", Gallery.ENHANCED_FACES),
        step("half way", "restored"),
        step("older", "half way", Gallery.AGE_VARIANTS),
        step("oldest", "older", Gallery.AGE_VARIANTS),
        step("trial", "base"),
    ),
)
MADE = [each.name for each in PLAN.steps]


@pytest.mark.parametrize(
    ("keep", "reject", "rejected"),
    [
        ([], [], set()),
        ([], ["age 45"], {"age 45"}),
        (["age 45"], [], {"age 25", "age 65"}),
        (["all"], ["age 25"], {"age 25"}),
        (["age 25", "age 45"], ["age 45"], {"age 45", "age 65"}),
        ([], ["all"], {*SHOWN}),
        (["age 25"], ["all"], {*SHOWN}),
    ],
)
def test_what_is_kept_is_what_was_chosen_and_not_rejected(
    keep: list[str], reject: list[str], rejected: set[str]
) -> None:
    answer = read_answer(SHOWN, keep, reject, "  eyes\n off ")

    assert answer == ReviewAnswer(frozenset(rejected), "eyes off")


def test_a_picture_that_is_rejected_without_a_word_has_a_reason() -> None:
    assert ReviewAnswer(frozenset(SHOWN)).reason == "Rejected in the review."
    assert ReviewAnswer(frozenset(SHOWN), "eyes off").reason == "eyes off"


@pytest.mark.parametrize(
    ("rejected", "entered"),
    [
        ([], MADE),
        (["oldest"], ["restored", "half way", "older", "trial"]),
        (["older"], ["restored", "half way", "oldest", "trial"]),
        (["older", "oldest"], ["restored", "trial"]),
        (["restored", "older", "oldest"], ["trial"]),
    ],
)
def test_what_lies_on_the_way_to_a_picture_goes_with_it(
    rejected: list[str], entered: list[str]
) -> None:
    assert entered_steps(PLAN, MADE, rejected) == entered


def test_a_step_without_a_result_is_not_entered() -> None:
    assert entered_steps(PLAN, ["restored", "half way"], []) == ["restored", "half way"]


def test_an_answer_counts_for_the_pictures_that_were_shown_and_no_others() -> None:
    shown = {"age 25": "a" * 64, "age 45": "b" * 64}

    assert review_key(shown) == review_key(dict(reversed(shown.items())))
    assert review_key(shown) != review_key({**shown, "age 45": "c" * 64})
    assert review_key(shown, 1) == f"{review_key(shown)}-2"


def test_steps_of_several_characters_are_named_apart() -> None:
    assert named_apart([("", ["age 25"])]) == {"age 25": (0, "age 25")}
    assert named_apart([("Mara", ["age 25"]), ("Ben", ["age 25"])]) == {
        "Mara · age 25": (0, "age 25"),
        "Ben · age 25": (1, "age 25"),
    }


def test_the_form_tells_beforehand_what_becomes_of_a_run_that_is_not_answered() -> None:
    until = datetime(2026, 12, 24, 18, 30, tzinfo=UTC)

    text = form_text(1, "http://127.0.0.1/sheet", until)

    assert text.startswith("[Contact sheet](http://127.0.0.1/sheet). 1 picture waits for")
    assert "Not answered by 2026-12-24 18:30 UTC, the run ends Failed and nothing goes" in text

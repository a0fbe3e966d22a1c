"""A partly failed run shows the newest picture on the way to each result, and each reason once."""

from typing import cast

import pytest
from PIL import Image

from storycanvas.faces.pictures.reading import normal_form
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.reports.steps import FaceRunReport, Outcome, StepReport
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult
from tasks.faces.reporting.report import StepsFailed
from tasks.faces.reporting.sheet import sheet_rows
from tasks.faces.step import StepOutput

AGES = age_progression("base.png", 25, [45, 65])
SWAP = enhance_then_swap("face.png", "scene.png")

LATER = [each.name for each in AGES.steps[2:]]

NEWEST = [
    # plan, steps that are done -> what the cell of the step shows, what was not done
    (AGES, {"age 45", "enhance age 45"}, "enhance age 45", ("enhance age 45", None)),
    (AGES, {"age 45"}, "enhance age 45", ("age 45", "enhance age 45")),
    (AGES, {"age 45"}, "enhance age 65", ("age 45", "age 65")),
    (AGES, set(), "enhance age 45", (None, "age 45")),
    (SWAP, {"enhance source", "swap"}, "enhance result", ("swap", "enhance result")),
    (SWAP, {"enhance source"}, "swap", (None, "swap")),
]


@pytest.mark.parametrize(("plan", "done", "shown", "expected"), NEWEST)
def test_the_newest_picture_on_the_way_to_a_step_is_found(
    plan: Plan, done: set[str], shown: str, expected: tuple[str | None, str | None]
) -> None:
    inputs = [picture.name for picture in plan.pictures]
    outputs = {name: StepOutput(name, "", "") for name in (*inputs, *done)}
    result = PlanResult(plan, outputs, steps=(), errors={})

    assert result.newest_step(shown) == expected


SHEETS = [
    # steps that are done -> label and note of each cell after the base
    ({"age 45", "enhance age 45"}, [("age 45", "done"), ("age 45", "age 65: failed")]),
    ({"age 45"}, [("age 45", "enhance age 45: failed"), ("age 45", "age 65: failed")]),
    (set(), [("age 45", "failed"), ("age 65", "failed")]),
]


@pytest.mark.parametrize(("done", "cells"), SHEETS)
def test_a_place_of_the_sheet_names_the_first_step_that_failed(
    done: set[str], cells: list[tuple[str, str]]
) -> None:
    picture = normal_form(Image.new("RGB", (8, 8)))
    outputs = {name: StepOutput(name, "", "", picture=picture) for name in ("base", *done)}
    steps = [step(each.name, "done" if each.name in done else "failed") for each in AGES.steps]
    result = PlanResult(AGES, outputs, steps=tuple(steps), errors={})
    no_context = cast("RunContext", None)  # the pictures are at hand

    [[_base, *after]] = sheet_rows(no_context, Inspection({}, {}, (), ()), result)

    assert [(cell.label, cell.note) for cell in after] == cells


def test_a_warning_and_a_reason_stand_at_the_picture_that_they_are_about() -> None:
    picture = normal_form(Image.new("RGB", (8, 8)))
    outputs = {name: StepOutput(name, "", "", picture=picture) for name in ("base", "age 45")}
    steps = (
        step("age 45", "done").model_copy(update={"checks": ("The face is covered.",)}),
        step("enhance age 45", "failed", "The host is away."),
        *(step(name, "skipped", "it needs 'x', which failed.") for name in LATER),
    )
    jump = "Age 65 is far."
    plan = AGES.model_copy(update={"warnings": (jump,), "about": {jump: "age 65"}})
    found = Inspection(about={"The face is small.": "base"})
    no_context = cast("RunContext", None)

    [[base, first, second]] = sheet_rows(
        no_context, found, PlanResult(plan, outputs, steps=steps, errors={})
    )

    assert base.warnings == ("The face is small.",)
    assert first.warnings == ("The face is covered.", "The host is away.")
    assert second.warnings == (jump,)


def test_a_picture_that_stands_in_several_rows_has_its_warnings_in_the_first() -> None:
    plan = age_progression("base.png", 25, [35, 45, 55])
    steps = tuple(step(each.name, "failed") for each in plan.steps)
    found = Inspection(about={"The face is small.": "base"})

    rows = sheet_rows(
        cast("RunContext", None), found, PlanResult(plan, outputs={}, steps=steps, errors={})
    )

    assert [row[0].warnings for row in rows] == [("The face is small.",), ()]


def step(name: str, outcome: Outcome, error: str | None = None) -> StepReport:
    return StepReport(step=name, operation_type="age_adjust", outcome=outcome, error=error)


def test_steps_with_the_same_reason_share_a_sentence() -> None:
    refused, away = "The picture shows no face.", "The host is away."
    report = FaceRunReport(
        flow="age-progression",
        character_id="mira",
        engine="preview 1",
        host="http://127.0.0.1:9002",
        steps=(
            step("age 16", "failed", refused),
            step("enhance age 16", "skipped", "it needs 'age 16', which failed."),
            step("age 25", "done"),
            step("age 45", "failed", refused),
            step("enhance age 45", "skipped", "it needs 'age 45', which failed."),
            step("age 65", "failed", away),
        ),
    )

    assert str(StepsFailed(report)) == (
        "6 steps: 1 done, 3 failed, 2 skipped. "
        f"age 16, age 45: {refused} age 65: {away} "
        "enhance age 16, enhance age 45: skipped, because a step before failed. "
        "What is done is kept."
    )

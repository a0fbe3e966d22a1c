"""The contact sheet has three cells across, and what was beside what it became."""

import pytest

from storycanvas.faces.operations import EnhancementModel
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.sheets.layout import sheet_layout, sheet_views, shown_steps


def labels(plan: Plan) -> list[list[str]]:
    return [[cell.label for cell in row] for row in sheet_layout(plan)]


@pytest.mark.parametrize(
    ("ages", "rows"),
    [
        ([45], [["base (30)", "age 45"]]),
        ([45, 12], [["base (30)", "age 12", "age 45"]]),
        (
            [12, 16, 25, 45, 65],
            [
                ["base (30)", "age 12", "age 16"],
                ["base (30)", "age 25", "age 45"],
                ["base (30)", "age 65"],
            ],
        ),
    ],
)
def test_each_row_of_ages_begins_with_the_base(ages: list[int], rows: list[list[str]]) -> None:
    assert labels(age_progression("base.png", 30, ages)) == rows


def test_an_intermediate_age_is_not_shown() -> None:
    plan = age_progression("base.png", 25, [80])

    assert len(plan.steps) > 2
    assert labels(plan) == [["base (25)", "age 80"]]


def test_a_swap_shows_each_face_beside_what_became_of_it_and_the_whole_target() -> None:
    assert labels(enhance_then_swap("face.png", "scene.png")) == [
        ["source", "enhance source"],
        ["target", "swap", "enhance result"],
        ["target, whole", "enhance result, whole"],
    ]


def test_a_swap_alone_shows_the_source_by_itself() -> None:
    plan = enhance_then_swap("face.png", "scene.png", enhance_source=None, enhance_result=None)

    assert labels(plan) == [["source"], ["target", "swap"], ["target, whole", "swap, whole"]]


def test_a_step_is_shown_around_the_face_of_what_it_changed() -> None:
    face = (4, 5, 6, 7)

    views = sheet_views(enhance_then_swap("face.png", "scene.png"), {"target": face})

    assert views["target"] == {False: face, True: None}
    assert views["enhance result"] == {False: face, True: None}
    assert views["enhance source"] == {False: None}


def test_only_the_last_row_of_a_swap_shows_more_than_faces() -> None:
    plan = enhance_then_swap("face.png", "scene.png", enhance_result=EnhancementModel.GFPGAN_1_4)

    *faces, whole = sheet_layout(plan)

    assert not any(cell.whole for row in faces for cell in row)
    assert all(cell.whole for cell in whole)
    assert [cell.name for cell in whole] == ["target", "enhance result"]


def test_a_cell_stands_for_its_picture_and_for_steps_that_have_no_cell() -> None:
    assert shown_steps(age_progression("base.png", 30, [45])) == {
        "base": ("base",),
        "enhance age 45": ("age 45", "enhance age 45"),
    }


def test_a_step_from_which_two_cells_are_made_counts_for_the_first_alone() -> None:
    shown = shown_steps(age_progression("base.png", 80, [45, 65]))

    assert shown["enhance age 65"] == ("age 65", "enhance age 65")
    assert shown["enhance age 45"] == ("age 45", "enhance age 45")


def test_each_warning_of_a_plan_is_about_one_of_its_steps() -> None:
    plan = age_progression("base.png", 20, [30, 90])

    [warning] = plan.warnings
    assert warning.startswith("Age 90 is 70 years")
    assert plan.about == {warning: "age 90"}

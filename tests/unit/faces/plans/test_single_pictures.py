"""Recipes that work on single pictures: restoring, comparing, another expression."""

import pytest

from storycanvas.faces.errors import BadField, OutOfRange
from storycanvas.faces.operations import EditOperation, EnhancementModel
from storycanvas.faces.plan import Gallery, Plan
from storycanvas.faces.recipes.enhancing import compare_enhancers, enhance_faces
from storycanvas.faces.recipes.expression import EDITOR_FIELDS, Sweep, edit_expression
from storycanvas.faces.sheets.layout import sheet_layout

SMILE = "face_editor_mouth_smile"


def labels(plan: Plan) -> list[list[str]]:
    return [[cell.label for cell in row] for row in sheet_layout(plan)]


def test_each_picture_is_restored_by_itself_and_shown_beside_what_it_was() -> None:
    plan = enhance_faces(["a.png", "b.png"])

    assert labels(plan) == [
        ["picture 1", "picture 1 enhanced"],
        ["picture 2", "picture 2 enhanced"],
    ]
    assert {step.gallery for step in plan.steps} == {Gallery.ENHANCED_FACES}


def test_a_comparison_has_a_row_for_each_model_and_a_column_for_each_blend() -> None:
    models = [EnhancementModel.GFPGAN_1_4, EnhancementModel.CODEFORMER]

    assert labels(compare_enhancers("a.png", models, [0.5, 0.8, 0.5])) == [
        ["before", "gfpgan_1.4 0.5", "gfpgan_1.4 0.8"],
        ["before", "codeformer 0.5", "codeformer 0.8"],
    ]


def test_models_with_one_blend_stand_in_one_row() -> None:
    assert [len(row) for row in labels(compare_enhancers("a.png"))] == [4]


@pytest.mark.parametrize(("keep", "gallery"), [(False, None), (True, Gallery.CUSTOM_OUTPUTS)])
def test_what_is_compared_is_kept_only_when_it_is_asked_for(
    keep: bool, gallery: Gallery | None
) -> None:
    assert {step.gallery for step in compare_enhancers("a.png", keep=keep).steps} == {gallery}


def test_more_pictures_than_a_sheet_can_compare_are_refused_with_their_number() -> None:
    with pytest.raises(OutOfRange, match=r"9 models with 5 blends are 45 pictures.*at most 36"):
        compare_enhancers("a.png", list(EnhancementModel), [0.1, 0.2, 0.3, 0.4, 0.5])


def test_an_expression_sends_only_what_is_named() -> None:
    (step,) = edit_expression("a.png", {SMILE: 40, EDITOR_FIELDS[0]: None}).steps

    assert step.operation == EditOperation(face_editor_mouth_smile=40)
    assert step.gallery is Gallery.EDITED_EXPRESSIONS


@pytest.mark.parametrize("values", [{}, {SMILE: 0}, dict.fromkeys(EDITOR_FIELDS, 0)])
def test_an_expression_that_changes_nothing_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(BadField, match="nothing would change"):
        edit_expression("a.png", values)


def test_a_sweep_is_a_strip_in_order_without_the_picture_as_it_is() -> None:
    plan = edit_expression("a.png", {}, sweep=Sweep(field=SMILE, values=[60, -60, 0, 60]))

    assert labels(plan) == [["base", "mouth smile -60", "mouth smile 60"]]


def test_a_long_sweep_goes_on_in_the_next_row_beside_the_same_picture() -> None:
    values = list(range(-100, 110, 10))
    plan = edit_expression("a.png", {}, sweep=Sweep(field=SMILE, values=values))

    assert [(row[0], len(row)) for row in labels(plan)] == [("base", 8), ("base", 8), ("base", 7)]


def test_a_sweep_of_what_is_no_value_of_the_editor_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadField, match=r"'smile' is no value of the editor.*face_editor_mouth"):
        edit_expression("a.png", {}, sweep=Sweep(field="smile", values=[1, 2]))


def test_a_sweep_that_was_left_alone_in_the_form_is_none() -> None:
    (step,) = edit_expression("a.png", {SMILE: 40}, sweep=Sweep()).steps

    assert step.name == "edit"


def test_a_sweep_of_one_value_is_refused() -> None:
    with pytest.raises(BadField, match="at least two values"):
        edit_expression("a.png", {}, sweep=Sweep(field=SMILE, values=[40, 40]))

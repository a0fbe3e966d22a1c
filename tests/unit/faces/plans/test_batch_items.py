"""Items of a batch are read one by one: one that does not fit holds its fault, and no other."""

from typing import Any

import pytest
from bson import Code

from storycanvas.faces.batch import BatchItem, read_items
from storycanvas.faces.errors import BadField, ChildAgeRefused, OutOfRange
from storycanvas.faces.operations import AgeAdjustOperation, EditOperation, EnhanceOperation
from storycanvas.faces.plan import Gallery
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.batch import BatchPlan, batch_plan
from storycanvas.faces.settings import FaceSettings

ENHANCE = {"type": "enhance", "image_url": "a.png"}


def item(**written: Any) -> BatchItem:
    (found,) = read_items([written])
    return found


def planned(*operations: dict[str, Any], **options: Any) -> BatchPlan:
    return batch_plan(read_items(operations), **{"reference_image": "own.png", **options})


@pytest.mark.parametrize(
    ("written", "references", "fields"),
    [
        (ENHANCE, ("a.png",), {}),
        ({"operation_type": "enhance", "image_url": " a.png\n"}, ("a.png",), {}),
        (
            {**ENHANCE, "enhancement_model": "codeformer"},
            ("a.png",),
            {"enhancement_model": "codeformer"},
        ),
        (
            {**ENHANCE, "parameters": {"face_enhancer_model": "codeformer"}},
            ("a.png",),
            {"enhancement_model": "codeformer"},
        ),
        (
            {"type": "age_adjust", "image_url": "a", "face_editor_age": 50, "face_editor_blend": 1},
            ("a",),
            {"target_age": 50, "age_adjustment_blend": 1},
        ),
        (
            {"type": "edit", "image_url": "a", "mouth_smile": 40, "face_editor_head_yaw": 5},
            ("a",),
            {"face_editor_mouth_smile": 40, "face_editor_head_yaw": 5},
        ),
        (
            {"type": "swap", "source_face_url": "a", "target_image_url": "b"},
            ("a", "b"),
            {},
        ),
        ({"type": "swap", "target_image_url": "b"}, (None, "b"), {}),
        ({"type": "detect"}, (None,), {}),
        ({**ENHANCE, "parameters": None, "face_enhancer_blend": None}, ("a.png",), {}),
    ],
)
def test_an_item_is_read_by_every_name_of_a_value(
    written: dict[str, Any], references: tuple[str | None, ...], fields: dict[str, Any]
) -> None:
    found = item(**written)

    assert found.fault is None
    assert (found.references, dict(found.fields)) == (references, fields)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("enhance", "'enhance' is no operation"),
        (None, "None is no operation"),
        ({"image_url": "a"}, "operation_type is missing; it is one of enhance"),
        ({"type": "magic"}, "type: 'magic' is none of enhance"),
        ({"type": ["enhance"]}, "type: a list is none of"),
        ({"type": Code("enhance")}, "type: Code('enhance', None) is none of"),
        ({"type": "enhance", "operation_type": "enhance"}, "name one value"),
        ({**ENHANCE, "image_url": ""}, "image_url: '' is no address"),
        ({**ENHANCE, "image_url": 7}, "image_url: 7 is no address"),
        ({**ENHANCE, "image_url": "a" * 2001}, "is no address"),
        ({"type": "swap", "source_face_url": "a"}, "target_image_url is missing"),
        ({**ENHANCE, "facefusion_url": "http://127.0.0.1"}, "facefusion_url: enhance has no such"),
        ({**ENHANCE, "face_enhancer_blnd": 1}, "the nearest name is face_enhancer_blend"),
        ({**ENHANCE, "parameters": [1]}, "parameters: a list is no object"),
        (
            {**ENHANCE, "enhancement_model": "a", "parameters": {"face_enhancer_model": "a"}},
            "face_enhancer_model and enhancement_model name one value",
        ),
        (
            {"type": "edit", "mouth_smile": 1, "face_editor_mouth_smile": 1},
            "mouth_smile and face_editor_mouth_smile name one value",
        ),
    ],
)
def test_an_item_that_cannot_be_read_says_why(written: object, sentence: str) -> None:
    (found,) = read_items([written])

    assert found.fault is not None
    assert sentence in str(found.fault)


@pytest.mark.parametrize(
    ("count", "pictures", "sentence"),
    [
        (0, 0, "operations: 0 are named"),
        (501, 0, "operations: 501 are named"),
        (11, 100, "1,100 items; a batch has at most 1,000"),
    ],
)
def test_a_batch_has_bounds(count: int, pictures: int, sentence: str) -> None:
    with pytest.raises(BadField, match=sentence):
        read_items([{"type": "enhance"}] * count, ["a.png"] * pictures)


def test_every_operation_is_done_on_each_of_the_pictures() -> None:
    operations = [{"type": "enhance"}, {"type": "swap", "source_face_url": "face"}]
    found = read_items(operations, ["a", "b"])

    assert [each.references for each in found] == [("a",), ("face", "a"), ("b",), ("face", "b")]
    assert [each.index for each in found] == [0, 1, 2, 3]


def test_a_picture_of_its_own_beside_pictures_for_all_is_a_fault() -> None:
    (found,) = read_items([ENHANCE], ["b"])

    assert "image_url and pictures each name the picture" in str(found.fault)


def test_items_that_do_not_fit_are_refused_alone() -> None:
    found = planned(
        {**ENHANCE, "face_enhancer_blend": 7},
        {"type": "age_adjust", "image_url": "a.png"},
        {"type": "age_adjust", "image_url": "a.png", "target_age": 9},
        {**ENHANCE, "face_enhancer_blend": True},
        ENHANCE,
    )

    assert [step.name for step in found.plan.steps] == ["item 4 enhance"]
    assert [str(fault) for fault in found.refused.values()] == [
        "face_enhancer_blend: 7 is more than 1",
        "target_age: Field required",
        str(found.refused["item 2 age_adjust"]),
        "face_enhancer_blend: it takes neither true nor false",
    ]
    kinds = [type(fault) for fault in found.refused.values()]
    assert kinds == [OutOfRange, OutOfRange, ChildAgeRefused, OutOfRange]


def test_items_share_pictures_and_the_character_lends_its_own() -> None:
    swap = {"type": "swap", "target_image_url": "a.png"}
    found = planned(ENHANCE, {**ENHANCE, "face_enhancer_blend": 0.5}, swap)

    assert [picture.reference for picture in found.plan.pictures] == ["a.png", "own.png"]
    assert not any(picture.required for picture in found.plan.pictures)
    assert [step.inputs for step in found.plan.steps] == [
        ("picture 0",),
        ("picture 0",),
        ("picture 1", "picture 0"),
    ]


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("/srv/portraits/ann.jpg", "ann.jpg"),
        ("http://127.0.0.1/uploads/" + "0" * 64 + ".png", "picture 0"),
        ("http://127.0.0.1/ann.jpg?token=hunter2", "ann.jpg"),
        ("http://[broken/ann.jpg", "ann.jpg"),
        ("/", "picture 0"),
    ],
)
def test_a_picture_is_labelled_by_the_name_of_its_file(reference: str, label: str) -> None:
    (picture,) = planned({**ENHANCE, "image_url": reference}).plan.pictures

    assert (picture.name, picture.label) == ("picture 0", label)


def test_without_a_reference_image_only_the_items_that_need_it_are_refused() -> None:
    found = planned({"type": "enhance"}, ENHANCE, reference_image=None)

    assert [step.name for step in found.plan.steps] == ["item 1 enhance"]
    assert "there is no character whose reference image" in str(found.refused["item 0 enhance"])


@pytest.mark.parametrize(
    ("gallery", "shown"),
    [
        (
            "by operation",
            ["enhanced_faces", "age_variants", "edited_expressions", "swapped_faces", None],
        ),
        ("custom_outputs", ["custom_outputs"] * 4 + [None]),
        ("none", [None] * 5),
    ],
)
def test_results_go_to_the_list_that_is_named(gallery: str, shown: list[Gallery | None]) -> None:
    found = planned(
        {"type": "enhance"},
        {"type": "age_adjust", "target_age": 40},
        {"type": "edit", "mouth_smile": 10},
        {"type": "swap", "target_image_url": "b"},
        {"type": "detect"},
        gallery=gallery,
    )

    assert not found.refused
    assert [step.gallery for step in found.plan.steps] == shown
    assert found.plan.steps[1].age == (40 if gallery == "by operation" else None)


def test_a_list_of_ages_takes_only_results_with_an_age() -> None:
    found = planned(ENHANCE, {"type": "age_adjust", "target_age": 40}, gallery="age_variants")

    assert [step.age for step in found.plan.steps] == [40]
    assert "age_variants needs an age" in str(found.refused["item 0 enhance"])


def test_settings_of_the_form_reach_every_item_and_one_they_do_not_fit_is_refused() -> None:
    many = {**ENHANCE, "face_selector_mode": "many"}
    settings = FaceSettings(face_position=1, face_enhancer_blend=0.4)
    named = Preferences(named=settings.named())
    found = planned(
        ENHANCE,
        many,
        {"type": "age_adjust", "target_age": 40, "image_url": "c"},
        {"type": "edit", "mouth_smile": 10, "image_url": "c"},
        settings=settings,
        preferences=named,
    )

    enhanced, aged, edited = (step.operation for step in found.plan.steps)
    assert isinstance(enhanced, EnhanceOperation)
    assert isinstance(aged, AgeAdjustOperation)
    assert isinstance(edited, EditOperation)
    assert enhanced.face_enhancer_blend == 0.4
    assert {enhanced.face_position, aged.face_position, edited.face_position} == {1}
    assert "face_position" in str(found.refused["item 1 enhance"])


def test_a_reference_picture_of_the_form_stands_beside_the_items_own() -> None:
    found = planned(
        ENHANCE, {**ENHANCE, "image_url": "b"}, settings=FaceSettings(reference_image="r")
    )

    assert [step.inputs for step in found.plan.steps] == [
        ("reference", "picture 0"),
        ("reference", "picture 1"),
    ]
    assert [picture.reference for picture in found.plan.pictures] == ["a.png", "r", "b"]

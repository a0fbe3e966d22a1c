"""The plan of a couple swap: one swap a mapping, each in the result so far, then enhancement."""

from collections.abc import Mapping
from typing import Any

import pytest

from storycanvas.couple.placing import read_mappings
from storycanvas.couple.remarks import overlap_remarks
from storycanvas.couple.source_cut import source_cut
from storycanvas.couple.swap import CoupleSwap, couple_pipeline, refuse_face_choice
from storycanvas.couple.written_faces import Person
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField, OutOfRange
from storycanvas.faces.operations import EnhancementModel, EnhanceOperation, SwapOperation
from storycanvas.faces.plan import Gallery, Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.pipeline import RecipeInput, SeenPicture
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sheets.layout import sheet_layout, sheet_views

LEFT = DetectedFace(x=50, y=50, width=150, height=150, score=0.8)
RIGHT = DetectedFace(x=350, y=60, width=160, height=160, score=0.9)
TEMPLATE = SeenPicture((600, 300), (RIGHT, LEFT))
ONE = SeenPicture((400, 400), (DetectedFace(x=100, y=100, width=200, height=200, score=0.9),))
PHOTOS = {Person.HUSBAND: "his.png", Person.WIFE: "hers.png"}


def to(person: str, target: int, source: int = 0) -> dict[str, Any]:
    return {"source_photo": person, "target_face_index": target, "source_face_index": source}


def planned(
    seen: Mapping[str, SeenPicture] | None = None,
    preferences: Preferences | None = None,
    photos: Mapping[Person, str] = PHOTOS,
    **fields: Any,
) -> Plan:
    mappings = read_mappings(fields.pop("mappings", None))
    pipeline = couple_pipeline(CoupleSwap("t.png", photos, mappings=mappings, **fields))
    shown = {"template": TEMPLATE, "husband": ONE, "wife": ONE, **(seen or {})}
    found = {name: shown[name] for name in pipeline.pictures}
    references = {name: reference or "" for name, reference in pipeline.pictures.items()}
    return pipeline.recipe(RecipeInput(references, preferences or Preferences(), {}, found))


def test_each_swap_is_made_in_the_result_so_far_by_the_box_of_its_face() -> None:
    plan = planned()

    first, second = plan.steps
    assert isinstance(first.operation, SwapOperation)
    assert first.inputs == ("husband", "template")
    assert second.inputs == ("wife", first.name)
    assert first.operation.face_box == (50, 50, 150, 150)
    assert second.operation.face_box == (350, 60, 160, 160)
    assert (first.gallery, second.gallery) == (None, Gallery.SWAPPED_FACES)


def test_the_result_is_enhanced_as_a_whole_if_that_is_asked_for() -> None:
    *swaps, last = planned(enhance=EnhancementModel.GFPGAN_1_4).steps

    assert isinstance(last.operation, EnhanceOperation)
    assert last.operation.face_selector_mode == "many"
    assert last.operation.enhancement_model == "gfpgan_1.4"
    assert last.inputs == (swaps[-1].name,)
    assert [step.gallery for step in (*swaps, last)] == [None, None, Gallery.SWAPPED_FACES]


def test_only_the_photos_that_a_mapping_names_are_looked_at() -> None:
    mappings = read_mappings([to("wife", 0)])
    pipeline = couple_pipeline(CoupleSwap("t.png", {Person.WIFE: "hers.png"}, mappings=mappings))

    assert dict(pipeline.pictures) == {"template": "t.png", "wife": "hers.png"}
    assert set(pipeline.givers) == {"wife"}


def test_a_photo_that_is_needed_and_missing_is_named() -> None:
    with pytest.raises(BadField, match="photo of the wife is missing"):
        couple_pipeline(CoupleSwap("t.png", {Person.HUSBAND: "his.png"}))


TWO = SeenPicture(
    (900, 400),
    (
        DetectedFace(x=100, y=100, width=150, height=150, score=0.7),
        DetectedFace(x=450, y=100, width=200, height=200, score=0.9),
    ),
)


def test_one_photo_of_both_is_looked_at_once_and_cut_to_each_face() -> None:
    both = dict.fromkeys(Person, "both.png")
    plan = planned({"husband": TWO}, photos=both, mappings=[to("husband", 0), to("wife", 1, 1)])

    _, his, hers = plan.pictures
    assert (his.name, his.reference, his.cut) == ("husband", "both.png", (250, 0, 600, 400))
    assert (hers.name, hers.reference, hers.cut) == ("wife, face 1", "both.png", (0, 0, 400, 400))
    assert not any("same face" in warning for warning in plan.warnings)


def test_the_same_face_for_both_is_a_warning() -> None:
    plan = planned({"husband": TWO}, photos=dict.fromkeys(Person, "both.png"))

    assert "same face of the same photo" in plan.warnings[0]


def test_a_photo_with_one_face_is_sent_whole() -> None:
    assert [picture.cut for picture in planned().pictures] == [None, None, None]


def test_a_person_may_be_on_several_faces_with_one_picture() -> None:
    plan = planned(mappings=[to("husband", 0), to("husband", 1), to("husband", 0)])

    assert [picture.name for picture in plan.pictures] == ["template", "husband"]
    assert [step.inputs[0] for step in plan.steps] == ["husband"] * 3


def test_a_source_face_that_is_not_there_is_told_before_anything_is_done() -> None:
    with pytest.raises(OutOfRange, match=r"Source face index 1 out of range \(detected 1 faces\)"):
        planned(mappings=[to("wife", 0, 1)])


def test_a_preset_does_not_choose_another_face() -> None:
    stored = {"face_selector_mode": "many", "face_position": 3, "face_selector_order": "best-worst"}
    preferences = Preferences(
        preset={**stored, "face_swapper_model": "inswapper_256"}, preset_operation="swap"
    )

    for step in planned(preferences=preferences).steps:
        assert isinstance(step.operation, SwapOperation)
        assert step.operation.face_selector_mode == "one"
        assert step.operation.face_position == 0
        assert step.operation.face_swapper_model == "inswapper_256"
        assert step.sources == {"face_swapper_model": "preset"}


@pytest.mark.parametrize(
    "setting",
    [
        {"face_position": 1},
        {"face_box": (1, 2, 3, 4)},
        {"face_selector_mode": "many"},
        {"face_selector_order": "best-worst"},
        {"reference_image": "someone.png"},
    ],
    ids=str,
)
def test_a_setting_that_chooses_a_face_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(BadField, match=next(iter(setting))):
        refuse_face_choice(FaceSettings(**setting))


@pytest.mark.parametrize("settings", [None, FaceSettings(), FaceSettings(output_format="jpeg")])
def test_other_settings_are_taken(settings: FaceSettings | None) -> None:
    refuse_face_choice(settings)


def test_the_notes_say_who_goes_where_and_small_source_faces_are_warned_of() -> None:
    small = SeenPicture((400, 400), (DetectedFace(x=0, y=0, width=60, height=60, score=0.5),))
    plan = planned({"wife": small})

    assert plan.notes[:2] == (
        "The husband goes onto face 0 of 2 from the left, 150 x 150 pixels at 50, 50.",
        "The wife goes onto face 1 of 2 from the left, 160 x 160 pixels at 350, 60.",
    )
    assert any("score of the face in the wife picture" in note for note in plan.notes)
    [small] = [w for w in plan.warnings if "face in the wife picture is 60 x 60" in w]
    assert plan.about[small] in {picture.name for picture in plan.pictures}


def face(x: int, y: int = 0, side: int = 100) -> DetectedFace:
    return DetectedFace(x=x, y=y, width=side, height=side)


OVERLAPS = {
    "apart": (face(100), None, None),
    "5 %": (face(95), None, "5%"),
    "10 %": (face(90), None, "10%"),
    "11 %": (face(89), "11%", None),
    "of the smaller one": (face(90, 25, 50), "20%", None),
    "within": (face(25, 25, 50), "100%", None),
}


@pytest.mark.parametrize(("other", "warned", "noted"), OVERLAPS.values(), ids=OVERLAPS)
def test_the_share_that_boxes_have_in_common_is_told_and_above_a_tenth_a_warning(
    other: DetectedFace, warned: str | None, noted: str | None
) -> None:
    remarks = overlap_remarks([other], [face(0), other])

    assert [warned] == [
        text.split(": ")[1].split(" ")[0] for text in remarks.warnings
    ] or not warned
    assert [noted] == [text.split(": ")[1].split(" ")[0] for text in remarks.notes] or not noted
    assert bool(remarks.warnings) is (warned is not None)
    assert bool(remarks.notes) is (noted is not None)


def test_faces_that_are_not_swapped_may_overlap() -> None:
    remarks = overlap_remarks([face(500)], [face(0), face(10), face(500)])

    assert (remarks.warnings, remarks.notes) == ((), ())


CUTS = {
    "the other on the right": (face(300, 200), face(450, 200), (200, 100, 250, 300)),
    "on the left": (face(300, 200), face(150, 200), (250, 100, 250, 300)),
    "above": (face(300, 200), face(310, 60), (200, 160, 300, 240)),
    "below": (face(300, 200), face(290, 330), (200, 100, 300, 230)),
    "far away": (face(300, 200), face(700, 200), (200, 100, 300, 300)),
    "overlapping": (face(300, 200), face(380, 200), (200, 100, 190, 300)),
    "at the edge of the photo": (face(0, 0), face(150, 0), (0, 0, 150, 200)),
}


@pytest.mark.parametrize(("own", "other", "cut"), CUTS.values(), ids=CUTS)
def test_a_photo_of_several_is_cut_generously_and_without_the_others(
    own: DetectedFace, other: DetectedFace, cut: tuple[int, int, int, int]
) -> None:
    assert source_cut(own, [other, own], (800, 600)) == cut


def test_the_sheet_shows_all_of_the_template_beside_all_that_was_made_of_it() -> None:
    plan = planned(enhance=EnhancementModel.GFPGAN_1_4)
    made = ["swap 1, husband", "swap 2, wife", "enhance result"]

    assert [[cell.label for cell in row] for row in sheet_layout(plan)] == [
        ["template", *made[:2]],
        ["template", made[2]],
        ["husband"],
        ["wife"],
    ]
    views = sheet_views(plan, {"template": (50, 50, 150, 150), "husband": (1, 2, 3, 4)})
    assert views["template"][False] is None
    assert views["swap 2, wife"][False] is None
    assert views["husband"][False] == (1, 2, 3, 4)

"""Settings: built-in default, then recipe, character, preset, and what was given."""

import pytest

from db.schema.documents.characters import PreferredSettings
from storycanvas.faces.errors import BadField, OutOfRange
from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    EnhanceOperation,
    FaceOperation,
)
from storycanvas.faces.preferences import Preferences, unused_preset
from storycanvas.faces.recipes.finding import detect_faces

MODEL = "enhancement_model"

PRECEDENCE = [
    # preset, character, explicit -> value, source
    (None, None, None, "gfpgan_1.4", None),
    ("codeformer", None, None, "codeformer", "preset"),
    ("codeformer", "gpen_bfr_512", None, "codeformer", "preset"),
    ("codeformer", "gpen_bfr_512", "gfpgan_1.3", "gfpgan_1.3", "explicit"),
    (None, "gpen_bfr_512", None, "gpen_bfr_512", "character"),
    ("codeformer", "gfpgan_1.4", None, "codeformer", "preset"),
    ("gfpgan_1.4", "codeformer", None, "codeformer", "character"),
    ("codeformer", "gpen_bfr_512", "gfpgan_1.4", "gfpgan_1.4", None),
]

SAVED_BY_THE_APP = PreferredSettings().model_dump()
"""What the app stores at every save of a character, chosen or not."""


@pytest.mark.parametrize(("preset", "character", "explicit", "value", "source"), PRECEDENCE)
def test_the_stronger_source_wins_and_is_named(
    preset: str | None,
    character: str | None,
    explicit: str | None,
    value: str,
    source: str | None,
) -> None:
    chosen = Preferences({MODEL: preset}, "enhance", {MODEL: character})

    operation, sources = chosen.resolve(EnhanceOperation, fitted={}, explicit={MODEL: explicit})

    assert isinstance(operation, EnhanceOperation)
    assert operation.enhancement_model == value
    assert sources == ({MODEL: source} if source else {})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_settings_that_the_app_saved_without_a_choice_give_way_to_a_recipe(
    operation: type[FaceOperation],
) -> None:
    fitted = {
        name: value
        for name, value in {
            "enhancement_model": "codeformer",
            "age_adjustment_blend": 0.7,
            "face_swapper_model": "simswap_256",
            "face_editor_mouth_smile": 10,
        }.items()
        if name in operation.model_fields
    }
    given = {"target_age": 45} if operation is AgeAdjustOperation else {}
    saved = Preferences(character=SAVED_BY_THE_APP)

    resolved, sources = saved.resolve(operation, fitted=fitted, explicit=given)
    bare, _ = Preferences().resolve(operation, fitted=fitted, explicit=given)

    assert resolved == bare
    assert sources == {
        **dict.fromkeys(fitted, "recipe"),
        **dict.fromkeys(given, "explicit"),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("face_detector_model", "yolo_face"),
        ("face_mask_types", ["box"]),
        ("face_enhancer_blend", 1),
        ("face_selector_mode", "one"),
    ],
)
def test_a_default_counts_as_not_chosen_in_every_spelling(name: str, value: object) -> None:
    strongest = {"face_detector_model": "many", "face_mask_types": ["region"]}
    others = {"face_enhancer_blend": 0.5, "face_selector_mode": "many"} | strongest
    chosen = Preferences({name: value}, "enhance", {name: others[name]})

    _, sources = chosen.resolve(EnhanceOperation, fitted={}, explicit={})

    assert sources == {name: "character"}


def test_a_preset_for_another_operation_changes_nothing() -> None:
    chosen = Preferences({"face_mask_types": ["region"]}, "swap")

    operation, _ = chosen.resolve(EnhanceOperation, fitted={}, explicit={})

    assert operation == EnhanceOperation()


def test_settings_of_other_operations_are_left_alone() -> None:
    chosen = Preferences(character={"face_editor_mouth_smile": 50, "age_adjustment_blend": 0.5})

    operation, sources = chosen.resolve(EnhanceOperation, fitted={}, explicit={})

    assert operation == EnhanceOperation()
    assert sources == {}


@pytest.mark.parametrize("blend", [1.5, "much", [1]])
def test_a_stored_value_out_of_range_is_refused_with_its_source(blend: object) -> None:
    chosen = Preferences(character={"age_adjustment_blend": blend})

    with pytest.raises(OutOfRange, match=r"age_adjustment_blend = .* \(from: character\)"):
        chosen.resolve(AgeAdjustOperation, fitted={}, explicit={"target_age": 45})


def test_settings_that_do_not_fit_together_name_their_sources() -> None:
    chosen = Preferences(character={"face_detector_size": "320x320"})

    with pytest.raises(OutOfRange, match=r"operation enhance \(from: character\) do not fit"):
        chosen.resolve(EnhanceOperation, fitted={}, explicit={})


@pytest.mark.parametrize("name", ["face_enhancer_blendd", "face_enhancer_model"])
def test_a_preset_with_a_parameter_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(BadField, match=f"The preset holds {name}"):
        Preferences({name: 1}, "enhance")


NEAREST = [
    ("enhancement_modle", "enhancement_model"),
    ("face_enhancer_model", "enhancement_model"),  # the name in the host's API
    ("face_editor_blend", "age_adjustment_blend"),
    ("face_mask_type", "face_mask_types"),
    ("zodiac", None),
]


@pytest.mark.parametrize(("name", "nearest"), NEAREST)
def test_a_setting_of_the_character_that_no_operation_has_is_told_with_the_nearest_name(
    name: str, nearest: str | None
) -> None:
    settings = {name: 1, "face_editor_mouth_smile": 5, "target_age": 30}

    (told,) = Preferences(character=settings).unknown_settings()

    assert f"hold {name!r}, which no operation has" in told
    assert ("nearest known name" in told) is (nearest is not None)
    assert nearest is None or f"(the nearest known name is {nearest})" in told


def test_a_preset_with_a_misspelt_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadField, match=r"enhancement_modle \(the nearest .* enhancement_model\)"):
        Preferences({"enhancement_modle": "codeformer"}, "enhance")


def test_a_preset_for_an_operation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadField, match="The preset is for 'video_swap'; the operations are"):
        Preferences({}, "video_swap")


def test_a_preset_that_a_plan_has_no_use_for_is_warned_of() -> None:
    plan = detect_faces({"base": "face.png"})

    assert "preset is for the operation swap" in unused_preset(plan, Preferences({}, "swap"))[0]
    assert unused_preset(plan, Preferences({}, "detect")) == ()
    assert unused_preset(plan, Preferences()) == ()

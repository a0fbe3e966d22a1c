"""Which settings are proposed is decided from counts of kept and removed pictures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.preferred_settings import SETTING_NAMES
from storycanvas.faces.learning import (
    ALREADY_SET,
    DOES_NOT_FIT,
    PROPOSED,
    TIED,
    TOO_CLOSE,
    TOO_FEW,
    LearnedSetting,
    Trial,
    fitting,
    learn,
    proposed,
)

MODEL, BLEND, SMILE = "enhancement_model", "face_enhancer_blend", "face_editor_mouth_smile"
GFPGAN, CODEFORMER, GPEN = "gfpgan_1.4", "codeformer", "gpen_bfr_256"


def enhanced(kept: int = 0, removed: int = 0, **parameters: Any) -> list[Trial]:
    outcomes = [True] * kept + [False] * removed
    return [Trial("enhance", parameters, outcome) for outcome in outcomes]


def of_models(**counts: tuple[int, int]) -> list[Trial]:
    names = {"gfpgan": GFPGAN, "codeformer": CODEFORMER, "gpen": GPEN}
    return [
        trial
        for name, (kept, removed) in counts.items()
        for trial in enhanced(kept, removed, enhancement_model=names[name])
    ]


def row_of(trials: list[Trial], setting: str, **settings: Any) -> LearnedSetting:
    rows = {row.setting: row for row in learn(trials, SETTING_NAMES, settings)}
    return rows[setting]


@pytest.mark.parametrize(
    ("trials", "value", "verdict"),
    [
        (of_models(codeformer=(3, 0)), CODEFORMER, PROPOSED),
        (of_models(codeformer=(2, 0)), CODEFORMER, TOO_FEW),
        (of_models(codeformer=(6, 0), gfpgan=(3, 0)), CODEFORMER, PROPOSED),
        (of_models(codeformer=(5, 0), gfpgan=(3, 0)), CODEFORMER, TOO_CLOSE),
        (of_models(codeformer=(4, 0), gfpgan=(0, 9)), CODEFORMER, PROPOSED),
        (of_models(codeformer=(4, 0), gfpgan=(9, 6)), CODEFORMER, TOO_CLOSE),
        (of_models(codeformer=(6, 3), gfpgan=(3, 0)), CODEFORMER, TIED),
        (of_models(codeformer=(8, 0), gfpgan=(3, 3), gpen=(1, 0)), CODEFORMER, PROPOSED),
        (of_models(gfpgan=(5, 0)), GFPGAN, ALREADY_SET),
        (enhanced(5), GFPGAN, ALREADY_SET),
    ],
)
def test_the_value_with_most_kept_minus_removed_is_proposed_if_it_stands_out(
    trials: list[Trial], value: str, verdict: str
) -> None:
    row = row_of(trials, MODEL)

    assert (row.value, row.verdict) == (value, verdict)


def test_a_row_has_the_counts_of_its_value_of_the_next_one_and_the_old_value() -> None:
    trials = of_models(codeformer=(7, 2), gfpgan=(1, 4), gpen=(3, 9))

    row = row_of(trials, MODEL, enhancement_model=GPEN)

    assert (row.value, row.kept, row.removed) == (CODEFORMER, 7, 2)
    assert (row.has_next, row.next_value, row.next_kept, row.old_value) == (True, GPEN, 3, GPEN)


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        (CODEFORMER, ALREADY_SET),
        (GFPGAN, PROPOSED),
        (None, PROPOSED),
        ("of another version", PROPOSED),
        (["a", "list"], PROPOSED),
    ],
)
def test_the_stored_value_decides_whether_there_is_something_to_do(
    stored: object, verdict: str
) -> None:
    assert row_of(of_models(codeformer=(3, 0)), MODEL, **{MODEL: stored}).verdict == verdict


@pytest.mark.parametrize(
    ("setting", "stored"),
    [("face_detector_model", "yolo_face"), ("face_mask_types", ["box"]), (BLEND, 1)],
)
def test_another_spelling_of_the_default_counts_as_the_default(
    setting: str, stored: object
) -> None:
    assert row_of(enhanced(5), setting, **{setting: stored}).verdict == ALREADY_SET


def test_the_default_is_proposed_where_something_else_is_set() -> None:
    row = row_of(enhanced(5), BLEND, face_enhancer_blend=0.4)

    assert (row.value, row.verdict) == (1.0, PROPOSED)


def test_an_editor_value_that_was_not_sent_counts_as_a_value() -> None:
    trials = [Trial("edit", {SMILE: 60}, True)] * 3 + [Trial("edit", {}, True)] * 2

    row = row_of(trials, SMILE)

    assert (row.value, row.next_value, row.verdict) == (60, None, TOO_CLOSE)


def test_only_settings_that_a_character_can_have_and_an_operation_has_are_rows() -> None:
    trials = [Trial("enhance", {"face_position": 2, "output_format": "jpeg"}, True)] * 5

    names = {row.setting for row in learn(trials, SETTING_NAMES, {})}

    assert MODEL in names
    assert names.isdisjoint({"face_position", "output_format", SMILE, "face_swapper_model"})


@pytest.mark.parametrize("parameters", [{MODEL: "of another version"}, {"unknown": 1}])
def test_an_operation_that_is_not_understood_is_left_out(parameters: dict[str, Any]) -> None:
    trials = [Trial("enhance", parameters, True), Trial("colourise", {}, True)] * 5

    assert learn(trials, SETTING_NAMES, {}) == ()


def test_a_size_that_the_detector_does_not_take_is_not_proposed() -> None:
    small = {"face_detector_size": "320x320"}
    trials = [
        *enhanced(3, face_detector_model="retinaface", **small),
        *enhanced(2, face_detector_model="scrfd", **small),
    ]

    assert row_of(trials, "face_detector_size").verdict == DOES_NOT_FIT
    with_detector = row_of(trials, "face_detector_size", face_detector_model="scrfd")
    assert with_detector.verdict == PROPOSED


def test_settings_that_fit_only_together_are_proposed_together() -> None:
    both = {"face_detector_model": "scrfd", "face_detector_size": "320x320"}

    assert proposed(learn(enhanced(3, **both), SETTING_NAMES, {})) == both


def test_a_stored_setting_that_no_operation_takes_stops_no_other() -> None:
    assert fitting({BLEND: 7}, {MODEL: CODEFORMER}) == {MODEL: CODEFORMER}


@given(st.lists(st.tuples(st.sampled_from([GFPGAN, CODEFORMER, GPEN]), st.booleans())))
def test_what_is_proposed_was_kept_three_times_and_twice_as_often_as_any_other(
    pictures: list[tuple[str, bool]],
) -> None:
    trials = [Trial("enhance", {MODEL: model}, kept) for model, kept in pictures]

    for value in (v for n, v in proposed(learn(trials, [MODEL], {})).items() if n == MODEL):
        kept = [model for model, is_kept in pictures if is_kept]
        others = [kept.count(model) for model in (GFPGAN, CODEFORMER, GPEN) if model != value]
        assert kept.count(value) >= max(3, 2 * max(others))

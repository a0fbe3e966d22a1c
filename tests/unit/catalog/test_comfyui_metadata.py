"""Which of a file's own metadata is kept."""

import pytest

from storycanvas.catalog.comfyui.metadata import MAX_PAIRS, MAX_VALUE_LENGTH, kept_pairs

KEPT = {
    "sshs_model_hash": "ab",
    "sshs_legacy_hash": "cd",
    "ss_base_model_version": "sdxl",
    "ss_output_name": "a",
    "modelspec.title": "A",
    "modelspec.architecture": "lora",
}

LEFT_OUT: dict[str, dict[str, object]] = {
    "what tells of the training": {"ss_tag_frequency": "{}", "ss_datasets": "[]"},
    "a picture": {"modelspec.thumbnail": "data:image/jpeg;base64,AAAA"},
    "null": {"ss_output_name": None},
    "a number": {"ss_output_name": 2**64},
    "an object": {"ss_output_name": {"a": "b"}},
    "empty text": {"ss_output_name": ""},
    "a key that no document holds": {"modelspec.\0": "a"},
    "a key without end": {"modelspec." + "x" * 1_000_000: "a"},
}


def test_what_tells_of_the_origin_is_kept() -> None:
    assert kept_pairs(KEPT) == KEPT


@pytest.mark.parametrize("told", LEFT_OUT.values(), ids=LEFT_OUT)
def test_the_rest_is_left_out(told: dict[str, object]) -> None:
    assert kept_pairs(told) == {}


def test_a_long_value_is_cut() -> None:
    kept = kept_pairs({"ss_output_name": "x" * 10_000})

    assert kept == {"ss_output_name": "x" * MAX_VALUE_LENGTH}


def test_of_too_many_pairs_the_hash_stays() -> None:
    many = {f"modelspec.{number}": "x" for number in range(MAX_PAIRS * 2)}
    many |= {f"modelspec.x{'x' * number}\0": "x" for number in range(MAX_PAIRS)}

    kept = kept_pairs(many | KEPT)

    assert len(kept) == MAX_PAIRS
    assert kept["sshs_model_hash"] == "ab"

from typing import Any

import pytest
from pydantic import ValidationError

from storycanvas.catalog.civitai.query import CivitaiQuery


def test_lists_come_as_one_name_several_times() -> None:
    asked = CivitaiQuery(types=["VAE", "LORA"], base_models=["SDXL 1.0", "Pony"], nsfw=False)

    assert asked.parameters() == [
        ("limit", "100"),
        ("types", "LORA"),
        ("types", "VAE"),
        ("baseModels", "Pony"),
        ("baseModels", "SDXL 1.0"),
        ("sort", "Highest Rated"),
        ("nsfw", "false"),
    ]


def test_a_cursor_is_added_to_the_filters() -> None:
    assert CivitaiQuery().parameters("1|2") == [
        ("limit", "100"),
        ("sort", "Highest Rated"),
        ("cursor", "1|2"),
    ]


def test_blank_words_do_not_filter() -> None:
    assert CivitaiQuery(query=" ", tag="", username=None) == CivitaiQuery()


@pytest.mark.parametrize(
    "same",
    [
        CivitaiQuery(types=["VAE", "LORA", "LORA"]),
        CivitaiQuery(types=["LORA", "VAE"], limit=5),
    ],
    ids=["order", "length of a page"],
)
def test_the_same_list_has_the_same_key(same: CivitaiQuery) -> None:
    assert same.key == CivitaiQuery(types=["LORA", "VAE"]).key


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"types": ["LORA"], "nsfw": True},
        {"types": ["LORA"], "sort": "Newest"},
        {"types": ["LORA"], "query": "a"},
        {"types": ["LORA"], "tag": "a"},
    ],
    ids=["type", "nsfw", "sort", "query", "tag"],
)
def test_another_list_has_another_key(other: dict[str, Any]) -> None:
    assert CivitaiQuery(**other).key != CivitaiQuery(types=["LORA"]).key


@pytest.mark.parametrize(
    "wrong",
    [
        {"types": ["Lora"]},
        {"sort": "newest"},
        {"period": "Decade"},
        {"limit": 0},
        {"limit": 101},
        {"base_models": [" "]},
        {"query": "x" * 201},
        {"page": 3},
    ],
    ids=str,
)
def test_what_civitai_does_not_know_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CivitaiQuery(**wrong)

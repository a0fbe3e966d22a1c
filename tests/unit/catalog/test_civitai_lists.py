"""The filters of Civitai's list, and walks from page to page."""

from itertools import count, islice
from typing import Any

import pytest
from pydantic import ValidationError

from storycanvas.catalog.civitai.pages import CatalogPage, walk
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


def test_a_list_that_begins_anew_ends() -> None:
    walked = list(walk(lambda _cursor: CatalogPage([{"id": 1}], "kept"), "kept"))

    assert [step.items for step in walked] == [[{"id": 1}]]
    assert walked[0].next_cursor is None
    assert walked[0].problem


def test_cursors_that_lead_to_the_same_items_without_end_end() -> None:
    cursors = count()

    walked = list(walk(lambda _cursor: CatalogPage([{"id": 1}, None], str(next(cursors)))))

    assert len(walked) == 4
    assert walked[-1].problem


def test_cursors_that_lead_to_nothing_without_end_end() -> None:
    cursors = count()

    walked = list(walk(lambda _cursor: CatalogPage([], str(next(cursors)))))

    assert walked[-1].problem


def test_one_empty_page_does_not_end_a_list() -> None:
    pages: dict[Any, CatalogPage] = {
        None: CatalogPage([{"id": 1}], "a"),
        "a": CatalogPage([], "b"),
        "b": CatalogPage([{"id": 2}], None),
    }

    assert [step.items for step in walk(lambda cursor: pages[cursor])] == [
        [{"id": 1}],
        [],
        [{"id": 2}],
    ]


def test_cursors_that_lead_round_the_same_pages_without_end_end() -> None:
    cursors = count()

    def fetch(_cursor: str | None) -> CatalogPage:
        number = next(cursors)
        return CatalogPage([{"id": number % 3}], str(number))

    walked = list(islice(walk(fetch), 50))

    assert [step.items for step in walked[:3]] == [[{"id": 0}], [{"id": 1}], [{"id": 2}]]
    assert len(walked) < 50
    assert walked[-1].problem

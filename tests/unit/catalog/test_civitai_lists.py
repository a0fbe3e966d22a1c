"""The filters of Civitai's list, and walks from page to page."""

from collections.abc import Callable
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
    [CivitaiQuery(types=["VAE", "LORA", "LORA"]), CivitaiQuery(types=["LORA", "VAE"], limit=5)],
    ids=["order", "length of a page"],
)
def test_the_same_list_has_the_same_key(same: CivitaiQuery) -> None:
    assert same.key == CivitaiQuery(types=["LORA", "VAE"]).key


OTHER_FILTERS: list[dict[str, Any]] = [
    {"nsfw": True},
    {"sort": "Newest"},
    {"query": "a"},
    {"tag": "a"},
]


@pytest.mark.parametrize(
    "other", [{}, *({"types": ["LORA"], **more} for more in OTHER_FILTERS)], ids=str
)
def test_another_list_has_another_key(other: dict[str, Any]) -> None:
    assert CivitaiQuery(**other).key != CivitaiQuery(types=["LORA"]).key


WRONG: list[dict[str, Any]] = [
    *({"types": ["Lora"]}, {"sort": "newest"}, {"period": "Decade"}, {"limit": 0}, {"limit": 101}),
    *({"base_models": [" "]}, {"query": "x" * 201}, {"page": 3}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_civitai_does_not_know_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CivitaiQuery(**wrong)


REPEATING: dict[str, tuple[Callable[[int], CatalogPage], int]] = {
    "the cursor of the start": (lambda _: CatalogPage([{"id": 1}], "kept"), 1),
    "an earlier cursor": (lambda n: CatalogPage([{"id": n}], "ab"[n % 2]), 3),
    "the same items": (lambda n: CatalogPage([{"id": 1}, None], str(n)), 4),
    "the same pages in turn": (lambda n: CatalogPage([{"id": n % 3}], str(n)), 6),
    "nothing": (lambda n: CatalogPage([], str(n)), 4),
}


@pytest.mark.parametrize(("page", "length"), REPEATING.values(), ids=REPEATING)
def test_a_list_that_repeats_itself_ends_with_a_problem(
    page: Callable[[int], CatalogPage], length: int
) -> None:
    numbers = count()

    walked = list(islice(walk(lambda _cursor: page(next(numbers)), "kept"), 50))

    assert [step.items for step in walked] == [page(number).items for number in range(length)]
    assert walked[-1].next_cursor is None
    assert walked[-1].problem


def test_a_single_empty_page_does_not_end_a_list() -> None:
    pages: dict[Any, CatalogPage] = {
        None: CatalogPage([{"id": 1}], "a"),
        "a": CatalogPage([], "b"),
        "b": CatalogPage([{"id": 2}], None),
    }

    items = [step.items for step in walk(lambda cursor: pages[cursor])]

    assert items == [[{"id": 1}], [], [{"id": 2}]]

from itertools import count, islice
from typing import Any

from storycanvas.catalog.civitai.pages import CatalogPage, walk


def test_a_list_that_begins_anew_ends() -> None:
    walked = list(walk(lambda _cursor: CatalogPage([{"id": 1}], "kept"), "kept"))

    assert [step.items for step in walked] == [[{"id": 1}]]
    assert walked[0].next_cursor is None
    assert walked[0].problem


def test_cursors_that_lead_to_the_same_items_forever_end() -> None:
    cursors = count()

    walked = list(walk(lambda _cursor: CatalogPage([{"id": 1}, None], str(next(cursors)))))

    assert len(walked) == 4
    assert walked[-1].problem


def test_cursors_that_lead_to_nothing_forever_end() -> None:
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


def test_cursors_that_lead_round_the_same_pages_forever_end() -> None:
    cursors = count()

    def fetch(_cursor: str | None) -> CatalogPage:
        number = next(cursors)
        return CatalogPage([{"id": number % 3}], str(number))

    walked = list(islice(walk(fetch), 50))

    assert [step.items for step in walked[:3]] == [[{"id": 0}], [{"id": 1}], [{"id": 2}]]
    assert len(walked) < 50
    assert walked[-1].problem

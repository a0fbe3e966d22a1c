"""A list of Civitai of which one model can never be read, and a list with page numbers."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from flows.import_civitai import import_civitai
from tasks.catalog import civitai_pages
from tests.support.catalog.civitai_list import ListServer, model
from tests.support.db.database_state import assert_nothing_is_lost, fields
from tests.support.flows.runs import set_retries

Data = Database[dict[str, Any]]
BAD = 137
EVERYTHING = [*range(1, 251)]
ALL_BUT_BAD = [number for number in EVERYTHING if number != BAD]


@pytest.fixture
def site(
    configured: Data,  # noqa: ARG001 - it must be there
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ListServer]:
    """A list of 250 models, one of which breaks every page that holds it."""
    monkeypatch.setattr(civitai_pages, "TRIES", 2)
    monkeypatch.setattr(civitai_pages, "SMALLER_TRIES", 1)
    with ListServer() as served:
        served.listed = [model(number) for number in EVERYTHING]
        served.broken = {BAD}
        monkeypatch.setenv("CIVITAI_URL", served.url)
        yield served


def stored(database: Data) -> list[int]:
    return sorted(row["id"] for row in database["civitai_models"].find())


def state(database: Data) -> dict[str, Any]:
    [found] = database["catalog_imports"].find()
    return found


def test_all_before_a_model_that_breaks_its_page_is_read_and_the_list_only_once(
    configured: Data, site: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 2)

    report = import_civitai(period="Month")

    assert stored(configured) == [*range(1, BAD)]
    assert site.places.count(("Highest Rated", 0, 100)) == 1
    assert [length for _, offset, length in site.places if offset == 100] == [100, 100, 50, 10]
    assert not report.complete
    assert "cannot be read after model 136: Civitai answers 500" in report.ended_because
    assert "What lies behind it is not read" in report.ended_because
    assert state(configured)["status"] == "failed"
    assert state(configured)["error"] == report.ended_because


def test_the_next_run_begins_once_at_the_model_and_then_reads_the_list_from_its_start(
    configured: Data, site: ListServer
) -> None:
    import_civitai()
    site.asked.clear()
    site.listed = [model(1000), *site.listed]
    configured["civitai_models"].update_one({"id": BAD + 1}, {"$set": {"_note": "mine"}})
    before = fields(configured)

    report = import_civitai()

    assert site.places[:3] == [("Highest Rated", 136, 100)] * 2 + [("Highest Rated", 0, 100)]
    assert site.places.count(("Highest Rated", 0, 100)) == 1
    assert (report.new, report.unchanged, report.complete) == (1, 249, False)
    assert stored(configured) == [*ALL_BUT_BAD, 1000]
    assert_nothing_is_lost(before, fields(configured))


def test_a_model_that_can_be_read_the_next_night_lets_the_list_end(
    configured: Data, site: ListServer
) -> None:
    import_civitai()
    site.broken.clear()
    site.asked.clear()

    report = import_civitai()

    assert site.places[0] == ("Highest Rated", 136, 100)
    assert report.complete
    assert stored(configured) == EVERYTHING


@pytest.mark.usefixtures("site")
def test_what_lies_behind_the_model_is_read_from_the_other_end_of_the_order(
    configured: Data,
) -> None:
    report = import_civitai(sort="Newest")

    assert stored(configured) == ALL_BUT_BAD
    assert not report.complete
    assert "after model 136" in report.ended_because
    assert "from the oldest to model 138" in report.ended_because
    assert state(configured)["cursor"] == "Newest|136"


def test_what_lies_behind_a_model_of_a_ranking_is_read_by_age_from_both_ends(
    configured: Data, site: ListServer
) -> None:
    site.ranked = [*range(200, 251), BAD, *range(1, BAD), *range(BAD + 1, 200)]

    report = import_civitai()

    assert stored(configured) == ALL_BUT_BAD
    assert (report.new, report.unchanged, report.complete) == (249, 0, False)
    assert "after model 250" in report.ended_because
    assert "from the newest to model 136 and from the oldest to model 138" in report.ended_because
    assert state(configured)["cursor"] == "Highest Rated|51"


def test_a_ranking_that_is_whole_in_another_order_is_complete(
    configured: Data, site: ListServer
) -> None:
    site.broken_orders = {"Highest Rated"}

    report = import_civitai()

    assert report.complete
    assert (stored(configured), report.new) == (EVERYTHING, 250)
    assert [place for place in site.places if place[0] == "Oldest"] == []


def test_a_first_model_that_breaks_its_page_costs_no_other_one(
    configured: Data, site: ListServer
) -> None:
    site.broken = {1}

    first, second = import_civitai(sort="Newest"), import_civitai(sort="Newest")

    assert stored(configured) == EVERYTHING[1:]
    assert (first.new, first.unchanged, first.complete) == (249, 0, False)
    assert (second.new, second.unchanged, second.complete) == (0, 249, False)
    site.broken.clear()
    third = import_civitai(sort="Newest")
    assert (third.new, third.unchanged, third.complete) == (1, 249, True)


def test_models_that_are_hidden_do_not_end_a_list_that_is_read_one_by_one(
    configured: Data, site: ListServer
) -> None:
    site.hidden = {131, 132, 133, 134}

    report = import_civitai()

    assert not report.complete
    assert set(stored(configured)) == {*ALL_BUT_BAD} - site.hidden


def refuse_the_first_page_as_a_whole(site: ListServer) -> None:
    site.broken = set()
    whole = site.answer

    def answer(asked: Any) -> Any:  # noqa: ANN401 - as the server hands it over
        too_long = asked.query.get("limit") == ["100"] and "cursor" not in asked.query
        site.is_down = too_long
        return whole(asked)

    site.answer = answer  # type: ignore[method-assign]


def test_a_page_that_is_read_in_parts_counts_as_one_page(
    configured: Data, site: ListServer
) -> None:
    refuse_the_first_page_as_a_whole(site)

    report = import_civitai(max_pages=2)

    assert (report.pages, stored(configured)) == (2, [*range(1, 201)])


def test_a_page_that_is_only_too_long_is_read_in_parts_and_later_ones_whole(
    configured: Data, site: ListServer
) -> None:
    refuse_the_first_page_as_a_whole(site)

    assert import_civitai().complete
    assert stored(configured) == EVERYTHING
    assert [place[1:] for place in site.places][-3:] == [(50, 50), (100, 100), (200, 100)]


def test_a_site_that_is_down_fails_the_run_which_goes_on_where_it_was(
    configured: Data, site: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 1)
    site.broken = set()
    import_civitai(max_pages=1)
    site.is_down = True

    ended = import_civitai(return_state=True)

    assert ended.is_failed()
    assert state(configured)["status"] == "failed"
    site.is_down = False
    assert import_civitai().complete
    assert stored(configured) == EVERYTHING


@pytest.mark.parametrize("broken", [set(), {BAD}], ids=["all readable", "one broken"])
def test_a_list_with_page_numbers_and_no_cursor_is_read_to_its_end(
    configured: Data, site: ListServer, broken: set[int]
) -> None:
    site.numbered = True
    site.broken = broken

    report = import_civitai()

    assert stored(configured) == (ALL_BUT_BAD if broken else EVERYTHING)
    assert report.complete is not bool(broken)

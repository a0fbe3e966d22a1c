"""An import goes on where it was stopped, and tells how far it is."""

from dataclasses import replace

import pytest

from db.catalog.civitai.imports import (
    MAX_EXAMPLES,
    MAX_TEXT_LENGTH,
    PageDone,
    advance,
    begin,
    finish,
)
from db.errors import ImportReplaced
from db.schema.documents.models import CatalogImport
from tests.support.catalog.catalog_rows import MONDAY, TUESDAY, Data

SOURCE = "civitai/checkpoint"
PAGE = PageDone(items=4, cursor="10871|1", new=1, changed=1, unchanged=1, problems=(("7", "Bad."),))


def kept(data: Data, source: str) -> CatalogImport | None:
    found = data["catalog_imports"].find_one({"id": source}, {"_id": False})
    return None if found is None else CatalogImport.model_validate(found)


def test_a_new_import_begins_at_the_beginning(data: Data) -> None:
    state = begin(data, SOURCE, MONDAY)

    assert (state.status, state.cursor, state.position, state.started_at) == (
        "running",
        None,
        0,
        MONDAY,
    )
    assert kept(data, SOURCE) == state
    assert kept(data, "another") is None


def test_each_page_moves_the_cursor_and_adds_to_the_counts(data: Data) -> None:
    state = begin(data, SOURCE, MONDAY)

    state = advance(data, state, PAGE, MONDAY)
    done = advance(data, state, PageDone(items=2, cursor="2", new=2), TUESDAY)

    assert (done.cursor, done.position, done.pages, done.updated_at) == ("2", 6, 2, TUESDAY)
    assert (done.new, done.changed, done.unchanged, done.failed) == (3, 1, 1, 1)
    assert [(problem.subject, problem.reason) for problem in done.problems] == [("7", "Bad.")]


@pytest.mark.parametrize("has_failed", [False, True])
def test_an_import_that_was_stopped_goes_on_where_it_was(data: Data, has_failed: bool) -> None:
    state = advance(data, begin(data, SOURCE, MONDAY), PAGE, MONDAY)
    if has_failed:
        failed = finish(data, state, "failed", MONDAY, error="Civitai does not answer.")
        assert (failed.cursor, failed.error) == (PAGE.cursor, "Civitai does not answer.")

    again = begin(data, SOURCE, TUESDAY)

    assert again == state.model_copy(update={"updated_at": TUESDAY})


@pytest.mark.parametrize("restart", [False, True], ids=["complete", "restart"])
def test_after_a_complete_import_or_a_restart_it_begins_anew(data: Data, restart: bool) -> None:
    state = advance(data, begin(data, SOURCE, MONDAY), PAGE, MONDAY)
    if not restart:
        assert finish(data, state, "complete", MONDAY).cursor is None

    again = begin(data, SOURCE, TUESDAY, restart=restart)

    assert again.import_id != state.import_id
    assert (again.cursor, again.pages, again.problems) == (None, 0, [])
    assert data["catalog_imports"].count_documents({}) == 1


def test_imports_of_other_sources_stay_as_they_are(data: Data) -> None:
    other = advance(data, begin(data, "file", MONDAY), PAGE, MONDAY)

    begin(data, SOURCE, TUESDAY, restart=True)

    assert kept(data, "file") == other


def test_problems_are_bounded_and_counted(data: Data) -> None:
    state = begin(data, SOURCE, MONDAY)
    many = tuple((f"{number}\ud800", "x" * 1000) for number in range(MAX_EXAMPLES + 1))

    done = advance(data, state, PageDone(items=len(many), problems=many), MONDAY)

    assert done.failed == MAX_EXAMPLES + 1
    assert len(done.problems) == MAX_EXAMPLES
    assert (done.problems[0].subject, len(done.problems[0].reason)) == ("0?", MAX_TEXT_LENGTH)


def test_a_run_whose_import_was_begun_anew_is_refused(data: Data) -> None:
    state = begin(data, SOURCE, MONDAY)
    begin(data, SOURCE, TUESDAY, restart=True)

    with pytest.raises(ImportReplaced, match="begun the import 'civitai/checkpoint' anew"):
        advance(data, state, PAGE, TUESDAY)
    with pytest.raises(ImportReplaced):
        finish(data, state, "complete", TUESDAY)


def test_of_two_runs_that_go_on_with_the_same_import_one_gives_way(data: Data) -> None:
    state = begin(data, SOURCE, MONDAY)
    again = begin(data, SOURCE, TUESDAY)
    first = advance(data, state, PAGE, TUESDAY)

    with pytest.raises(ImportReplaced):
        advance(data, again, PAGE, TUESDAY)
    with pytest.raises(ImportReplaced):
        finish(data, again, "failed", TUESDAY, error="Civitai does not answer.")

    assert kept(data, SOURCE) == first


def test_a_run_that_restarts_continues_its_own_import_when_it_is_retried(data: Data) -> None:
    begin(data, SOURCE, MONDAY, run_id="earlier")
    own = begin(data, SOURCE, MONDAY, restart=True, run_id="now")
    own = advance(data, own, replace(PAGE, run_id="now"), MONDAY)
    finish(data, own, "failed", MONDAY, error="Civitai does not answer.")

    retried = begin(data, SOURCE, TUESDAY, restart=True, run_id="now")
    later = begin(data, SOURCE, TUESDAY, restart=True, run_id="later")

    assert (retried.import_id, retried.cursor) == (own.import_id, PAGE.cursor)
    assert (later.import_id != own.import_id, later.cursor) == (True, None)


def test_an_import_names_the_run_that_stored_its_cursor(data: Data) -> None:
    advance(data, begin(data, SOURCE, MONDAY), replace(PAGE, run_id="first"), MONDAY)

    assert begin(data, SOURCE, TUESDAY, run_id="second").run_id == "first"

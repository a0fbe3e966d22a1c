"""Imports from a Civitai that misbehaves, and imports that are stopped anywhere."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from pymongo.database import Database

from db.schema.documents.models import CatalogImport
from flows.import_civitai import import_civitai
from tests.support.catalog.civitai_server import Answer, CivitaiServer, page
from tests.support.flows.runs import set_retries

Data = Database[dict[str, Any]]
OLD = "10871|121458|5062"
EXPIRED: dict[str, Answer] = {
    "refused": Answer(400, b'{"error": "Invalid cursor"}'),
    "an error of its own": Answer(500, b"{}", {"Retry-After": "0"}),
}


def model(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"Model {number}", "type": "LORA", "modelVersions": []}


@pytest.fixture
def site(
    configured: Data,  # noqa: ARG001 - it must be there
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CivitaiServer]:
    with CivitaiServer() as served:
        served.pages = {
            None: page([model(1)], "a"),
            "a": page([model(2)], OLD),
            OLD: page([model(3)], "b"),
            "b": page([model(4)]),
        }
        monkeypatch.setenv("CIVITAI_URL", served.url)
        yield served


def cursors(site: CivitaiServer) -> list[str | None]:
    return [request.query.get("cursor", [None])[0] for request in site.asked]


def state(database: Data) -> CatalogImport:
    (found,) = database["catalog_imports"].find()
    return CatalogImport.model_validate(found)


@pytest.mark.parametrize("answer", EXPIRED.values(), ids=EXPIRED)
def test_a_list_whose_stored_cursor_is_not_taken_is_read_whole_from_its_start(
    configured: Data, site: CivitaiServer, answer: Answer
) -> None:
    import_civitai(max_pages=2)
    good = site.pages[OLD]
    site.pages[OLD] = answer

    def recovers(asked: Any) -> Answer:  # noqa: ANN401 - as the server hands it over
        if asked.query.get("cursor") is None:
            site.pages[OLD] = good
        return answered(asked)

    answered = site.answer
    site.answer = recovers  # type: ignore[method-assign]

    report = import_civitai()

    assert report.complete
    assert report.ended_because == "The end of the list was reached."
    assert configured["civitai_models"].count_documents({}) == 4


def test_a_list_of_another_site_is_not_read_from_this_ones_cursor(
    site: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_civitai(max_pages=1)

    with CivitaiServer() as other:
        other.pages = {None: page([model(7)]), "a": page([])}
        monkeypatch.setenv("CIVITAI_URL", other.url)

        import_civitai()

    assert cursors(site) == cursors(other) == [None]


def test_an_import_that_was_stopped_after_its_last_page_reads_none_again(
    configured: Data, site: CivitaiServer
) -> None:
    import_civitai()
    configured["catalog_imports"].update_one({}, {"$set": {"status": "running"}})
    site.asked.clear()

    report = import_civitai()

    assert site.asked == []
    assert (report.new, report.complete) == (4, True)
    assert state(configured).status == "complete"


def test_an_import_that_fails_is_failed_in_the_database_until_it_continues(
    configured: Data, site: CivitaiServer
) -> None:
    import_civitai(max_pages=1)
    site.troubles = [Answer(401, b"{}")]

    import_civitai(max_pages=1, restart=True, return_state=True)
    failed = state(configured)
    import_civitai(max_pages=1)
    going_on = state(configured)

    assert failed.status == "failed"
    assert "401" in str(failed.error)
    assert (going_on.status, going_on.error) == ("running", None)


def test_a_long_wait_that_civitai_asks_for_is_not_cut_short(
    site: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 2)
    site.troubles = [Answer(429, b"{}", {"Retry-After": "900"})]

    ended = import_civitai(return_state=True)

    assert ended.is_failed()
    assert "900 s" in str(ended.message)
    assert len(site.asked) == 1


def test_a_file_that_is_cut_off_is_imported_and_the_report_shows_where_it_ends(
    configured: Data, tmp_path: Path
) -> None:
    path = tmp_path / "items.json"
    path.write_text('[{"id": 1, "name": "A", "type": "LORA"},\n {"id": 2, "na')

    report = import_civitai(file=str(path))

    assert configured["civitai_models"].count_documents({}) == 1
    assert "item 2" in report.ended_because


@pytest.mark.usefixtures("configured")
def test_a_pipe_without_a_writer_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(Exception, match="'pipe' cannot be read"):
        import_civitai(file=str(tmp_path / "pipe"))


def test_an_import_of_one_base_model_keeps_the_versions_of_the_others(
    configured: Data, site: CivitaiServer
) -> None:
    versions = [{"id": 12, "baseModel": "SDXL 1.0"}, {"id": 11, "baseModel": "Pony"}]
    site.pages = {None: page([{**model(1), "modelVersions": versions}])}
    import_civitai()
    before = list(configured["civitai_models"].find())
    site.pages = {None: page([{**model(1), "modelVersions": versions[1:]}])}

    report = import_civitai(base_models=["Pony"])

    assert list(configured["civitai_models"].find()) == before
    assert (report.changed, report.unchanged) == (0, 1)


ODDLY_STORED: dict[str, dict[str, Any]] = {
    "by its older name": {"model_versions": [{"id": 12, "baseModel": "SDXL 1.0"}]},
    "beside a date of no year": {
        "modelVersions": [{"id": 12, "baseModel": "SDXL 1.0", "seen": DatetimeMS(2**62)}]
    },
}


@pytest.mark.parametrize("odd", ODDLY_STORED.values(), ids=ODDLY_STORED)
@pytest.mark.parametrize("number", [1, "1", 1.0], ids=["number", "text", "fraction"])
def test_an_import_of_one_base_model_keeps_versions_however_they_are_stored(
    configured: Data,
    site: CivitaiServer,
    odd: dict[str, Any],
    number: object,
) -> None:
    configured["civitai_models"].insert_one({"_id": 1, "id": 1, "name": "Model 1", **odd})
    pony = {"id": 11, "baseModel": "Pony"}
    site.pages = {None: page([{**model(1), "id": number, "modelVersions": [pony]}])}

    import_civitai(base_models=["Pony"])

    [found] = configured["civitai_models"].find()
    assert [row["id"] for row in found["modelVersions"]] == [11, 12]

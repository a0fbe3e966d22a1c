"""The model catalog from end to end: a ComfyUI server and a Civitai, a database, and the flows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pymongo.database import Database

from db.schema.documents.models import AppModelType
from flows.import_civitai import import_civitai
from flows.maintain_model_catalog import maintain_model_catalog
from flows.match_models import match_models
from flows.report_model_catalog import report_model_catalog
from flows.sync_model_catalog import sync_model_catalog
from storycanvas.catalog.reporting.reports import MatchReport
from tasks.catalog.civitai_api import UNREADABLE_TRIES
from tests.support.catalog.civitai_server import (
    HTML,
    OVERLOADED,
    Answer,
    CivitaiServer,
    page,
)
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.catalog.sample_catalog import FILES, MATCHED, comfyui_answers, hash_rows, pages
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]
COLLECTIONS = (
    *("backends", "active_backend_models", "civitai_models", "model_sync_status"),
    "database_models",
)
MOVING = {"last_seen", "last_check", "compared_at", "listing_digest"}
"""What a second run may change: besides `last_seen`, when a server was asked and compared."""


@pytest.fixture
def comfyui() -> Iterator[ComfyuiServer]:
    with ComfyuiServer(comfyui_answers()) as server:
        yield server


@pytest.fixture
def civitai(monkeypatch: pytest.MonkeyPatch) -> Iterator[CivitaiServer]:
    with CivitaiServer() as server:
        first, last = pages()
        server.pages = {None: page(first, "10871|121458|5062"), "10871|121458|5062": page(last)}
        monkeypatch.setenv("CIVITAI_URL", server.url)
        monkeypatch.setenv("CIVITAI_API_KEY", "a secret key")
        yield server


@pytest.fixture
def catalog(
    configured: Data,
    comfyui: ComfyuiServer,
    civitai: CivitaiServer,  # noqa: ARG001 - it must be there
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Data:
    """A database with one server, before any sync."""
    monkeypatch.setenv("IMAGE_STORE", (tmp_path / "images").as_uri())
    configured["comfyui_servers"].insert_one(
        {"id": "box", "name": "Box", "url": comfyui.url, "is_active": True}
    )
    return configured


def run_all(folder: Path) -> MatchReport:
    scan = folder / "scan.json"
    scan.write_text(json.dumps(hash_rows()))
    sync_model_catalog(hash_file=str(scan))
    import_civitai()
    return match_models()


def everything(database: Data) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {field: value for field, value in row.items() if field not in MOVING}
            for row in database[name].find().sort("_id")
        ]
        for name in COLLECTIONS
    }


def test_the_sample_gives_the_matches_that_are_known_and_the_report_lists_the_others(
    catalog: Data, tmp_path: Path
) -> None:
    matched = run_all(tmp_path)
    state = report_model_catalog(return_state=True)

    models = list(catalog["active_backend_models"].find())
    linked = {
        model["model_id"]: (model["match_method"], model["civitai_version_id"])
        for model in models
        if model.get("civitai_version_id")
    }
    assert {model["id"] for model in models} == {
        f"box/{folder}/{name}" for folder, names in FILES.items() for name in names
    }
    assert linked == MATCHED
    assert (matched.models, matched.unmatched) == (12, 4)
    rows = list(catalog["database_models"].find())
    known = {row["catalog_model_id"]: row["base_model"] for row in rows}
    assert set(known) == set(MATCHED)
    assert not [row for row in rows if "/" in row["id"] or row["server_source"] != "box"]
    assert {type(row["civitai_info"]["modelId"]) for row in rows} == {str}
    assert {model["model_type"] for model in models} <= {*get_args(AppModelType)}
    assert known["loras/renamed_by_user.safetensors"] == "SDXL 1.0"
    statuses = {row["model_id"]: row["sync_status"] for row in catalog["model_sync_status"].find()}
    assert {name for name, status in statuses.items() if status == "synced"} == set(MATCHED)

    report = state.result()
    assert (report.models, report.new.count, report.unmatched.count) == (12, 12, 4)
    stored = Path(report.unmatched.stored_at.removeprefix("file://")).read_text()
    assert "flux1-dev.safetensors" in stored
    _, shown = shown_by(state)
    assert {"report-model-catalog", "report-model-catalog-unmatched"} <= set(shown)


def test_a_second_run_changes_nothing_but_the_time_of_the_last_check(
    catalog: Data, tmp_path: Path
) -> None:
    run_all(tmp_path)
    own = {"civitai_model_id": "7", "civitai_match_quality": "manual"}
    chosen = {"model_id": "vae/sdxl_vae.safetensors"}
    catalog["active_backend_models"].update_many(chosen, {"$set": own})
    match_models()
    before = everything(catalog)

    second = run_all(tmp_path)

    assert everything(catalog) == before
    assert (second.written, second.kept) == (0, 1)
    linked_by_a_person = catalog["active_backend_models"].find_one(chosen) or {}
    assert {name: linked_by_a_person[name] for name in own} == own


def test_an_unreachable_server_is_offline_and_loses_nothing(
    catalog: Data, comfyui: ComfyuiServer
) -> None:
    sync_model_catalog()
    comfyui.answers.clear()
    catalog["comfyui_servers"].update_one({"id": "box"}, {"$set": {"url": "http://127.0.0.1:1"}})

    report = sync_model_catalog()

    assert report.servers[0].status == "offline"
    assert catalog["active_backend_models"].count_documents({"is_active": True}) == 12
    assert catalog["backends"].find_one({"id": "box"}, {"_id": 0, "is_online": 1}) == {
        "is_online": False
    }


def test_a_server_that_gets_a_row_and_loses_it_keeps_what_was_stored_of_it(
    catalog: Data, comfyui: ComfyuiServer
) -> None:
    models = catalog["active_backend_models"]
    row = catalog["comfyui_servers"].find_one_and_delete({"id": "box"})
    sync_model_catalog(urls=[comfyui.url])
    assert row is not None
    models.update_many({}, {"$set": {"civitai_match_confirmed": True}})
    before = {entry["model_id"]: entry["first_seen"] for entry in models.find()}
    assert any("view_metadata" in path for path in comfyui.paths)
    catalog["comfyui_servers"].insert_one(row)
    comfyui.requests.clear()

    sync_model_catalog()

    kept = models.find({"backend_id": "box", "is_active": True, "civitai_match_confirmed": True})
    assert {model["model_id"]: model["first_seen"] for model in kept} == before
    assert models.count_documents({}) == len(before)
    assert [entry["id"] for entry in catalog["backends"].find()] == ["box"]
    assert not [path for path in comfyui.paths if "view_metadata" in path]

    catalog["comfyui_servers"].delete_one({"id": "box"})
    [server] = sync_model_catalog(urls=[comfyui.url]).servers

    assert (server.new, models.count_documents({"backend_id": server.id})) == (12, 12)


def test_a_server_that_is_switched_off_is_offline(catalog: Data) -> None:
    catalog["comfyui_servers"].insert_one(
        {"id": "other", "name": "Other", "url": "http://127.0.0.1:1", "is_active": True}
    )
    catalog["backends"].insert_one({"_id": "box", "id": "box", "name": "Box", "is_online": True})
    catalog["comfyui_servers"].update_one({"id": "box"}, {"$set": {"is_active": False}})

    sync_model_catalog()

    online = {row["id"]: row["is_online"] for row in catalog["backends"].find()}
    assert online == {"box": False, "other": False}


@pytest.mark.usefixtures("catalog")
def test_a_model_is_gone_only_after_a_complete_listing(comfyui: ComfyuiServer) -> None:
    sync_model_catalog()
    comfyui.answers["/models/vae"] = {"not": "a list"}

    partial = sync_model_catalog().servers[0]
    comfyui.answers["/models/vae"] = ["sdxl_vae.safetensors"]
    whole = sync_model_catalog().servers[0]

    assert (partial.complete, partial.gone, partial.problem_count) == (False, 0, 1)
    assert (whole.complete, whole.gone) == (True, 1)


def test_an_import_that_was_stopped_goes_on_at_its_cursor_and_sends_the_key_as_a_header_only(
    catalog: Data, civitai: CivitaiServer
) -> None:
    first = import_civitai(max_pages=1)
    rest = import_civitai()

    queries = [request.query for request in civitai.asked]
    assert [query.get("cursor") for query in queries] == [None, ["10871|121458|5062"]]
    assert (first.complete, rest.complete) == (False, True)
    assert catalog["civitai_models"].count_documents({}) == 6
    assert {request.headers["authorization"] for request in civitai.asked} == {
        "Bearer a secret key"
    }
    assert "secret" not in str([*queries, *catalog["catalog_imports"].find()])


def test_a_file_is_imported_like_the_list(catalog: Data, tmp_path: Path) -> None:
    lines = [json.dumps(item) for items in pages() for item in items]
    path = tmp_path / "items.ndjson"
    path.write_text("\n".join([*lines[:3], "{broken", *lines[3:]]))

    report = import_civitai(file=str(path))

    assert (report.new, report.problem_count, report.complete) == (6, 1, True)
    assert catalog["civitai_models"].count_documents({}) == 6


@pytest.mark.usefixtures("catalog")
def test_a_list_of_hashes_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"'nowhere\.json' cannot be read"):
        sync_model_catalog(hash_file=str(tmp_path / "nowhere.json"))


@pytest.mark.usefixtures("catalog")
def test_hashes_for_an_unknown_server_are_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scan = tmp_path / "scan.json"
    names = ("Box", "http://me:hunter2@gpu-box:8188?key=hunter2")
    rows = [{**row, "server": name} for row in hash_rows() for name in names]
    scan.write_text(json.dumps(rows))

    sync_model_catalog(hash_file=str(scan))

    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    [warning] = [line for line in logged if "Hashes" in line]
    assert "'gpu-box:8188'" in warning
    assert "hunter2" not in warning


@pytest.mark.usefixtures("configured")
def test_without_any_server_the_error_names_where_to_add_a_server() -> None:
    with pytest.raises(Exception, match="comfyui_servers has no active row"):
        sync_model_catalog()


def test_an_embedding_has_a_type_that_the_app_knows_and_its_kind_beside_it(
    catalog: Data, comfyui: ComfyuiServer
) -> None:
    comfyui.answers |= {
        "/models": ["embeddings"],
        "/models/embeddings": ["bad_hands.pt"],
    }

    sync_model_catalog()

    [stored] = catalog["active_backend_models"].find()
    assert (stored["model_type"], stored["model_kind"]) == ("other", "embedding")


def test_the_nightly_chain_does_what_it_can_and_names_what_failed(
    catalog: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAI_URL", "http://127.0.0.1:1")

    state = maintain_model_catalog(return_state=True)

    assert state.is_failed()
    assert "import-civitai" in str(state.message)
    assert catalog["active_backend_models"].count_documents({}) == 12
    assert catalog["model_sync_status"].count_documents({}) == 12


def test_an_endless_list_ends_with_a_reason(catalog: Data, civitai: CivitaiServer) -> None:
    first, _ = pages()
    civitai.pages = {None: page(first, "again"), "again": page(first, "again")}

    report = import_civitai()

    assert (report.new, report.complete) == (5, True)
    assert "page that was read before" in report.ended_because
    assert catalog["catalog_imports"].count_documents({"status": "complete"}) == 1


BUSY = Answer(503, b"{}", {"Retry-After": "0"})


@pytest.mark.parametrize(
    "troubles",
    [[Answer(429, b"{}", {"Retry-After": "0"}), OVERLOADED], [HTML], [BUSY, BUSY, HTML]],
    ids=["busy", "HTML once", "busy, then HTML once"],
)
def test_a_page_that_civitai_does_not_give_at_once_is_asked_for_again(
    catalog: Data, civitai: CivitaiServer, troubles: list[Answer]
) -> None:
    civitai.troubles = troubles

    assert import_civitai().complete
    assert catalog["civitai_models"].count_documents({}) == 6


def test_html_for_a_page_fails_the_run_and_the_next_one_goes_on(
    catalog: Data, civitai: CivitaiServer
) -> None:
    import_civitai(max_pages=1)
    civitai.troubles = [HTML] * UNREADABLE_TRIES
    failed = import_civitai(return_state=True)

    report = import_civitai()

    assert failed.is_failed()
    assert (report.new, report.complete) == (6, True)
    assert catalog["civitai_models"].count_documents({}) == 6


def test_bad_rows_are_listed_and_the_good_ones_kept(catalog: Data, civitai: CivitaiServer) -> None:
    first, _ = pages()
    bad = [None, [], {"id": None, "name": "x", "type": "LORA"}, {"id": 2**70, "name": "x"}]
    civitai.pages = {None: page([*bad, *first])}

    report = import_civitai()

    assert (report.new, report.problem_count) == (5, len(bad))
    assert catalog["civitai_models"].count_documents({}) == 5

"""Local models that the imported catalog does not have are asked for at Civitai, within bounds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

import tasks.catalog.civitai_api
import tasks.catalog.hash_lookup
from flows.match_models import match_models
from tasks.catalog.hash_lookup import MAX_BROKEN
from tests.support.catalog.civitai_server import HTML, Answer, CivitaiServer
from tests.support.catalog.sample_catalog import digits, file, item, version

Data = Database[dict[str, Any]]
HERO = "loras/hero_v1.safetensors"
AUTOV3 = digits("hero tensors", 12)


@pytest.fixture
def data(configured: Data) -> Data:
    return configured


@pytest.fixture
def civitai(monkeypatch: pytest.MonkeyPatch) -> Iterator[CivitaiServer]:
    with CivitaiServer() as server:
        monkeypatch.setenv("CIVITAI_URL", server.url)
        yield server


def add_local(data: Data, model_id: str = HERO, /, **hashes: str) -> None:
    folder, _, name = model_id.partition("/")
    facts = {"id": f"box/{model_id}", "backend_id": "box", "backend_name": "Box", "is_active": True}
    metadata = {"folder": folder, "raw_name": name, "hashes": hashes}
    names = {"model_id": model_id, "model_name": name, "model_type": "lora"}
    data["active_backend_models"].insert_one({**facts, **names, "model_metadata": metadata})


def hero(number: int = 1, /, **hashes: str) -> dict[str, Any]:
    first = version(number * 10, "v1", "SDXL 1.0", file("original.safetensors", **hashes))
    return item(number, "Hero", "LORA", first)


def answer(number: int = 1, /, **hashes: str) -> dict[str, Any]:
    """What a lookup of one hash answers."""
    [found] = hero(number, **hashes)["modelVersions"]
    return {**dict(found), "modelId": number, "model": {"name": "Hero", "type": "LORA"}}


def add_known(site: CivitaiServer, number: int, sha256: str) -> None:
    site.hits[sha256] = [{"hash": sha256, "modelId": number, "modelVersionId": number * 10}]
    site.models[number] = hero(number, SHA256=sha256)


def answer_at(site: CivitaiServer, monkeypatch: pytest.MonkeyPatch, end: str, bad: Answer) -> None:
    usual = site.answer
    monkeypatch.setattr(
        site, "answer", lambda asked: bad if asked.path.endswith(end) else usual(asked)
    )


def paths(site: CivitaiServer) -> list[str]:
    return [asked.path.removeprefix("/api/v1/") for asked in site.asked]


def linked(data: Data) -> dict[str, str]:
    wanted = {"civitai_version_id": {"$type": "number"}}
    return {
        row["model_id"]: row["match_method"] for row in data["active_backend_models"].find(wanted)
    }


@pytest.mark.parametrize("kind", ["BLAKE3", "AutoV3"])
def test_a_file_without_a_sha256_is_found_by_its_other_hash(
    data: Data, civitai: CivitaiServer, kind: str
) -> None:
    known = digits("hero", 64) if kind == "BLAKE3" else AUTOV3
    add_local(data, **{kind: known})
    civitai.versions = {known: answer(**{kind: known})}
    civitai.models = {1: hero(**{kind: known})}

    first, second = match_models(), match_models()

    assert linked(data) == {HERO: kind.lower()}
    assert paths(civitai) == [f"model-versions/by-hash/{known}", "models/1"]
    assert (first.looked_up, second.looked_up, second.written) == (1, 0, 0)


def test_a_file_with_a_sha256_is_asked_for_with_all_others_at_once(
    data: Data, civitai: CivitaiServer
) -> None:
    add_local(data, SHA256=digits("hero").lower(), AutoV3=AUTOV3)
    add_known(civitai, 1, digits("hero"))

    match_models()
    match_models()

    assert linked(data) == {HERO: "sha256"}
    assert paths(civitai) == ["model-versions/by-hash/ids", "models/1"]


def test_an_answer_about_another_file_is_not_taken(data: Data, civitai: CivitaiServer) -> None:
    add_local(data, AutoV3=AUTOV3)
    civitai.versions = {AUTOV3: answer(AutoV3=digits("other", 12))}

    assert match_models().looked_up == 0
    assert paths(civitai) == [f"model-versions/by-hash/{AUTOV3}"]


def test_what_a_person_linked_is_not_asked_for(data: Data, civitai: CivitaiServer) -> None:
    add_local(data, AutoV3=AUTOV3)
    data["active_backend_models"].update_one({}, {"$set": {"civitai_match_quality": "manual"}})

    assert match_models().kept == 1
    assert civitai.asked == []


def test_a_link_of_a_person_in_the_local_catalog_counts_as_kept(
    data: Data, civitai: CivitaiServer
) -> None:
    add_local(data)
    own = {"id": "app-1", "type": "lora", "filename": "hero_v1.safetensors", "civitai_id": 7}
    data["database_models"].insert_one({**own, "civitai_match_quality": "manual"})

    report = match_models()

    assert (report.kept, report.unmatched, civitai.asked) == (1, 0, [])


def test_unknown_hashes_keep_no_other_from_its_turn(
    data: Data, civitai: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.catalog.hash_lookup, "MAX_HASHES", 1)
    hashes = sorted(digits(str(number), 12) for number in range(2))
    for number, known in enumerate(hashes):
        add_local(data, f"loras/{number}.pt", AutoV3=known)
    expected = hashes[datetime.now(UTC).toordinal() % 2]

    match_models()

    assert paths(civitai) == [f"model-versions/by-hash/{expected}"]


NOT_READ = {
    "gone": Answer(404, b"{}"),
    "refused": Answer(403, b"{}"),
    "html": Answer(body=b"<!DOCTYPE html>"),
    "no item": Answer(body=b"[]"),
    "broken": Answer(500, b"{}", {"Retry-After": "0"}),
}


@pytest.mark.parametrize("bad", NOT_READ.values(), ids=NOT_READ)
def test_a_model_that_cannot_be_read_is_noted_and_stops_no_other(
    data: Data, civitai: CivitaiServer, monkeypatch: pytest.MonkeyPatch, bad: Answer
) -> None:
    for number in (1, 2):
        add_local(data, f"loras/{number}.pt", SHA256=digits(str(number)))
        add_known(civitai, number, digits(str(number)))
    answer_at(civitai, monkeypatch, "models/1", bad)

    report = match_models()

    assert linked(data) == {"loras/2.pt": "sha256"}
    [note] = report.notes
    assert note.startswith("Civitai's model 1 is left out: ")


def test_a_hash_whose_answer_cannot_be_read_is_noted_and_stops_no_other(
    data: Data, civitai: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_local(data, "loras/1.pt", SHA256=digits("1"))
    add_known(civitai, 1, digits("1"))
    add_local(data, "loras/2.pt", AutoV3=AUTOV3)
    answer_at(civitai, monkeypatch, AUTOV3, HTML)

    report = match_models()

    assert linked(data) == {"loras/1.pt": "sha256"}
    [note] = report.notes
    assert note.startswith(f"Civitai's answer about {AUTOV3} is left out: ")


def test_a_site_whose_answers_cannot_be_read_is_left_alone(
    data: Data, civitai: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.catalog.civitai_api, "UNREADABLE_TRIES", 1)
    for number in range(MAX_BROKEN + 1):
        add_local(data, f"loras/{number}.pt", AutoV3=digits(str(number), 12))
    civitai.troubles = [HTML] * 100

    report = match_models()

    assert len(civitai.asked) == MAX_BROKEN
    [note] = report.notes
    assert note.startswith("Civitai could not be asked for unknown hashes: ")


def test_what_was_read_before_a_stop_is_not_read_again(
    data: Data, civitai: CivitaiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        add_local(data, f"loras/{number}.pt", SHA256=digits(str(number)))
        add_known(civitai, number, digits(str(number)))
    too_long = Answer(429, b"{}", {"Retry-After": "3600"})
    with monkeypatch.context() as stopped:
        answer_at(civitai, stopped, "models/2", too_long)
        report = match_models()
    civitai.asked.clear()

    match_models()

    assert report.notes[0].startswith("Civitai could not be asked for unknown hashes")
    assert paths(civitai) == ["model-versions/by-hash/ids", "models/2"]
    assert set(linked(data)) == {"loras/1.pt", "loras/2.pt"}

"""The flow tidy-pictures on a store of 10,000 pictures: what anything names stays, and comes back.

A second reader, which shares no code with the flow, tells what the database names: it writes out
all documents as text and looks for the name of each file in it.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo.database import Database

from db.errors import NothingNamed
from flows.tidy_pictures import tidy_pictures
from tests.support.db.records import character, record
from tests.support.flows.runs import messages_of, set_retries, shown_by

Data = Database[dict[str, Any]]
Document = dict[str, Any]
NOW = datetime.now(UTC)
COUNT, YOUNG_SHARE = 10_000, 11
APP = "http://127.0.0.1:8000/uploads"


def effect(url: str, **fields: Any) -> Document:
    entry = {"id": "e", "operation_type": "enhance", "input_image_url": "a", "created_at": NOW}
    entry |= {"output_image_url": url, "parameters": {}, "success": True}
    kind = {"kind": "history", "id": "e", "character_id": "c", "entry": entry}
    return {**kind, "applied_at": NOW, **fields}


def own_id() -> str:
    return uuid4().hex


def operation(**fields: Any) -> tuple[str, Document]:
    made = record(own_id(), output=None, effects=[]).model_dump(by_alias=True)
    return "facefusion_operations", made | fields


def output(path: str) -> Document:
    return {"path": path, "url": f"{APP}/{path}", "sha256": "0" * 64, "width": 4, "height": 4}


def replaced(path: str, **of_effect: Any) -> tuple[str, Document]:
    return operation(earlier_outputs=[output(path)], effects=[effect(path, **of_effect)])


def made_from(path: str) -> tuple[str, Document]:
    found = effect("b.png")
    found["entry"]["input_image_url"] = path
    return operation(effects=[found])


def plays(**fields: Any) -> tuple[str, Document]:
    return "characters", character(project_id="p", **fields) | {"id": own_id()}


def gallery(**fields: Any) -> tuple[str, Document]:
    return plays(facefusion_output_gallery=fields)


def row(collection: str, **fields: Any) -> tuple[str, Document]:
    return collection, {"id": own_id(), **fields}


PLACES: dict[str, Callable[[str], tuple[str, Document]]] = {
    "output": lambda path: operation(output=output(path)),
    "pending effect": lambda path: replaced(path, applied_at=None),
    "input": made_from,
    "gallery": lambda path: gallery(enhanced_faces=[f"{APP}/{path}"]),
    "age": lambda path: gallery(age_variants={"45": f"http://127.0.0.1:4/{path}"}),
    "reference": lambda path: plays(reference_images=[path]),
    "history": lambda path: plays(facefusion_processing_history=[effect(path)["entry"]]),
    "deleted": lambda path: plays(reference_images=[path], deleted_at=NOW),
    "clip": lambda path: row("clips", generated_images=[{"url": f"{APP}/{path}"}]),
    "image row": lambda path: row("images", storage_path=path),
    "template": lambda path: row("templates", original_path=path),
    "job": lambda path: row("facefusion_jobs", output_data={"output_url": path}),
    "app's own": lambda path: row("gallery_items", files={path.replace(".", "_"): 1}),
    "unknown": lambda path: row("later_collection", deep=[{"er": [path.upper()]}]),
}
UNNEEDED: dict[str, Callable[[str], tuple[str, Document]] | None] = {
    "none": None,
    "another": None,
    "replaced": replaced,
}
REPLACED = "earlier_outputs"


def put(folder: Path, number: int, *, old: bool, category: str = "result") -> str:
    """Store a picture as the image store does, without waiting for the disk."""
    data = f"picture {number}".encode()
    digest = hashlib.sha256(data).hexdigest()
    path = f"local/{category}/2026/{number % 9 + 1:02}/{digest}.png"
    marker = f"local/by-content/{digest[:2]}/{digest}"
    for name, content in ((path, data), (marker, path.encode())):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if old:
        os.utime(folder / path, (1, 1))
    return path


@pytest.fixture
def configured(
    prefect: None,  # noqa: ARG001 - it names the server
    database: Data,
    mongo_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Data:
    """The environment names an empty database; the flow writes nothing for the app to read."""
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("DB_NAME", database.name)
    set_retries(monkeypatch, 0)
    return database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "images"
    monkeypatch.setenv("IMAGE_STORE", found.as_uri())
    monkeypatch.setenv("IMAGE_BASE_URL", APP)
    return found


def files_in(folder: Path) -> dict[str, bytes]:
    """All files of the pictures, by their path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.png")
        if "trash" not in path.parts
    }


def named_by_anything(database: Data, paths: Iterator[str]) -> set[str]:
    """The second reader: which of the files a document names, without what was replaced."""
    parts: list[str] = []
    for name in database.list_collection_names():
        for document in database[name].find():
            if document.pop(REPLACED, None) and document["effects"][0]["applied_at"]:
                continue
            parts.append(str(document).lower())
    text = "\n".join(parts)
    words = set(text.replace("_", "/").replace(".", "/").replace("'", "/").split("/"))
    return {path for path in paths if Path(path).stem in words}


def test_of_10_000_pictures_nothing_that_anything_names_is_touched(
    configured: Data, folder: Path
) -> None:
    places = [*PLACES.items(), *UNNEEDED.items()]
    documents: dict[str, list[Document]] = {}
    expected: set[str] = set()
    for number in range(COUNT):
        name, place = places[number % len(places)]
        old = bool(number % YOUNG_SHARE)
        path = put(folder, number, old=old, category="source" if number % 5 else "result")
        if place is not None:
            collection, document = place(path)
            documents.setdefault(collection, []).append(document)
        if old and name in UNNEEDED:
            expected.add(path)
    for collection, found in documents.items():
        configured[collection].insert_many(found)
    before = files_in(folder)

    looked = tidy_pictures()
    assert files_in(folder) == before, "a dry run moves nothing"
    state = tidy_pictures(dry_run=False, return_state=True)

    after, report = files_in(folder), state.result()
    named = named_by_anything(configured, iter(before))
    assert len(before) == COUNT
    assert len(named) > COUNT // 2
    assert {path: before[path] for path in named}.items() <= after.items()
    assert before.keys() - after.keys() == expected
    assert (looked.moved, report.moved) == (len(expected), len(expected))
    trash = folder / f"trash/{report_day(folder)}"
    assert {path: (trash / path).read_bytes() for path in expected} == {
        path: before[path] for path in expected
    }
    assert messages_of(state)[-1] == report.summary()
    assert "result" in str(shown_by(state)[1]["tidy-pictures"][0].data)


def report_day(folder: Path) -> str:
    [day] = (folder / "trash").iterdir()
    return day.name


def test_the_trash_gives_back_what_is_named_again_and_is_emptied_in_time(
    configured: Data, folder: Path
) -> None:
    kept, again, gone, fresh = (put(folder, number, old=True) for number in range(4))
    configured["clips"].insert_one({"id": "c", "generated_images": [{"url": kept}]})
    tidy_pictures(dry_run=False)
    day, long_ago = report_day(folder), f"{NOW - timedelta(days=20):%Y-%m-%d}"
    for path in (again, gone):
        target = folder / "trash" / long_ago / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "trash" / day / path, target)
    configured["characters"].insert_one(character(project_id="p", reference_images=[again]))

    looked, report = tidy_pictures(), tidy_pictures(dry_run=False)

    assert (looked.removed, looked.restored) == (report.removed, report.restored) == (1, 1)
    assert {*files_in(folder)} == {kept, again}
    assert (folder / "trash" / day / fresh).is_file()
    assert not (folder / "trash" / long_ago / gone).exists()


def test_a_database_that_names_no_picture_of_the_store_is_refused(
    configured: Data, folder: Path
) -> None:
    put(folder, 1, old=True)
    before = files_in(folder)

    with pytest.raises(NothingNamed, match=f"'{configured.name}' names none of the 1 pictures"):
        tidy_pictures(dry_run=False)

    assert files_in(folder) == before

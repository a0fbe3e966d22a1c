"""The flow apply-picture: a picture that a flow made becomes what the app uses, or is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from prefect.exceptions import ParameterTypeError
from pymongo.database import Database

from db.errors import DocumentDeleted, PictureNotInLedger, UnknownCharacter, UnknownDocument
from db.ledger import OperationLedger
from db.schema.documents.faces import OperationRecord, Output
from deployments.run_flow import run_flow
from flows.apply_picture import apply_picture
from storycanvas.faces.errors import BadField, PictureNotFound
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.pictures.reading import read_picture
from tests.support.db.mongosh import run_line
from tests.support.db.records import CHARACTER, character, record
from tests.support.flows.runs import messages_of, shown_by

Data = Database[dict[str, Any]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY, DETECTED = "a" * 64, "d" * 64
REFERENCE, CLIP = "reference image", "clip picture"
IMAGE = {
    "id": "old",
    "content_type": "image",
    "url": "http://pictures/old.png",
    "prompt": "A forest.",
    "server_id": "s",
    "server_name": "box",
    "model_name": "flux",
    "is_selected": True,
    "created_at": NOW,
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    url, base = (tmp_path / "images").as_uri(), "http://127.0.0.1:8000/uploads"
    monkeypatch.setenv("IMAGE_STORE", url)
    monkeypatch.setenv("IMAGE_BASE_URL", base)
    return ImageStore(url, base)


@pytest.fixture
def configured(configured: Data) -> Data:
    """A character and a clip."""
    configured["characters"].insert_one(character(project_id="p"))
    configured["clips"].insert_one(
        {
            "id": "clip-1",
            "scene_id": "s",
            "name": "c",
            "generated_images": [IMAGE],
            "selected_image_id": "old",
        }
    )
    return configured


@pytest.fixture
def made(configured: Data, store: ImageStore, tmp_path: Path) -> OperationRecord:
    """An operation whose picture is in the image store, and another one that made none."""
    file = tmp_path / "made.png"
    Image.effect_noise((40, 30), 50).convert("RGB").save(file)
    data = file.read_bytes()
    picture = read_picture(data, "made.png")
    stored = store.put(data, Category.RESULT, "png", NOW)
    output = Output(path=stored.path, url=stored.url, sha256=picture.sha256, width=40, height=30)
    operation = record(KEY, output=output, effects=[])
    ledger = OperationLedger(configured)
    ledger.complete(operation)
    ledger.complete(record(DETECTED, operation_type="detect", output=None, effects=[]))
    return operation


def url_of(made: OperationRecord) -> str:
    assert made.output
    return made.output.url


def references_of(database: Data) -> list[str]:
    [found] = database["characters"].find()
    return list(found["reference_images"])


@pytest.mark.parametrize("by", ["url", "path", "key", "file"])
def test_a_picture_becomes_the_first_reference_image_by_any_of_its_names(
    configured: Data, made: OperationRecord, tmp_path: Path, by: str
) -> None:
    assert made.output
    names = {"url": made.output.url, "path": made.output.path, "key": KEY}
    name = names.get(by, str(tmp_path / "made.png"))

    state = apply_picture(name, REFERENCE, character_id=CHARACTER, return_state=True)

    run, artifacts = shown_by(state)
    report = state.result()
    assert run == "apply-picture · Mira · reference image"
    assert references_of(configured) == [url_of(made), "face.png"]
    assert f"they were: face.png. To undo it, in mongosh: {report.undo}" in messages_of(state)[-1]
    assert "updateOne" in str(artifacts[f"apply-picture-{CHARACTER}"][0].data)
    assert run_line(configured, report.undo) == 1
    assert references_of(configured) == ["face.png"]


def test_another_address_of_the_same_picture_is_replaced(
    configured: Data, made: OperationRecord
) -> None:
    assert made.output
    path = made.output.path
    fields = {"reference_images": ["face.png", path, f"http://127.0.0.1:1/{path}"]}
    configured["characters"].update_one({}, {"$set": fields})

    apply_picture(path, REFERENCE, character_id=CHARACTER)

    assert references_of(configured) == [url_of(made), "face.png"]


def test_a_clip_gets_the_picture_and_shows_it(configured: Data, made: OperationRecord) -> None:
    report = apply_picture(KEY, CLIP, clip_id="clip-1")

    [clip] = configured["clips"].find()
    old, new = clip["generated_images"]
    assert (new["url"], new["is_selected"], old["is_selected"]) == (url_of(made), True, False)
    assert clip["selected_image_id"] == new["id"]
    assert "it showed old before" in report.done
    assert run_line(configured, report.undo) >= 1
    [clip] = configured["clips"].find()
    assert (clip["generated_images"], clip["selected_image_id"]) == ([IMAGE], "old")


def test_a_clip_may_go_on_showing_what_it_showed(configured: Data, made: OperationRecord) -> None:
    apply_picture(url_of(made), CLIP, clip_id="clip-1", select=False)

    [clip] = configured["clips"].find()
    assert [image["url"] for image in clip["generated_images"]] == [IMAGE["url"], url_of(made)]
    assert clip["selected_image_id"] == "old"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("picture", "use_as", "named", "error", "words"),
    [
        ("e" * 64, REFERENCE, {"character_id": CHARACTER}, PictureNotInLedger, "no operation"),
        (DETECTED, REFERENCE, {"character_id": CHARACTER}, PictureNotInLedger, "makes no picture"),
        ("nowhere.png", REFERENCE, {"character_id": CHARACTER}, PictureNotFound, "nowhere.png"),
        (KEY, REFERENCE, {"character_id": "unknown"}, UnknownCharacter, "'unknown'"),
        (KEY, CLIP, {"clip_id": "gone"}, UnknownDocument, "'gone'"),
        (KEY, REFERENCE, {}, BadField, "needs character_id"),
        (KEY, CLIP, {"character_id": CHARACTER}, BadField, "character_id is not for"),
        (KEY, CLIP, {}, BadField, "needs clip_id"),
        (KEY, "poster", {}, ParameterTypeError, "use_as"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    configured: Data,
    picture: str,
    use_as: Literal["reference image", "clip picture"],
    named: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        apply_picture(picture, use_as, **named)

    assert references_of(configured) == ["face.png"]


@pytest.mark.usefixtures("store")
def test_a_picture_that_no_operation_made_is_refused(configured: Data, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (30, 30)).save(other)

    with pytest.raises(PictureNotInLedger, match=r"No operation of the ledger made .*other\.png"):
        apply_picture(str(other), REFERENCE, character_id=CHARACTER)

    assert references_of(configured) == ["face.png"]


def test_a_picture_that_the_store_has_lost_is_refused(
    configured: Data, made: OperationRecord, tmp_path: Path
) -> None:
    assert made.output
    (tmp_path / "images" / made.output.path).unlink()

    with pytest.raises(PictureNotFound, match="run its flow again"):
        apply_picture(KEY, REFERENCE, character_id=CHARACTER)

    assert references_of(configured) == ["face.png"]


def test_a_deleted_clip_is_named_as_deleted(configured: Data, made: OperationRecord) -> None:
    configured["clips"].update_one({}, {"$set": {"deleted_at": NOW}})

    with pytest.raises(DocumentDeleted, match="restore it first"):
        apply_picture(url_of(made), CLIP, clip_id="clip-1")


def test_the_command_line_prints_what_was_done(
    configured: Data, made: OperationRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--picture", KEY, "--use-as", CLIP, "--clip-id", "clip-1", "--no-select"]

    assert run_flow(["apply-picture", *words]) == 0

    assert "among its generated images" in capsys.readouterr().out
    assert url_of(made) in str([*configured["clips"].find()])

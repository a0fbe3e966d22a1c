"""The flows add-pictures and add-templates, for real: the same pixels once, bad ones listed."""

import json
import shutil
from pathlib import Path
from typing import Any

import fsspec
import pytest
from PIL import Image
from prefect.client.schemas.objects import State

from db.setup.apply import initialise
from flows.add_pictures import add_pictures
from flows.add_templates import add_templates
from flows.enhance_faces import enhance_faces
from storycanvas.couple.written_faces import read_faces
from storycanvas.faces.errors import BadField
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.services.shared import acquire
from tasks.artifacts import DRY_RUN_NOTE
from tasks.couple.adding import NothingAdded
from tests.support.flows.runs import shown_by, start_run
from tests.support.flows.world import CHARACTER, World, group_picture, plain_picture
from tests.support.s3 import S3Server, make_bucket, use_s3

USER = "user-1"


@pytest.fixture
def photos(world: World) -> Path:
    """A portrait, the same pixels in another file, a picture without a face, and a broken file."""
    folder = world.folder / "photos"
    folder.mkdir()
    shutil.copy(world.folder / "portrait.png", folder / "1 portrait.png")
    with Image.open(folder / "1 portrait.png") as image:
        profile = image.info.get("icc_profile")
        image.save(folder / "2 again.png", compress_level=1, icc_profile=profile)
    plain_picture().save(folder / "3 plain.png")
    (folder / "4 broken.png").write_text("no picture")
    initialise(world.database, "error")
    return folder


def rows(world: World, collection: str) -> list[dict[str, Any]]:
    return [*world.database[collection].find(projection={"_id": False}).sort("filename")]


def stored_files(world: World) -> list[str]:
    folder = world.store.folder
    assert folder is not None
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def table_of(state: State[Any], key: str) -> list[dict[str, Any]]:
    (artifact,) = shown_by(state)[1][key]
    read: list[dict[str, Any]] = json.loads(artifact.data)
    return read


def test_pictures_of_a_folder_are_added_and_a_broken_one_stops_no_other(
    world: World, photos: Path
) -> None:
    state = add_pictures(folder=str(photos), user_id=USER, tags=("a", "b"), return_state=True)

    report = state.result()
    assert state.name == "Partly done"
    assert "4 pictures: 2 added, 1 there already, 1 not added. 1 with no face." in state.message
    assert [(each.outcome, each.faces) for each in report.pictures] == [
        *(("added", 1), ("known", 1), ("added", 0), ("failed", None))
    ]
    assert (report.pictures[3].code, len(report.notes)) == ("not_a_picture", 1)
    portrait, plain = rows(world, "images")
    assert {row["storage_path"] for row in (portrait, plain)} == {
        path for path in stored_files(world) if "by-content" not in path
    }
    assert [row["image_id"] for row in table_of(state, "add-pictures")] == [
        *(portrait["id"], portrait["id"], plain["id"], None)
    ]
    assert (portrait["filename"], portrait["image_type"]) == ("1 portrait.png", "source")
    assert (portrait["user_id"], portrait["tags"]) == (USER, ["a", "b"])
    file = world.store.read(portrait["storage_path"])
    stored = read_picture(file, "stored")
    assert portrait["storage_path"].split("/")[1] == "source"
    assert portrait["file_size"] == len(file)
    assert (portrait["width"], portrait["height"]) == (stored.width, stored.height)
    assert stored.sha256 == portrait["metadata"]["sha256"]


def test_the_same_pixels_are_once_for_each_user(world: World, photos: Path) -> None:
    given = [str(photos / "1 portrait.png")]
    world.database["users"].insert_one(
        {"id": USER, "username": "ann", "email": "a@b.example", "hashed_password": "x"}
    )
    first = add_pictures(given, user_id=USER)
    again = add_pictures(given, user_id=USER, tags=("later",))
    other = add_pictures(given, user_id="user-2")

    assert [report.pictures[0].outcome for report in (first, again, other)] == [
        *("added", "known", "added")
    ]
    assert first.notes == ()
    assert again.pictures[0].image_id == first.pictures[0].image_id
    assert sorted(row["user_id"] for row in rows(world, "images")) == [USER, "user-2"]
    assert len({row["storage_path"] for row in rows(world, "images")}) == 1


def test_a_dry_run_tells_what_would_be_added_and_changes_nothing(
    world: World, photos: Path
) -> None:
    portrait, plain = str(photos / "1 portrait.png"), str(photos / "3 plain.png")
    add_pictures([portrait], user_id=USER)
    before, files = world.everything(), stored_files(world)
    done = world.host.status().operations

    state = add_pictures(folder=str(photos), user_id=USER, dry_run=True, return_state=True)
    others = add_templates([portrait, plain], dry_run=True)

    report = state.result()
    assert state.name == "Completed"
    assert (
        "4 pictures: 1 would be added, 2 there already, 1 not added. The faces in 1 the host"
        in (state.message or "")
    )
    assert (state.message or "").endswith(DRY_RUN_NOTE)
    assert [(each.outcome, each.faces) for each in report.pictures] == [
        *(("known", 1), ("known", 1), ("planned", None), ("failed", None))
    ]
    assert [(each.outcome, each.faces) for each in others.pictures] == [
        *(("planned", 1), ("planned", None))
    ]
    assert shown_by(state)[0] == "add-pictures (dry run)"
    assert len(table_of(state, "add-pictures-plan")) == 4
    assert (world.everything(), stored_files(world)) == (before, files)
    assert world.host.status().operations == done

    add_templates([portrait, plain])
    added, again = add_templates([plain], dry_run=True), add_templates([plain])
    assert [report.pictures[0].outcome for report in (added, again)] == ["known", "known"]
    assert added.pictures[0].template_id == again.pictures[0].template_id


@pytest.mark.usefixtures("read_after_processes")
def test_two_runs_at_the_same_time_add_nothing_twice(
    world: World, photos: Path, prefect_url: str
) -> None:
    runs = [
        start_run(prefect_url, "add-pictures", folder=str(photos), user_id=USER) for _ in range(2)
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], said
    assert len(rows(world, "images")) == 2
    assert world.database["facefusion_operations"].count_documents({}) == 1


def test_templates_have_the_boxes_of_their_faces_from_the_left(world: World, photos: Path) -> None:
    group = world.picture("the group.png", group_picture())
    portrait = str(photos / "1 portrait.png")
    report = add_templates([group, portrait], category="movie", artist="J. Doe", tags=("x",))

    assert [(each.outcome, each.faces) for each in report.pictures] == [("added", 3), ("added", 1)]
    assert "1 with fewer than 2 faces" in report.summary()
    shown = {row["id"]: row for row in rows(world, "templates")}
    three, one = (shown[each.template_id or ""] for each in report.pictures)
    assert (three["title"], one["title"]) == ("the group", "1 portrait")
    assert (three["is_active"], one["is_active"]) == (True, False)
    assert (three["face_count"], three["category"], three["artist"]) == (3, "movie", "J. Doe")
    boxes = three["face_positions"]
    assert [box["index"] for box in boxes] == [0, 1, 2]
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
    assert len(read_faces(boxes, "face_positions")) == 3
    (image,) = (row for row in rows(world, "images") if row["id"] == three["image_id"])
    assert (image["image_type"], image["user_id"], image["tags"]) == ("template", None, ["x"])
    assert image["storage_path"].split("/")[1] == "template"


def test_a_template_whose_run_was_killed_between_its_rows_is_ended_by_the_next(
    world: World, photos: Path
) -> None:
    given = [str(photos / "1 portrait.png")]
    first = add_templates(given, title="Two")
    world.database["templates"].delete_many({})

    second = add_templates(given, title="Two")
    third = add_templates(given, title="Three")

    assert [report.pictures[0].outcome for report in (first, second, third)] == [
        *("added", "added", "known")
    ]
    assert [row["title"] for row in rows(world, "templates")] == ["Two"]
    assert len(rows(world, "images")) == 1


def test_a_run_that_adds_nothing_fails_and_names_the_reason(world: World, photos: Path) -> None:
    with pytest.raises(NothingAdded, match=r"1 not added\. .*4 broken\.png") as failed:
        add_pictures([str(photos / "4 broken.png")])
    with pytest.raises(BadField, match="has no picture"):
        add_templates()

    assert failed.value.report.pictures[0].code == "not_a_picture"
    assert rows(world, "images") == []


def test_a_bucket_of_an_s3_server_is_a_store_of_flows(
    world: World, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with acquire(S3Server(), tmp_path / "s3") as lease:
        use_s3(lease.url, monkeypatch)
        main, beside = make_bucket("main"), make_bucket("beside")
        monkeypatch.setenv("IMAGE_STORE", main)
        monkeypatch.setenv("IMAGE_STORES", f"s3={beside}")
        fsspec.filesystem("s3").put_file(str(photos / "1 portrait.png"), f"{beside}/a/1.png")

        added = add_pictures(folder=f"{beside}/a").pictures
        restored = enhance_faces(CHARACTER, [f"{beside}/a/1.png"]).steps

        (row,) = rows(world, "images")
        assert [each.outcome for each in added] == ["added"]
        assert row["storage_path"].startswith("s3/source/")
        assert (restored[0].output_url or "").startswith(f"{main}/s3/result/")
        assert ImageStore(main).holds(row["storage_path"])
        assert ImageStore(main).holds(restored[0].output_path or "")
        (entry,) = world.character()["facefusion_processing_history"]
        assert entry["input_image_url"] == f"{beside}/a/1.png"

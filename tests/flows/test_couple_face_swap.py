"""The flow couple-face-swap, for real: each person lands where asked, measured by pixels."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.couple_face_swap import couple_face_swap
from storycanvas.couple.placing import Side
from storycanvas.faces.errors import (
    BadField,
    NoFace,
    OutOfRange,
    PictureGone,
    PictureNotAllowed,
    TemplateUnusable,
)
from storycanvas.faces.operations import EnhancementModel
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from tests.support.flows.couple_rows import Rows
from tests.support.flows.couples import (
    ABOVE,
    BESIDE,
    OVERLAPPING,
    SIDE,
    THREE,
    changed_outside,
    husband,
    seen_at,
    side_by_side,
    template,
    wife,
)
from tests.support.flows.world import World

ROOM = 0.15


def to(person: str, target: int, source: int = 0) -> dict[str, Any]:
    return {"source_photo": person, "target_face_index": target, "source_face_index": source}


class Couple:
    """Pictures of a couple in a world, and what became of a template."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.his = world.picture("his.png", husband())
        self.hers = world.picture("hers.png", wife())

    def swap(self, scene: Image.Image, **fields: Any) -> FaceRunReport:
        photos = {"husband_picture": self.his, "wife_picture": self.hers}
        named = {"template_image": self.world.picture("scene.png", scene)}
        return couple_face_swap(**{**photos, **named, **fields})

    def pictures(self, report: FaceRunReport) -> list[Image.Image]:
        """What each step made, in order."""
        paths = [step.output_path or "" for step in report.steps]
        files = [self.world.store.read(path) for path in paths]
        return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]


@pytest.fixture
def couple(world: World) -> Couple:
    return Couple(world)


WHERE = re.compile(r"goes onto face .*, (\d+) x (\d+) pixels at (\d+), (\d+)\.")


def boxes(report: FaceRunReport) -> list[Box]:
    """The box in the template that each swap is for."""
    found = [WHERE.search(note) for note in report.notes]
    return [(int(b[3]), int(b[4]), int(b[1]), int(b[2])) for b in found if b]


def seen(scene: Image.Image, report: FaceRunReport, couple: Couple) -> list[str]:
    """Who is on the faces that were worked on, from left to right."""
    last = couple.pictures(report)[-1]
    return [seen_at(scene, last, box) for box in sorted(set(boxes(report)))]


def strays(scene: Image.Image, report: FaceRunReport, couple: Couple) -> list[int]:
    """Pixels that each swap changed outside of the box of its face, widened."""
    made = [scene, *couple.pictures(report)]
    return [
        changed_outside(before, after, box, ROOM)
        for before, after, box in zip(made, made[1:], boxes(report), strict=False)
    ]


M, F = "husband", "wife"
CASES: dict[str, tuple[tuple[tuple[int, int], ...], dict[str, Any], list[str]]] = {
    "beside": (BESIDE, {"face_mappings": []}, [M, F]),
    "beside, the other way": (BESIDE, {"husband": Side.RIGHT}, [F, M]),
    "one above the other": (ABOVE, {}, [M, F]),
    "overlapping": (OVERLAPPING, {}, [M, F]),
    "overlapping, the other way": (OVERLAPPING, {"husband": Side.RIGHT}, [F, M]),
    "mapped": (BESIDE, {"face_mappings": [to(M, 1), to(F, 0)]}, [F, M]),
    "m, f and m": (THREE, {"face_mappings": [to(M, 0), to(F, 1), to(M, 2)]}, [M, F, M]),
    "one of three": (THREE, {"face_mappings": [to(F, 1)], "husband_picture": None}, [F]),
    "a later one wins": (BESIDE, {"face_mappings": [to(M, 0), to(F, 0), to(M, 1)]}, [F, M]),
}


@pytest.mark.parametrize(("places", "fields", "persons"), CASES.values(), ids=CASES)
def test_each_person_lands_where_asked_and_nothing_changes_elsewhere(
    couple: Couple,
    places: tuple[tuple[int, int], ...],
    fields: dict[str, Any],
    persons: list[str],
) -> None:
    scene = template(places)

    report = couple.swap(scene, **fields)

    assert seen(scene, report, couple) == persons
    assert strays(scene, report, couple) == [0] * len(report.steps)


def test_one_mapping_on_one_face_is_a_whole_swap(couple: Couple) -> None:
    scene = template(((0, 0),))

    report = couple.swap(scene, face_mappings=[to(F, 0)], husband_picture=None)

    assert seen(scene, report, couple) == [F]


def test_faces_that_no_person_is_put_onto_stay(couple: Couple) -> None:
    scene = template(THREE)

    report = couple.swap(scene, husband=Side.RIGHT)

    made = couple.pictures(report)[-1]
    (left,) = {0, 2 * (SIDE + 20)} - {box[0] // (SIDE + 20) * (SIDE + 20) for box in boxes(report)}
    part = (left, 0, left + SIDE, SIDE)
    assert made.crop(part).tobytes() == scene.crop(part).tobytes()


def test_overlapping_boxes_are_told_with_their_share(couple: Couple) -> None:
    report = couple.swap(template(OVERLAPPING))

    (warning,) = [text for text in report.warnings if "overlap" in text]
    assert "15% of the smaller one" in warning


@pytest.mark.parametrize("order", [(M, F), (F, M)], ids=str)
def test_a_photo_of_both_gives_the_face_that_is_meant(
    couple: Couple, order: tuple[str, str]
) -> None:
    people = {M: husband(), F: wife()}
    photo = couple.world.picture("both.png", side_by_side(*(people[name] for name in order)))
    scene = template(BESIDE)
    found = couple.swap(
        scene,
        face_mappings=[to(M, 0, 0), to(F, 1, 1)],
        husband_picture=photo,
        wife_picture=photo,
    )

    # By the detector's score: the husband's face has the better one.
    assert seen(scene, found, couple) == [M, F]


def test_the_result_is_restored_as_a_whole(couple: Couple) -> None:
    scene = template(BESIDE)

    report = couple.swap(scene, enhance_result=EnhancementModel.GFPGAN_1_4)

    assert [step.operation_type for step in report.steps] == ["swap", "swap", "enhance"]
    assert len(report.steps[-1].faces) == 2


def test_a_second_run_reuses_all(couple: Couple) -> None:
    scene = template(BESIDE, own=3)
    couple.swap(scene)
    count = couple.world.host.status().operations

    report = couple.swap(scene)

    assert {step.outcome for step in report.steps} == {"reused"}
    assert couple.world.host.status().operations == count


REFUSED: dict[str, tuple[type[Exception], str, dict[str, Any]]] = {
    "index 99": (
        OutOfRange,
        r"Target face index 99 out of range \(detected 2 faces\)",
        {"face_mappings": [to(M, 99)]},
    ),
    "source index 99": (
        OutOfRange,
        r"Source face index 99 out of range \(detected 1 faces\)",
        {"face_mappings": [to(M, 0, 99)]},
    ),
    "no template": (BadField, "No template is named", {"template_image": None}),
    "no photo": (BadField, "photo of the wife is missing", {"wife_picture": None}),
    "a mapping that is none": (BadField, "source_photo", {"face_mappings": [{"face": 1}]}),
    "an id without a row": (
        PictureGone,
        "There is no picture with the id",
        {"wife_picture": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"},
    ),
    "a setting that chooses a face": (
        BadField,
        "face_position",
        {"settings": FaceSettings(face_position=1)},
    ),
}


@pytest.mark.parametrize(("error", "told", "fields"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_before_anything_is_swapped(
    couple: Couple, error: type[Exception], told: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(error, match=told):
        couple.swap(template(BESIDE), **fields)

    swaps = couple.world.database["facefusion_operations"].find({"operation_type": "swap"})
    assert list(swaps) == []


def test_one_face_without_a_mapping_is_told_how_many_were_seen(couple: Couple) -> None:
    with pytest.raises(NoFace, match="at least 2 faces, but only 1 detected"):
        couple.swap(template(((0, 0),)))


@pytest.fixture
def rows(world: World) -> Rows:
    return Rows(world)


VERSIONS = pytest.mark.parametrize("version", ["first", "later"])


@VERSIONS
def test_a_template_and_photos_are_taken_by_their_ids_and_genders_decide(
    couple: Couple, rows: Rows, version: str
) -> None:
    given = {
        "template_id": rows.template(version),
        "template_image": None,
        "husband_picture": rows.image("him", husband(), image_type="photo"),
        "wife_picture": rows.image("her", wife(), image_type="source"),
    }
    scene = template(BESIDE)

    assert seen(scene, couple.swap(scene, **given), couple) == [F, M]
    assert seen(scene, couple.swap(scene, **given, husband=Side.LEFT), couple) == [M, F]


@VERSIONS
def test_an_index_means_the_face_of_the_template_s_data(
    couple: Couple, rows: Rows, version: str
) -> None:
    scene = template(BESIDE)

    report = couple.swap(
        scene,
        template_id=rows.template(version),
        template_image=None,
        face_mappings=[to(M, 0), to(F, 1)],
    )

    assert seen(scene, report, couple) == [F, M]


@VERSIONS
def test_a_task_gives_its_template_photos_and_mapping_and_stays_as_it_is(
    couple: Couple, rows: Rows, version: str
) -> None:
    names = ("image", "photo")[version == "later"]
    photos = {
        f"husband_{names}_id": rows.image("him", husband()),
        f"wife_{names}_id": rows.image("her", wife()),
    }
    task = {
        "id": "task-1",
        "task_id": "app-task",
        "template_id": rows.template(version, is_active=False),
        "created_at": datetime(2026, 2, 1, tzinfo=UTC),
        "face_mappings": [to(M, 0), to(F, 1)],
        "status": "failed",
    }
    rows.insert("faceswap_tasks", **task, **photos)
    before = couple.world.everything()["faceswap_tasks"]
    scene = template(BESIDE)
    given = {"template_image": None, "husband_picture": None, "wife_picture": None}

    report = couple.swap(scene, task_id="app-task", **given)

    # The later version found the faces after the task was made, so they count from the left.
    assert seen(scene, report, couple) == ([M, F] if version == "later" else [F, M])
    assert couple.world.everything()["faceswap_tasks"] == before


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "inactive": ({"is_active": False}, "not active"),
    "deleted": ({"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}, "There is no template"),
}


@pytest.mark.parametrize(("fields", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_template_that_is_inactive_or_deleted_is_refused(
    couple: Couple, rows: Rows, fields: dict[str, Any], told: str
) -> None:
    name = rows.template("first", **fields)

    with pytest.raises(TemplateUnusable, match=told):
        couple.swap(template(BESIDE), template_id=name, template_image=None)


def test_a_picture_whose_faces_are_filled_is_no_template(couple: Couple, rows: Rows) -> None:
    image = rows.image("filled", template(BESIDE), image_type="preprocessed")
    rows.insert("templates", id="t-1", title="t", image_id=image)

    with pytest.raises(TemplateUnusable, match="faces filled"):
        couple.swap(template(BESIDE), template_id="t-1", template_image=None)


def test_two_names_of_one_field_with_different_values_are_refused(
    couple: Couple, rows: Rows
) -> None:
    name = rows.template("first", original_image_id="another")

    with pytest.raises(BadField, match="two names of one field"):
        couple.swap(template(BESIDE), template_id=name, template_image=None)


def test_a_row_s_picture_may_lie_in_a_store_beside_the_main_one(
    couple: Couple, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "app"
    (other / "temp").mkdir(parents=True)
    wife().save(other / "temp" / "her.png")
    monkeypatch.setenv("IMAGE_STORES", f"local={other.as_uri()}")
    rows.insert("images", id="her", filename="her.png", storage_path="temp/her.png")
    scene = template(((0, 0),))

    report = couple.swap(scene, face_mappings=[to(F, 0)], wife_picture="her", husband_picture=None)

    assert seen(scene, report, couple) == [F]
    kept = [path.name for path in (couple.world.folder / "images").rglob("*.png")]
    assert len(kept) == 2  # the template of the person, and the result; no copy of the row's


@pytest.mark.parametrize("path", ["../../etc/hostname", "/etc/hostname", "photos/../../x"])
def test_a_row_leads_to_nothing_outside_of_the_store(couple: Couple, rows: Rows, path: str) -> None:
    rows.insert("images", id="odd", filename="odd.png", storage_path=path)

    with pytest.raises(PictureNotAllowed):
        couple.swap(template(BESIDE), wife_picture="odd")

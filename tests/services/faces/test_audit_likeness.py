"""Pictures of galleries are measured once, a few at a time, and what drifted is named."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from pymongo.database import Database

from db.ledger import OperationLedger
from db.likeness.gallery_measures import known_measures
from storycanvas.faces.errors import MeasuringFailed
from storycanvas.faces.likeness.audit import CharacterAudit
from storycanvas.faces.measures.measure import (
    MEASURE_VERSION,
    Bytes,
    LandmarkedFace,
    LikenessScale,
    PictureMeasure,
)
from storycanvas.faces.measures.measuring import FaceMeter, face_meter
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import ANYWHERE
from tasks.likeness.audit import forget_others, measure_gallery
from tasks.likeness.meters import GalleryMeters
from tests.support.db.records import CHARACTER, character, output, record
from tests.support.paths import ROOT

Data = Database[dict[str, Any]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Face = tuple[Bytes, LandmarkedFace]


class ColourMeter:
    """A likeness by the mean colour of the face: enough to tell tinted portraits apart."""

    scale: LikenessScale = "dlib"
    same_below = 0.6

    def __init__(self) -> None:
        self.looked_at = 0

    def distances(
        self, reference: Face, faces: tuple[Bytes, tuple[LandmarkedFace, ...]]
    ) -> tuple[float, ...]:
        return self.distance_table([reference], [(faces[0], face) for face in faces[1]])[0]

    def distance_table(
        self, references: Sequence[Face], faces: Sequence[Face]
    ) -> tuple[tuple[float, ...], ...]:
        found = [self._colour(*face) for face in faces]
        return tuple(
            tuple(float(np.abs(wanted - colour).max()) / 64 for colour in found)
            for wanted in [self._colour(*each) for each in references]
        )

    def _colour(self, rgb: Bytes, face: LandmarkedFace) -> Any:  # noqa: ANN401 - three numbers
        self.looked_at += 1
        x, y, width, height = face.box
        return rgb[y : y + height, x : x + width].reshape(-1, 3).mean(axis=0)


class FailingFinder:
    """Finds nothing, and breaks down at the n-th picture."""

    def __init__(self, most: int) -> None:
        self.left = most

    def find(self, rgb: Bytes) -> tuple[LandmarkedFace, ...]:  # noqa: ARG002 - it looks at none
        self.left -= 1
        if self.left < 0:
            raise MeasuringFailed("The weights are gone")
        return ()


class Gallery:
    """A character with three references and pictures that a test adds."""

    def __init__(self, database: Data, store: ImageStore) -> None:
        self.database = database
        self.meters = GalleryMeters(store, ANYWHERE, face_meter(), ColourMeter())
        self.portrait = Image.open(ROOT / "samples/portrait.png").convert("RGB")
        self.tinted = ImageOps.colorize(self.portrait.convert("L"), "black", "red")
        references = [self.put(self.portrait, quality) for quality in (95, 80, 60)]
        database["characters"].insert_one(
            character(project_id="p", reference_images=references, facefusion_output_gallery={})
        )

    def put(self, picture: Image.Image, quality: int = 90) -> str:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return self.meters.store.put(file.getvalue(), Category.RESULT, "jpg", NOW).path

    def set(self, *swapped: str, **variants: str) -> None:
        ages = {age.removeprefix("age_"): picture for age, picture in variants.items()}
        gallery = {"swapped_faces": [*swapped], "age_variants": ages}
        self.database["characters"].update_one({}, {"$set": {"facefusion_output_gallery": gallery}})

    def audit(self, *, anew: bool = False) -> CharacterAudit:
        found = measure_gallery.fn(
            self.database, self.meters, CHARACTER, lambda *_: None, anew=anew
        )
        assert found is not None
        return found[0]

    def kept(self) -> list[str]:
        return [*known_measures(self.database, CHARACTER)]


@pytest.fixture
def gallery(database: Data, tmp_path: Path) -> Gallery:
    return Gallery(database, ImageStore((tmp_path / "images").as_uri(), None))


def test_a_second_run_measures_only_what_is_new(gallery: Gallery) -> None:
    first, second = gallery.put(gallery.portrait, 91), gallery.put(gallery.portrait, 92)
    gallery.set(first)
    assert gallery.audit().measured == 1

    gallery.set(first, second)

    assert gallery.audit().measured == 1
    again = gallery.audit()
    assert again.measured == 0
    assert [each.picture for each in again.pictures] == [first, second]
    assert all(each.distance is not None and each.age for each in again.pictures)
    assert gallery.audit(anew=True).measured == 2


def test_another_person_and_another_age_are_named(gallery: Gallery) -> None:
    tinted = gallery.put(gallery.tinted)
    gallery.set(tinted, age_80=gallery.put(gallery.portrait, 90))

    unlike, off = gallery.audit().outliers()

    assert (unlike.picture, unlike.gallery) == (tinted, "swapped_faces")
    assert unlike.same_below == pytest.approx(0.45)
    assert unlike.remarks[0].startswith("unlike the character: distance ")
    assert off.asked_age == 80
    assert off.remarks[0].startswith("asked for 80 years, read as ")


class CountingReader:
    """Takes every face for one of 50 years."""

    def __init__(self) -> None:
        self.read_ages = 0

    def read(self, rgb: Bytes, face: LandmarkedFace) -> float:  # noqa: ARG002 - it looks at none
        self.read_ages += 1
        return 50.0


def measured_by_run(gallery: Gallery, version: int = MEASURE_VERSION) -> str:
    """Keep a picture as a run does that made and measured it, read as 71 years old."""
    picture = gallery.put(gallery.portrait, 77)
    pixels = fetch_picture(picture, gallery.meters.store, ANYWHERE)
    (face,) = face_meter().measure(np.asarray(pixels.image)).measures or ()
    measure = PictureMeasure(
        version=version,
        faces=(face.model_copy(update={"age": 71.0}),),
        meters=("landmarks", "age", "likeness"),
    )
    made = output().model_copy(update={"sha256": pixels.sha256})
    entry = record(output=made, measure=measure.model_dump(mode="json"), effects=[])
    OperationLedger(gallery.database).complete(entry)
    gallery.set(picture)
    return picture


def test_an_age_that_the_run_read_is_not_read_again_and_the_likeness_is_measured(
    gallery: Gallery,
) -> None:
    measured_by_run(gallery)
    reader, references = CountingReader(), 3
    gallery.meters = replace(gallery.meters, faces=FaceMeter(ages=reader))

    (picture,) = gallery.audit().pictures

    assert (picture.faces, picture.age) == (1, 71.0)
    assert picture.distance is not None
    assert reader.read_ages == references
    assert gallery.audit().measured == 0


def test_a_picture_that_is_compared_with_nothing_is_not_searched_again(gallery: Gallery) -> None:
    measured_by_run(gallery)
    gallery.meters = replace(gallery.meters, faces=FaceMeter(FailingFinder(0)), likeness=None)

    (picture,) = gallery.audit().pictures

    assert (picture.faces, picture.age, picture.distance) == (1, 71.0, None)


@pytest.mark.parametrize(
    ("version", "anew"), [(MEASURE_VERSION - 1, False), (MEASURE_VERSION, True)]
)
def test_an_older_measure_or_one_that_is_to_be_taken_anew_is_taken_anew(
    gallery: Gallery, version: int, anew: bool
) -> None:
    measured_by_run(gallery, version)

    (picture,) = gallery.audit(anew=anew).pictures

    assert picture.age is not None
    assert picture.age < 60


def test_a_face_is_looked_at_once_however_many_references_there_are(gallery: Gallery) -> None:
    meter = ColourMeter()
    gallery.meters = replace(gallery.meters, likeness=meter)
    gallery.set(*(gallery.put(gallery.portrait, quality) for quality in (70, 75, 85)))

    gallery.audit()

    pairs_of_references, references, pictures = 3, 3, 3
    assert meter.looked_at == 2 * pairs_of_references + references + pictures


def test_of_several_faces_the_one_most_like_the_character_counts(gallery: Gallery) -> None:
    couple = Image.new("RGB", (1024, 512))
    couple.paste(gallery.tinted, (0, 0))
    couple.paste(gallery.portrait, (512, 0))
    gallery.set(gallery.put(couple))

    (picture,) = gallery.audit().pictures

    assert picture.faces == 2
    assert picture.remarks == ()


def test_another_version_or_other_references_are_measured_anew(gallery: Gallery) -> None:
    gallery.set(gallery.put(gallery.portrait))
    gallery.audit()

    gallery.database["face_measures"].update_one({}, {"$inc": {"version": -1}})
    assert gallery.audit().measured == 1
    gallery.database["characters"].update_one({}, {"$pop": {"reference_images": 1}})
    assert gallery.audit().measured == 1
    assert gallery.audit().measured == 0


def test_without_a_likeness_meter_ages_are_read_and_likeness_follows_later(
    gallery: Gallery,
) -> None:
    gallery.set(gallery.put(gallery.portrait))
    meters = gallery.meters
    gallery.meters = replace(meters, likeness=None)

    (only_age,) = gallery.audit().pictures
    gallery.meters = meters
    both = gallery.audit()

    assert (only_age.distance, only_age.remarks) == (None, ())
    assert only_age.age is not None
    assert both.measured == 1
    assert both.pictures[0].distance is not None


def test_what_cannot_be_read_is_named_and_tried_again(gallery: Gallery) -> None:
    gallery.set("local/result/lost.png")

    for _ in range(2):
        found = gallery.audit()
        assert "lost.png" in found.outliers()[0].remarks[0]
        assert found.measured == 0
    assert gallery.kept() == []


def test_measures_of_what_is_gone_are_removed(gallery: Gallery) -> None:
    first, second = gallery.put(gallery.portrait, 91), gallery.put(gallery.portrait, 92)
    gallery.set(first, second)
    gallery.audit()

    gallery.set(second)
    gallery.audit()
    assert gallery.kept() == [second]
    assert forget_others.fn(gallery.database, [CHARACTER]) == 0
    assert forget_others.fn(gallery.database, ["another"]) == 1
    assert gallery.kept() == []


def test_a_character_without_a_usable_reference_says_so(gallery: Gallery) -> None:
    gallery.database["characters"].update_one({}, {"$set": {"reference_images": ["lost.png"]}})
    gallery.set(gallery.put(gallery.portrait))

    found = gallery.audit()

    assert found.not_measured == (
        "Likeness not measured: no reference image of Mira shows a face.",
    )
    assert found.pictures[0].age is not None


def test_what_a_stopped_run_measured_is_kept(gallery: Gallery) -> None:
    plain = [Image.new("RGB", (64, 64), (5 * number, 0, 0)) for number in range(50)]
    gallery.set(*map(gallery.put, plain))
    gallery.meters = replace(gallery.meters, faces=FaceMeter(FailingFinder(40)), likeness=None)

    with pytest.raises(MeasuringFailed):
        gallery.audit()
    kept = len(gallery.kept())
    gallery.meters = replace(gallery.meters, faces=FaceMeter(FailingFinder(18)))

    assert kept == 32
    assert gallery.audit().measured == 18

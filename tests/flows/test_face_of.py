"""The setting face_of: the face that is most like a person is worked on, wherever it stands."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from flows.age_progression import age_progression
from flows.batch_process import batch_process
from flows.enhance_faces import enhance_faces
from flows.enhance_then_swap import enhance_then_swap
from flows.face_chain import face_chain
from storycanvas.faces.errors import BadField, FacesTooAlike, NoFaceAlike
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from tests.support.flows.world import CHARACTER, World
from tests.support.paths import ROOT

OF_CHARACTER = FaceSettings(face_of="character")


@pytest.fixture
def couple(world: World) -> str:
    """A picture whose second face, from the left, is the character's."""
    return paired(world, "couple.png", other(), portrait())


def portrait() -> Image.Image:
    with Image.open(ROOT / "samples/portrait.png") as picture:
        return picture.convert("RGB").resize((512, 512))


def other() -> Image.Image:
    with Image.open(ROOT / "samples/target.jpg") as picture:
        return picture.convert("RGB").crop((350, 60, 750, 460)).resize((512, 512))


def paired(world: World, name: str, left: Image.Image, right: Image.Image) -> str:
    both = Image.new("RGB", (1024, 512))
    both.paste(left, (0, 0))
    both.paste(right, (512, 0))
    return world.picture(name, both)


def halves(report: FaceRunReport) -> set[int]:
    return {face[0] // 512 for step in report.steps for face in step.faces}


def ages(picture: str, **parameters: Any) -> FaceRunReport:
    return age_progression(CHARACTER, [65], base_image=picture, base_age=40, **parameters)


def swap(picture: str, **parameters: Any) -> FaceRunReport:
    return enhance_then_swap(
        CHARACTER, picture, enhance_source=None, enhance_result=None, **parameters
    )


def chain(picture: str, **parameters: Any) -> FaceRunReport:
    return face_chain(CHARACTER, chain="enhance-and-age", pictures={"start": picture}, **parameters)


def batch(picture: str, **parameters: Any) -> FaceRunReport:
    return batch_process([{"type": "enhance"}], CHARACTER, pictures=[picture], **parameters)


def restored(picture: str, **parameters: Any) -> FaceRunReport:
    return enhance_faces(CHARACTER, pictures=[picture], **parameters)


@pytest.mark.parametrize("run", [ages, swap, chain, batch])
def test_every_flow_works_on_the_face_that_is_most_like_the_character(
    couple: str, run: Callable[..., FaceRunReport]
) -> None:
    assert halves(run(couple, settings=OF_CHARACTER)) == {1}


def test_a_picture_says_whose_face_is_meant(world: World, couple: str) -> None:
    shown = world.picture("other.png", other())

    report = restored(couple, settings=FaceSettings(face_of=shown))

    assert halves(report) == {0}


def test_the_report_says_which_face_was_chosen_and_by_how_much(couple: str) -> None:
    (note,) = [note for note in ages(couple, settings=OF_CHARACTER).notes if "likeness" in note]

    assert re.search(
        r"the face at \(\d+, .* was chosen by likeness: its distance is 0\.0.*, the next one's 0\.",
        note,
    )


def test_two_faces_that_are_nearly_as_like_are_refused_with_the_numbers(world: World) -> None:
    twins = paired(world, "twins.png", portrait(), portrait())
    before = world.character()

    with pytest.raises(FacesTooAlike, match=r"distance 0\.0.*, and they must differ by 0\.05"):
        ages(twins, settings=OF_CHARACTER)
    assert world.character() == before


def test_a_picture_of_other_persons_is_refused_with_the_number(world: World) -> None:
    strangers = world.picture("other.png", other())

    with pytest.raises(NoFaceAlike, match=r"has the distance 0\.\d\d, which must be below 0\.30"):
        restored(strangers, settings=OF_CHARACTER)
    wide = FaceSettings(face_of="character", reference_face_distance=1.0)
    assert restored(strangers, settings=wide).steps[0].outcome == "done"


def test_a_batch_refuses_only_the_pictures_in_which_no_face_is_meant(
    world: World, couple: str
) -> None:
    strangers = world.picture("other.png", other())

    report = batch_process(
        [{"type": "enhance"}], CHARACTER, pictures=[couple, strangers], settings=OF_CHARACTER
    )

    assert [step.outcome for step in report.steps] == ["done", "failed"]
    assert "No face of the picture" in (report.steps[1].error or "")
    assert halves(report) == {1}


@pytest.mark.usefixtures("world")
def test_the_character_without_a_character_is_refused_in_a_sentence(couple: str) -> None:
    with pytest.raises(BadField, match=r"settings\.face_of is the character, and the run has none"):
        enhance_faces(pictures=[couple], settings=OF_CHARACTER)


def test_what_an_older_host_found_is_asked_again(world: World, couple: str) -> None:
    restored(couple, settings=OF_CHARACTER)
    ledger = world.database["facefusion_operations"]
    told = {"faces.$[].reference_distance": ""}
    ledger.update_many({"operation_type": "detect"}, {"$unset": told})

    report = restored(couple, settings=OF_CHARACTER)

    assert halves(report) == {1}
    found = ledger.find_one({"operation_type": "detect"})
    assert found
    assert all(face["reference_distance"] is not None for face in found["faces"])

"""The flow enhance-then-swap, for real: the character's face, restored, in another picture."""

import pytest

from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.errors import NoFace
from storycanvas.faces.pictures.reading import read_picture
from tests.support.flows.world import CHARACTER, World, plain_picture

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"


def test_the_face_is_enhanced_swapped_and_enhanced_again_and_a_second_run_reuses_it(
    world: World, target: str
) -> None:
    report = enhance_then_swap(CHARACTER, target)

    gallery = world.character()[GALLERY]
    operations = [entry["operation_type"] for entry in world.character()[HISTORY]]
    assert [step.outcome for step in report.steps] == ["done", "done", "done"]
    assert operations == ["enhance", "swap", "enhance"]
    assert gallery["enhanced_faces"] == [report.steps[0].output_url]
    assert gallery["swapped_faces"] == [report.steps[2].output_url]

    before, count = world.everything(), world.host.status().operations
    again = enhance_then_swap(CHARACTER, target)

    assert {step.outcome for step in again.steps} == {"reused"}
    assert world.host.status().operations == count
    assert world.everything() == before


def test_the_result_is_the_target_picture_with_another_face_and_the_history_names_both(
    world: World, target: str
) -> None:
    report = enhance_then_swap(CHARACTER, target, enhance_source=None, enhance_result=None)

    (swap,) = report.steps
    made = read_picture(world.store.read(swap.output_path or ""), "swap")
    given = world.database["facefusion_operations"].find_one({"operation_type": "swap"})
    assert given is not None
    assert (made.width, made.height) == (900, 720)
    assert made.sha256 not in given["inputs"]
    (entry,) = world.character()[HISTORY]
    for name in ("source_face_url", "target_image_url"):
        path = world.store.path_of(entry["parameters"][name])
        assert (path or "").startswith("local/source/")
        assert world.store.holds(path or "")
    assert entry["parameters"]["face_swapper_model"] == "inswapper_128"


def test_a_target_without_a_face_is_refused_and_changes_nothing(world: World) -> None:
    before = world.everything()

    with pytest.raises(NoFace, match="target picture"):
        enhance_then_swap(CHARACTER, world.picture("plain.png", plain_picture()))

    assert world.everything() == before

"""The flow enhance-then-swap, for real: the character's face, restored, in another picture."""

import pytest
from PIL import Image

from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.errors import NoFace
from storycanvas.faces.pictures.provenance import read_provenance
from storycanvas.faces.pictures.reading import read_picture
from tests.support.flows.world import CHARACTER, World, plain_picture

LIT_OTHERWISE = "The faces are lit from different sides: from left to right, L* changes by "
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
    assert again.notes == report.notes
    # The sample target is the portrait's mirror image.
    assert sum(LIT_OTHERWISE in note for note in report.notes) == 1
    assert world.host.status().operations == count
    assert world.everything() == before


@pytest.mark.usefixtures("world")
def test_a_picture_that_was_enhanced_or_swapped_before_is_named_in_a_note(target: str) -> None:
    first = enhance_then_swap(CHARACTER, target, enhance_result=None)
    made = [step.output_url for step in first.steps]

    report = enhance_then_swap(
        CHARACTER, made[1] or "", made[0], enhance_source=None, enhance_result=None
    )

    sentence = "The {} picture is the output of an earlier {}: its face has been {} already."
    assert report.notes[:2] == (
        sentence.format("source", "enhance", "restored"),
        sentence.format("target", "swap", "swapped"),
    )


def test_the_result_is_the_target_picture_with_another_face_and_the_history_names_both(
    world: World, target: str
) -> None:
    with Image.open(target) as first:
        moving = world.folder / "moving.webp"
        first.save(
            moving,
            lossless=True,
            save_all=True,
            append_images=[first.transpose(Image.Transpose.ROTATE_180)],
        )

    report = enhance_then_swap(CHARACTER, str(moving), enhance_source=None, enhance_result=None)

    assert f"The picture {moving} is animated; its first frame is used." in report.notes
    assert any(note.startswith(f"swap: {LIT_OTHERWISE}") for note in report.notes)

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


def test_a_preset_chooses_the_format_and_its_file_is_the_next_input(
    world: World, target: str
) -> None:
    world.database["facefusion_presets"].insert_one(
        {
            "id": "preset-1",
            "name": "small",
            "operation_type": "swap",
            "parameters": {"output_format": "jpeg", "output_quality": 88},
        }
    )

    swap, enhance = enhance_then_swap(CHARACTER, target, enhance_source=None, preset="small").steps

    file = world.store.read(swap.output_path or "")
    stated = read_provenance(file)
    assert (swap.output_path or "").endswith(".jpg")
    assert stated is not None
    assert stated["parameters"]["output_format"] == "jpeg"
    made = read_picture(file, "swap").sha256
    given = world.database["facefusion_operations"].find_one({"operation_type": "enhance"})
    assert given is not None
    assert given["inputs"] == [made]
    assert (enhance.output_path or "").endswith(".png")

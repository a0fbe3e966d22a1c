"""The flow trace-picture: from any name of a picture to the originals, by ledger or provenance."""

from pathlib import Path

import pytest

from db.errors import PictureNotInLedger
from flows.enhance_then_swap import enhance_then_swap
from flows.trace_picture import trace_picture
from storycanvas.faces.errors import NotAPicture
from storycanvas.faces.reports.steps import StepReport
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World, plain_picture


@pytest.fixture
def swapped(world: World, target: str) -> StepReport:
    """The swap of a run: the restored face is put into another picture."""
    assert world.character()
    [step] = [s for s in enhance_then_swap(CHARACTER, target).steps if s.operation_type == "swap"]
    return step


def test_a_picture_is_followed_by_any_of_its_names_and_without_the_ledger(
    world: World, swapped: StepReport, tmp_path: Path
) -> None:
    assert swapped.output_path
    copy = tmp_path / "renamed.png"
    copy.write_bytes(world.store.read(swapped.output_path))

    state = trace_picture(str(copy), return_state=True)

    name, artifacts = shown_by(state)
    report = state.result()
    operations = [each.made_by for each in report.tree.pictures()]
    types = [made_by.operation_type for made_by in operations if made_by]
    assert name == "trace-picture"
    assert types[0] == "swap"
    assert "enhance" in types
    assert operations.count(None) == 2, "the portrait and the target are originals"
    [swap, *_] = [made_by for made_by in operations if made_by]
    assert swap.settings.keys() >= {"face_swapper_model", "face_mask_types", "face_detector_size"}
    assert [key.rpartition("-")[2] for key in artifacts][-1] == "steps"

    for other in (swapped.output_url, swapped.output_path, swapped.operation_key):
        assert other
        again = trace_picture(other).tree
        assert [each.made_by for each in again.pictures()] == operations

    world.database["facefusion_operations"].delete_many({"operation_type": "swap"})
    from_file = trace_picture(str(copy)).tree
    assert from_file.made_by
    assert from_file.made_by.known_from == "file"
    assert from_file.made_by.settings == swap.settings
    assert [each.sha256 for each in from_file.pictures()] == [
        each.sha256 for each in report.tree.pictures()
    ]


def test_a_picture_that_no_operation_made_is_told_to_be_one(world: World) -> None:
    plain = world.picture("plain.png", plain_picture())

    report = trace_picture(plain)

    assert report.summary().startswith("No operation made the picture")
    assert "plain.png" in report.summary()


def test_what_is_no_picture_is_refused_in_a_sentence(world: World) -> None:
    text = world.folder / "text.png"
    text.write_text("no picture")

    with pytest.raises(NotAPicture):
        trace_picture(str(text))
    with pytest.raises(PictureNotInLedger, match="no operation and no picture"):
        trace_picture("e" * 64)

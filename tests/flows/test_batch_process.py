"""The flow batch-process, for real: items that fail alone, first looks, folders."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError

from flows.batch_process import batch_process
from storycanvas.faces.errors import BadField, PictureNotFound
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.plan import Gallery
from storycanvas.faces.reports.batch import BatchReport
from storycanvas.services.shared import acquire
from tasks.faces.fetched import MAX_AT_HAND
from tasks.faces.reporting.report import StepsFailed
from tests.support.flows.hosts import OddHost
from tests.support.flows.world import CHARACTER, World, plain_picture

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"


def ended(*operations: object, **parameters: Any) -> tuple[State[Any], BatchReport]:
    given = {"operations": list(operations), "character_id": CHARACTER, **parameters}
    state: State[Any] = batch_process(**given, return_state=True)
    report = state.result(raise_on_failure=False)
    return state, getattr(report, "report", report)


def test_each_item_succeeds_or_fails_for_itself(world: World, target: str) -> None:
    plain = world.picture("plain.png", plain_picture())
    state, report = ended(
        {"type": "enhance", "image_url": target, "enhancement_model": "codeformer"},
        {"type": "enhance", "image_url": plain},
        {"type": "enhance", "image_url": "/nowhere.png?token=hunter2"},
        {"type": "age_adjust", "image_url": target, "target_age": 140},
        {"operation_type": "age_adjust", "parameters": {"face_editor_age": 60}},
        {"type": "magic"},
    )

    assert (state.name, state.is_completed()) == ("Partly done", True)
    assert (state.message or "").startswith("6 items: 2 done, 4 failed.")
    assert "item 1 enhance: No face was found" in (state.message or "")
    assert (report.total_operations, report.completed_operations) == (6, 2)
    assert [result.success for result in report.results] == [True, False, False, False, True, False]
    assert [result.code for result in report.results] == [
        *(None, "no_face", "picture_not_found"),
        *("out_of_range", None, "bad_field"),
    ]
    assert report.results[3].error == "target_age: 140 is more than 100"
    shown = world.character()[GALLERY]
    assert shown["enhanced_faces"] == [report.results[0].output_url]
    assert shown["age_variants"] == {"60": report.results[4].output_url}
    entries = [(entry["operation_type"], entry["success"]) for entry in world.character()[HISTORY]]
    assert sorted(entries) == [("age_adjust", True), ("enhance", False), ("enhance", True)]


def test_a_first_look_leaves_the_others_to_the_next_run(world: World, target: str) -> None:
    blends = [0.1, 0.4, 0.7]
    operations = [
        {"type": "enhance", "image_url": target, "face_enhancer_blend": blend} for blend in blends
    ]
    state, first = ended(*operations, only_first=2)
    _, second = ended(*operations)

    assert state.name == "Completed"
    assert (state.message or "").startswith("3 items: 2 done, 1 wait.")
    assert (first.waiting_operations, len(first.results)) == (1, 2)
    assert [result.reused for result in second.results] == [True, True, False]
    assert len(world.character()[HISTORY]) == 3


def test_a_batch_without_any_success_fails_and_without_a_character_writes_to_none(
    world: World,
) -> None:
    plain = world.picture("plain.png", plain_picture())
    before = world.character()

    with pytest.raises(StepsFailed, match="item 0 enhance, item 1 enhance: No face was found"):
        batch_process([{"type": "enhance"}, {"type": "enhance"}], pictures=[plain])

    assert world.character() == before


def test_two_files_of_the_same_pixels_at_once_are_one_operation(world: World, target: str) -> None:
    other = world.folder / "other.png"
    with Image.open(target) as image:
        image.save(other, compress_level=1)
    begun = world.host.status().operations
    ages = [{"type": "age_adjust", "target_age": age} for age in (41, 42, 43)]

    _, report = ended(*ages, pictures=[target, str(other)], first_alone=False)

    assert report.failed_operations == 0
    assert world.host.status().operations == begun + len(ages)


def faceless(world: World, count: int) -> list[str]:
    """Pictures without a face, each another."""
    plain = plain_picture()
    return [world.picture(f"plain-{n}.png", ImageOps.expand(plain, n)) for n in range(count)]


def test_after_so_many_failures_nothing_more_is_begun(world: World, target: str) -> None:
    state, report = ended(
        {"type": "enhance"}, pictures=[target, *faceless(world, 40)], stop_after_failures=2
    )

    errors = [result.error or "" for result in report.results]
    refused = sum(error.startswith("No face") for error in errors)
    assert state.name == "Partly done"
    assert 2 <= refused < 40  # what was begun by then is ended
    assert errors.count("Not begun, after 2 failures in this run.") == 40 - refused
    assert sum(entry["success"] is False for entry in world.character()[HISTORY]) == refused


def test_a_host_that_fails_the_first_item_gets_no_other(
    world: World, target: str, own_host: Callable[[str], str], tmp_path: Path
) -> None:
    operations = [{"type": "enhance"}, {"type": "age_adjust", "target_age": 50}]
    with acquire(OddHost("restores-nothing"), tmp_path / "odd") as lease:
        own_host(lease.record.url)
        with pytest.raises(StepsFailed) as failed:
            batch_process(operations, CHARACTER, pictures=[target])
        report = failed.value.report
        assert isinstance(report, BatchReport)
        assert [result.code for result in report.results] == ["engine_failed", None]
        assert "Not begun, because the first item failed" in (report.results[1].error or "")
        assert len(world.character()[HISTORY]) == 1

        state, _ = ended(*operations, pictures=[target], first_alone=False)
        assert state.name == "Partly done"


def test_the_pictures_of_a_folder_are_taken_by_name(world: World, target: str) -> None:
    folder = world.folder / "holiday"
    (folder / "deeper.png").mkdir(parents=True)
    with Image.open(target) as image:
        for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt"):
            small = ImageOps.expand(image.convert("RGB").resize((180, 144)), len(name))
            small.save(folder / name, format="PNG")

    _, report = ended({"type": "detect"}, folder=str(folder), character_id=None)

    assert [result.success for result in report.results] == [True, True]
    assert [(result.input_url or "").count("source/") for result in report.results] == [1, 1]
    assert report.character_id is None


def test_pictures_are_freed_with_their_operations(world: World, target: str) -> None:
    """Not only once Python looks for reference cycles, which it may do much later."""
    with Image.open(target) as image:
        small = image.convert("RGB").resize((180, 144))
    given = [world.picture(f"{n}.png", ImageOps.expand(small, n)) for n in range(16)]
    gc.collect()
    gc.disable()
    try:
        before = pictures_in_memory()
        _, report = ended({"type": "enhance"}, pictures=given)
        left = pictures_in_memory() - before
    finally:
        gc.enable()

    assert report.completed_operations == len(given)
    assert left <= MAX_AT_HAND


def pictures_in_memory() -> int:
    return sum(type(found) is Picture for found in gc.get_objects())


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"operations": "- {type: enhance"}, BadField, "The list is no YAML"),
        ({"operations": []}, BadField, "operations: 0 are named"),
        ({"operations": "[{type: magic}]"}, BadField, "No item can be done.*'magic' is none of"),
        ({"folder": "/nowhere-at-all"}, PictureNotFound, "/nowhere-at-all"),
        ({"folder": "../.."}, PictureNotFound, "not a path of the image store"),
        ({"gallery": "sketches"}, ParameterTypeError, "enhanced_faces.*custom_outputs.*none"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_done(
    world: World, given: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    before = world.everything()

    with pytest.raises(error, match=sentence):
        batch_process(**{"operations": [{"type": "enhance"}], "character_id": CHARACTER, **given})

    assert world.everything() == before


def test_all_five_lists_of_the_gallery_are_filled(world: World, target: str) -> None:
    operations: list[dict[str, Any]] = [
        {"type": "enhance"},
        {"type": "age_adjust", "target_age": 50},
        {"type": "edit", "mouth_smile": 30},
        {"type": "swap", "target_image_url": target},
    ]
    ended(*operations)
    ended({"type": "enhance", "face_enhancer_blend": 0.5}, gallery="custom_outputs")

    counts = {name: len(pictures) for name, pictures in world.character()[GALLERY].items()}
    assert counts == dict.fromkeys(Gallery, 1)


def test_operations_are_written_as_lines_and_a_named_gallery_takes_all_results(
    world: World, target: str
) -> None:
    lines = f"""
    - {{type: enhance, image_url: {target}}}
    - {{type: edit, image_url: {target}, mouth_smile: 40}}
    """
    _, report = ended(gallery="custom_outputs", operations=lines)

    shown = world.character()[GALLERY]
    assert sorted(shown["custom_outputs"]) == sorted(
        str(result.output_url) for result in report.results
    )
    assert not shown["enhanced_faces"] + shown["edited_expressions"]

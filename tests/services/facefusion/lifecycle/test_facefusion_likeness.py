"""FaceFusion's own recogniser measures how like a changed face is, in the operation itself."""

import os
import re

import httpx
import psutil
import pytest

from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    MaskOperation,
    SwapOperation,
)
from tests.support.facefusion.checkouts import HOME_VARIABLE, Checkout
from tests.support.facefusion.driven_host import MODES, Drive, DrivenHost
from tests.support.facefusion.loading_notes import note_loads
from tests.support.facefusion.made_pictures import (
    BLUE,
    GREY,
    LEFT,
    RED,
    around,
    halves,
    opened,
    plain,
)
from tests.support.facefusion.stand_in.checkout import loads

COLOURS = halves(RED, BLUE)
CHANGES: dict[str, tuple[FaceOperation, tuple[bytes, ...]]] = {
    "enhance": (EnhanceOperation(), (COLOURS,)),
    "age": (AgeAdjustOperation(target_age=90), (COLOURS,)),
    "swap": (SwapOperation(), (plain(GREY), COLOURS)),
    "edit": (EditOperation(face_editor_head_yaw=90), (COLOURS,)),
}
DISTANCE = "def calculate_face_distance(face, reference_face):\n    "
FAILURES = {
    "raises": "raise RuntimeError('it broke')",
    "ends": "import os; os._exit(1)",
}
OPERATIONS = 100
EARLY = 20
MOST_GROWTH = 1.1
LIST_OF_NUMBERS = re.compile(r"\[[-+\d.,e\s]+\]")


def asked(host: DrivenHost, name: str, **fields: object) -> httpx.Response:
    """Have one of the changes done, without a key."""
    operation, pictures = CHANGES[name]
    body = operation.model_dump(mode="json", by_alias=True, exclude_none=True) | fields
    names = operation.picture_fields(len(pictures))
    values = dict(zip(names, map(host.upload, pictures), strict=True))
    return host.http.post(operation.path, json=body | values)


def worker_bytes(host: DrivenHost) -> int:
    [worker] = host.workers()
    return int(psutil.Process(worker).memory_info().rss)


def answered(host: DrivenHost, name: str, **fields: object) -> OperationAnswer:
    answer = asked(host, name, **fields)
    assert answer.status_code == 200, answer.text
    return OperationAnswer.model_validate_json(answer.content)


def test_a_swap_tells_how_far_the_face_was_and_is_from_the_source(driven_host: DrivenHost) -> None:
    likeness = driven_host.done(SwapOperation(), plain(BLUE), COLOURS).answer.likeness

    assert likeness is not None
    assert (likeness.compared_with, likeness.scale) == ("source", "facefusion")
    assert likeness.before is not None
    assert 0 <= likeness.after < likeness.before <= 1


@pytest.mark.parametrize("name", ["enhance", "age", "edit"])
def test_an_edit_tells_how_far_the_face_is_from_itself_before(
    driven_host: DrivenHost, name: str
) -> None:
    operation, pictures = CHANGES[name]
    likeness = driven_host.done(operation, *pictures).answer.likeness

    assert likeness is not None
    assert (likeness.compared_with, likeness.before) == ("input", None)
    assert 0 < likeness.after < 0.3


@pytest.mark.parametrize("name", CHANGES)
def test_a_face_that_was_not_chosen_is_as_it_was(resident_host: DrivenHost, name: str) -> None:
    operation, pictures = CHANGES[name]
    likeness = resident_host.done(operation, *pictures).answer.likeness

    assert likeness is not None
    assert likeness.others == pytest.approx(0, abs=0.001)


def test_where_all_faces_are_changed_there_are_no_others(resident_host: DrivenHost) -> None:
    operation = EnhanceOperation(face_selector_mode=FaceSelectorMode.MANY)
    likeness = resident_host.done(operation, COLOURS).answer.likeness

    assert likeness is not None
    assert likeness.others is None


def test_what_a_swap_within_the_box_gives_back_is_what_is_measured(
    resident_host: DrivenHost,
) -> None:
    operation = SwapOperation(within_box=True)
    done = resident_host.done(operation, plain(BLUE), COLOURS)

    assert done.answer.likeness is not None
    assert around(done.picture, LEFT) != around(opened(COLOURS), LEFT)


@pytest.mark.parametrize("operation", [MaskOperation(), DetectOperation()], ids=["mask", "detect"])
def test_what_changes_no_face_has_no_likeness(
    resident_host: DrivenHost, operation: FaceOperation
) -> None:
    answer = resident_host.done(operation, plain()).answer

    assert (answer.likeness, answer.likeness_not_measured) == (None, None)
    assert answer.phases is not None
    assert answer.phases.measure == 0


@pytest.mark.parametrize("name", CHANGES)
def test_measuring_is_a_phase_of_its_own_and_changes_no_pixel(
    resident_host: DrivenHost, name: str
) -> None:
    measured = answered(resident_host, name)
    plain_one = answered(resident_host, name, measure=False)

    assert measured.output_path == plain_one.output_path  # it is named by its content
    assert measured.likeness is not None
    assert (plain_one.likeness, plain_one.likeness_not_measured) == (None, None)
    assert measured.phases is not None
    assert plain_one.phases is not None
    assert measured.phases.measure > plain_one.phases.measure == 0
    assert measured.phases.engine == measured.processing_time_seconds


def test_a_kept_answer_has_the_likeness_that_was_measured(resident_host: DrivenHost) -> None:
    client, picture = resident_host.client, resident_host.upload(COLOURS)
    first = client.operate(EnhanceOperation(), [picture], "measured")
    again = client.operate(EnhanceOperation(), [picture], "measured", measure=False)

    assert first.likeness is not None
    assert first == again


@pytest.mark.parametrize("operation", [SwapOperation(), DetectOperation()], ids=["swap", "detect"])
def test_an_answer_has_distances_and_nothing_that_describes_a_face(
    driven_host: DrivenHost, operation: FaceOperation
) -> None:
    pictures = (plain(BLUE), COLOURS)
    names = operation.picture_fields(len(pictures))
    values = dict(zip(names, map(driven_host.upload, pictures), strict=True))
    body = operation.model_dump(mode="json", by_alias=True, exclude_none=True)
    answer = driven_host.http.post(operation.path, json=body | values).text

    assert '"after":' in answer or '"reference_distance":0' in answer
    assert [*filter(lambda listed: listed.count(",") > 1, LIST_OF_NUMBERS.findall(answer))] == []


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_measuring_leaves_the_operation_done(
    drive: Drive, own_checkout: Checkout, failure: str
) -> None:
    with (own_checkout.home / "facefusion" / "face_selector.py").open("a") as module:
        module.write(f"\n\n{DISTANCE}{FAILURES[failure]}\n")
    host = drive(own_checkout)

    for name in ("enhance", "swap"):
        answer = answered(host, name)
        assert answer.output_path
        assert answer.likeness is None
        assert answer.likeness_not_measured == (
            "The likeness was not measured: FaceFusion failed over it; the host's log has the "
            "cause."
        )


@pytest.mark.parametrize("mode", MODES)
def test_no_model_is_loaded_a_second_time_to_measure(
    drive: Drive, own_checkout: Checkout, mode: str
) -> None:
    note_loads(own_checkout)
    host = drive(own_checkout, *MODES[mode])
    host.done(SwapOperation(), plain(BLUE), COLOURS)

    loaded = loads(own_checkout.home)
    assert any(name == "arcface_w600k_r50" for _, name in loaded)
    assert len(loaded) == len(set(loaded))


@pytest.mark.timeout(900)
@pytest.mark.skipif(not os.environ.get(HOME_VARIABLE), reason="FaceFusion itself is not named")
def test_the_memory_stays_flat_over_many_measured_operations(
    drive: Drive, own_checkout: Checkout
) -> None:
    host = drive(own_checkout)
    early = 0
    for number in range(OPERATIONS):
        assert answered(host, list(CHANGES)[number % len(CHANGES)]).likeness is not None
        if number == EARLY:
            early = worker_bytes(host)

    assert worker_bytes(host) < MOST_GROWTH * early

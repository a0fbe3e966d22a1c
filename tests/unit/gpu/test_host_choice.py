"""Which host of a pool may do an operation, and which failures are its fault."""

from typing import Any

import pytest

from storycanvas.faces import errors
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import FaceError
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EnhanceOperation,
    FaceOperation,
    SwapOperation,
)
from storycanvas.gpu.pool.selection import (
    HostSnapshot,
    able_hosts,
    engine_of_most,
    has_what_it_takes,
    is_hosts_fault,
    other_engines,
)

ENGINE = ("facefusion", "3.8.1")
ENHANCE = EnhanceOperation(enhancement_model="codeformer")
SWAP_256 = SwapOperation(face_swapper_model="inswapper_256")
ALL = tuple(operation.path for operation in (EnhanceOperation, SwapOperation, DetectOperation))


def status(**fields: Any) -> HostStatus:
    given = {"engine": ENGINE[0], "engine_version": ENGINE[1], "gpu_slots": 1}
    return HostStatus(**{**given, "busy": 0, "queued": 0, "operations": 0, **fields})


def host(name: str, *, healthy: bool = True, **fields: Any) -> HostSnapshot:
    return HostSnapshot(name, status(**fields), healthy)


CAN = [
    (ENHANCE, {}, True),
    (ENHANCE, {"able": ALL}, True),
    (ENHANCE, {"able": ("swap-face",)}, False),
    (ENHANCE, {"models": ("codeformer",)}, True),
    (ENHANCE, {"models": ("gfpgan_1.4",)}, False),
    (ENHANCE, {"models": ()}, False),
    (SWAP_256, {"models": ("inswapper_128",)}, True),
    (SWAP_256, {"models": ("inswapper_256",)}, True),
    (SWAP_256, {"models": ("inswapper_128_fp16",)}, False),
    (DetectOperation(), {"models": ()}, True),
    (AgeAdjustOperation(target_age=40), {"able": ALL}, False),
]


@pytest.mark.parametrize(("operation", "fields", "can"), CAN, ids=range(len(CAN)))
def test_a_host_can_do_what_its_status_does_not_exclude(
    operation: FaceOperation, fields: dict[str, Any], can: bool
) -> None:
    assert has_what_it_takes(status(**fields), operation) is can


def names(hosts: list[HostSnapshot]) -> list[str]:
    return [host.name for host in hosts]


def test_hosts_that_lack_the_model_are_left_out_while_another_has_it() -> None:
    pool = [host("a", models=()), host("b", models=("codeformer",)), host("c")]

    assert names(able_hosts(pool, ENHANCE, ENGINE)) == ["b", "c"]


def test_a_host_that_is_away_is_waited_for_if_it_alone_has_the_model() -> None:
    pool = [host("a", models=()), host("b", healthy=False, models=("codeformer",))]

    assert names(able_hosts(pool, ENHANCE, ENGINE)) == ["b"]


def test_a_host_that_has_never_answered_may_be_able() -> None:
    assert names(able_hosts([host("a", models=()), HostSnapshot("b")], ENHANCE, ENGINE)) == ["b"]


def test_when_nobody_has_the_model_the_hosts_say_themselves_what_they_lack() -> None:
    pool = [host("a", models=()), host("b", models=())]

    assert names(able_hosts(pool, ENHANCE, ENGINE)) == ["a", "b"]


def test_a_host_of_another_version_never_takes_part() -> None:
    pool = [host("a"), host("b", engine_version="3.7.1"), host("c", engine_version="3.9")]

    assert names(able_hosts(pool, ENHANCE, ENGINE)) == ["a"]
    assert able_hosts(pool[1:], ENHANCE, ENGINE) == []


def test_an_only_host_is_always_chosen() -> None:
    pool = [host("a", healthy=False, engine_version="3.7.1", models=())]

    assert able_hosts(pool, ENHANCE, ENGINE) == pool


ENGINES = [
    ([], None),
    ([("3.8.1", False)], None),
    ([("3.7.1", True), ("3.8.1", True), ("3.8.1", True)], "3.8.1"),
    ([("3.7.1", True), ("3.8.1", True)], "3.7.1"),
    ([("3.7.1", False), ("3.7.1", False), ("3.8.1", True)], "3.8.1"),
]


@pytest.mark.parametrize(("versions", "chosen"), ENGINES, ids=range(len(ENGINES)))
def test_a_run_takes_the_engine_of_most_hosts_that_are_healthy(
    versions: list[tuple[str, bool]], chosen: str | None
) -> None:
    pool = [host("h", healthy=healthy, engine_version=version) for version, healthy in versions]

    assert engine_of_most(pool) == (chosen and ("facefusion", chosen))


def test_the_report_says_who_runs_another_engine() -> None:
    pool = [host("http://a"), host("http://b", engine_version="3.7.1"), HostSnapshot("http://c")]

    assert other_engines(pool, ENGINE) == [
        "http://b took no part: it runs facefusion 3.7.1, this run facefusion 3.8.1."
    ]


PICTURES_FAULT = {
    "BadField",
    "BaseAgeUnknown",
    "ChildAgeRefused",
    "ContentRejected",
    "IdempotencyKeyReused",
    "NoFace",
    "NotAPicture",
    "OutOfRange",
    "PictureNotFound",
    "PictureTooLarge",
    "PictureUnreachable",
    "PlanInvalid",
}
EVERY_ERROR = sorted(FaceError.__subclasses__(), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_another_host_is_tried_unless_the_picture_or_the_request_is_wrong(
    error: type[FaceError],
) -> None:
    assert is_hosts_fault(error("why")) is (error.__name__ not in PICTURES_FAULT)


def test_every_name_in_the_table_is_an_error() -> None:
    assert {name for name in PICTURES_FAULT if not hasattr(errors, name)} == set()

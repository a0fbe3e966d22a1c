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


MODEL = {"models": ("codeformer",)}
NONE: dict[str, Any] = {"models": ()}
POOLS = {
    "hosts without the model are left out": (
        [host("a", **NONE), host("b", **MODEL), host("c")],
        "bc",
    ),
    "an absent host that alone has the model is waited for": (
        [host("a", **NONE), host("b", healthy=False, **MODEL)],
        "b",
    ),
    "a host that has never answered may be able": ([host("a", **NONE), HostSnapshot("b")], "b"),
    "without the model anywhere each host names what it lacks": (
        [host("a", **NONE), host("b", **NONE)],
        "ab",
    ),
    "a host of another version never takes part": (
        [host("a"), host("b", engine_version="3.7.1"), host("c", engine_version="3.9")],
        "a",
    ),
    "hosts of other versions alone": (
        [host("b", engine_version="3.7.1"), host("c", engine_version="3.9")],
        "",
    ),
    "an only host is always chosen": (
        [host("a", healthy=False, engine_version="3.7.1", **NONE)],
        "a",
    ),
}


@pytest.mark.parametrize(("pool", "chosen"), POOLS.values(), ids=POOLS)
def test_the_hosts_that_can_do_an_operation_are_chosen(
    pool: list[HostSnapshot], chosen: str
) -> None:
    assert [host.name for host in able_hosts(pool, ENHANCE, ENGINE)] == list(chosen)


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


def test_the_report_names_each_host_with_another_engine() -> None:
    pool = [host("http://a"), host("http://b", engine_version="3.7.1"), HostSnapshot("http://c")]

    assert other_engines(pool, ENGINE) == [
        "http://b took no part: it runs facefusion 3.7.1, this run facefusion 3.8.1."
    ]


PICTURES_FAULT = {
    "BadField",
    "BaseAgeUnknown",
    "ChainInvalid",
    "CheckFailed",
    "ChildAgeRefused",
    "ContentRejected",
    "FacesTooAlike",
    "IdempotencyKeyReused",
    "MeasuringFailed",
    "NoFace",
    "NoFaceAlike",
    "NotAPicture",
    "NotDoneYet",
    "OperationCancelled",
    "OutOfRange",
    "PictureChanged",
    "PictureGone",
    "PictureNotAllowed",
    "PictureNotFound",
    "PictureTooLarge",
    "PictureUnreachable",
    "PlanInvalid",
    "StoreUnavailable",
    "TemplateUnusable",
}
EVERY_ERROR = sorted(FaceError.__subclasses__(), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_another_host_is_tried_unless_the_picture_or_the_request_is_wrong(
    error: type[FaceError],
) -> None:
    assert is_hosts_fault(error("why")) is (error.__name__ not in PICTURES_FAULT)


def test_every_name_in_the_table_is_an_error() -> None:
    assert {name for name in PICTURES_FAULT if not hasattr(errors, name)} == set()

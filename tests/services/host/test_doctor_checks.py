import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from storycanvas.faces.contract import DeviceMemory, HostStatus
from storycanvas.host.doctor.access import PortFacts, TokenFacts, evaluate_port, evaluate_token
from storycanvas.host.doctor.facefusion import (
    WeightFacts,
    evaluate_installation,
    evaluate_programs,
    evaluate_weights,
)
from storycanvas.host.doctor.findings import (
    Finding,
    Level,
    failed,
    line_of,
    ok,
    summary,
    warning,
    worst,
)
from storycanvas.host.doctor.gpu import GpuFacts, GpusFacts, evaluate_gpu, evaluate_gpus
from storycanvas.host.doctor.machine import (
    EARLIEST,
    GIB,
    NEWEST,
    OLDEST,
    ClockFacts,
    PythonFacts,
    RootFacts,
    StorageFacts,
    evaluate_clock,
    evaluate_python,
    evaluate_roots,
    evaluate_storage,
)
from storycanvas.host.engines.facefusion.process.devices import Gpu, listed_gpus, visible_gpus
from storycanvas.host.engines.facefusion.process.installation import Installation
from storycanvas.host.engines.facefusion.process.probing import ProbeAnswer
from storycanvas.host.engines.facefusion.process.weights import MODELS, needed_files

OK, WARNING, FAILED = Level
NOON = EARLIEST.timestamp() + 12 * 3600
UNIT = Path("/etc/systemd/system/storycanvas-host.service")
HERE = ("127.0.0.1", 9002)
GPUS = (Gpu(0, "GPU-aaaa", "First", None), Gpu(1, "GPU-bbbb", "Second", None))


def gpu(
    offered: tuple[str, ...], asked: tuple[str, ...] = (), session: tuple[str, ...] = (),
    *, trouble: str = "", required: bool = False,
) -> GpuFacts:  # fmt: skip
    resolved = asked or offered[:1]
    probed = ProbeAnswer(offered=offered, asked=resolved, session=session, trouble=trouble)
    return GpuFacts(probed, asked, required)


COMPILING = gpu(("tensorrt", "cuda"), ("tensorrt",), ("tensorrt", "cpu"))


def python(
    version: tuple[int, int] = OLDEST, numpy: str | None = "2.0", *, shared: bool = False
) -> PythonFacts:
    return PythonFacts(version, "/v/python", {"numpy": numpy}, shared)


def storage(**changes: Any) -> StorageFacts:
    plain = {
        "path": Path("/data"), "nearest": Path("/data"), "is_folder": True, "writable": True,
        "free_bytes": 50 * GIB, "used_bytes": 0,
    }  # fmt: skip
    return StorageFacts(**{**plain, **changes})


def bounded(facts: StorageFacts) -> tuple[Finding, Finding]:
    return evaluate_storage(facts, 20)


def unbounded(facts: StorageFacts) -> tuple[Finding, Finding]:
    return evaluate_storage(facts, None)


def taken(state: Literal["ok", "failed"] | None = None) -> PortFacts:
    """An address in use: by a host in that state, or by another program."""
    status = state and HostStatus(
        status=state, engine="preview", engine_version="1", gpu_slots=1, busy=0, queued=2,
        operations=3,
    )  # fmt: skip
    return PortFacts(*HERE, errno.EADDRINUSE, "", status)


def root(
    path: str, *, is_folder: bool = True, readable: bool = True, published: bool = False
) -> RootFacts:
    return RootFacts(Path(path), is_folder, readable, published)


def installed(version: str) -> Installation:
    return Installation(Path("/ff"), Path("/v/python"), version)


Evaluate = Callable[[Any], Finding | tuple[Finding, ...]]
CASES: dict[str, tuple[Evaluate, Any, list[Level], str]] = {
    "python oldest": (evaluate_python, python(), [OK], "/v/python, 1 packages"),
    "python lacks a package": (evaluate_python, python(numpy=None), [FAILED], "lacks numpy"),
    "python too old": (evaluate_python, python((3, 10)), [FAILED], "Python 3.10"),
    "python too new": (evaluate_python, python((3, 15)), [FAILED], "3.11 to 3.14"),
    "python newest": (evaluate_python, python(NEWEST), [OK], "Python 3.14"),
    "python shared": (evaluate_python, python(shared=True), [WARNING], "FaceFusion's own"),
    "disk fine": (bounded, storage(), [OK, OK], "50.0 GiB free"),
    "disk unbounded": (unbounded, storage(), [OK, OK], "/data"),
    "folder to be made": (bounded, storage(nearest=Path("/")), [OK, OK], "at the first start"),
    "folder is a file": (bounded, storage(is_folder=False), [FAILED, OK], "is not a folder"),
    "folder closed": (bounded, storage(writable=False), [FAILED, OK], "cannot be written"),
    "disk full": (bounded, storage(free_bytes=GIB // 5), [OK, FAILED], "make room"),
    "disk small": (bounded, storage(free_bytes=9 * GIB), [OK, WARNING], "--keep-gib 8.1"),
    "disk small but kept counts": (
        bounded, storage(free_bytes=9 * GIB, used_bytes=11 * GIB), [OK, OK], "11.0 GiB kept",
    ),
    "disk small, unbounded": (unbounded, storage(free_bytes=9 * GIB), [OK, OK], "9.0 GiB free"),
    "port free": (evaluate_port, PortFacts(*HERE), [OK], "127.0.0.1 port 9002 is free"),
    "port any": (evaluate_port, PortFacts("127.0.0.1", 0), [OK], "port any is free"),
    "port of a host": (evaluate_port, taken("ok"), [OK], "a host answers ok, engine"),
    "port of a failed host": (evaluate_port, taken("failed"), [WARNING], "answers failed"),
    "port of a program": (evaluate_port, taken(), [FAILED], "taken by another program"),
    "port elsewhere": (
        evaluate_port, PortFacts(*HERE, errno.EADDRNOTAVAIL), [FAILED], "not an address of this",
    ),
    "port closed": (evaluate_port, PortFacts("::1", 80, errno.EACCES), [FAILED], "1024 or more"),
    "port unknown": (
        evaluate_port, PortFacts("nowhere", 1, -2, "no such name"), [FAILED], "no such name",
    ),
    "token none here": (evaluate_token, TokenFacts(True, None), [OK], "on this machine only"),
    "token none": (evaluate_token, TokenFacts(False, None), [FAILED], "openssl rand -hex 32"),
    "token long": (evaluate_token, TokenFacts(False, 64), [OK], "64 characters"),
    "token just": (evaluate_token, TokenFacts(False, 16), [OK], "16 characters"),
    "token short": (evaluate_token, TokenFacts(True, 15), [WARNING], "16 or more"),
    "token not sendable": (
        evaluate_token, TokenFacts(False, 64, sendable=False), [FAILED], "no header can carry",
    ),
    "token in unit": (
        evaluate_token, TokenFacts(False, 64, units=(UNIT,)), [OK, WARNING], str(UNIT),
    ),
    "token in an open file": (
        evaluate_token, TokenFacts(False, 64, open_files=(Path("/e"),)), [OK, WARNING],
        "chmod 600 /e",
    ),
    "roots none": (evaluate_roots, (), [OK], "none"),
    "roots two": (evaluate_roots, (root("/a"), root("/b")), [OK, OK], "/b"),
    "root missing": (
        evaluate_roots, (root("/a", is_folder=False),), [FAILED], "/a is not a folder",
    ),
    "root closed": (evaluate_roots, (root("/a", readable=False),), [FAILED], "cannot be read"),
    "root of all": (evaluate_roots, (root("/"),), [WARNING], "whole file system"),
    "root published": (evaluate_roots, (root("/a", published=True),), [OK], "are shown from /a"),
    "root published, closed": (
        evaluate_roots, (root("/a", readable=False, published=True),), [FAILED],
        "cannot write to",
    ),
    "root published, missing": (
        evaluate_roots, (root("/a", is_folder=False, published=True),), [FAILED], "not a folder",
    ),
    "clock without files": (evaluate_clock, ClockFacts(NOON, None), [OK], ""),
    "clock with old files": (evaluate_clock, ClockFacts(NOON, NOON - 9e9), [OK], ""),
    "clock of just now": (evaluate_clock, ClockFacts(NOON, NOON + 299), [OK], ""),
    "clock behind its files": (evaluate_clock, ClockFacts(NOON, NOON + 301), [WARNING], ""),
    "clock of 1970": (evaluate_clock, ClockFacts(0.0, None), [WARNING], ""),
    "clock of 2255": (evaluate_clock, ClockFacts(9e9, None), [WARNING], ""),
    "programs missing": (
        evaluate_programs, {"curl": None, "ffmpeg": "/bin/ffmpeg", "ffprobe": None}, [FAILED],
        "curl, ffprobe not found on PATH;",
    ),
    "facefusion unusable": (
        evaluate_installation, "FACEFUSION_HOME is not set: set it.", [FAILED], "set: set it.",
    ),
    "facefusion without ageing": (
        evaluate_installation, installed("3.5.4"), [WARNING], "3.6 or newer",
    ),
    "facefusion fine": (evaluate_installation, installed("3.8.1"), [OK], "FaceFusion 3.8.1 in /ff"),
    "gpu own choice": (
        evaluate_gpu, gpu(("cuda", "cpu"), session=("cuda", "cpu")), [OK], "a session has cuda",
    ),
    "gpu asked": (
        evaluate_gpu, gpu(("cuda", "cpu"), ("cuda", "cpu"), ("cuda", "cpu")), [OK],
        "a session has cuda, cpu",
    ),
    "gpu second choice": (
        evaluate_gpu, gpu(("cuda", "tensorrt", "cpu"), ("tensorrt", "cuda"), ("cuda", "cpu")),
        [WARNING], "a session has cuda, cpu, not tensorrt",
    ),
    "gpu in silence on the cpu": (
        evaluate_gpu, gpu(("cuda", "cpu"), session=("cpu",), trouble="libcublasLt.so.12"), [FAILED],
        "asks for cuda has the cpu alone: libcublasLt.so.12",
    ),
    "gpu with cpu asked": (
        evaluate_gpu, gpu(("directml", "cpu"), ("cpu",), ("cpu",)), [WARNING],
        "execution_providers = directml",
    ),
    "gpu cpu only": (
        evaluate_gpu, gpu(("cpu",), session=("cpu",)), [WARNING], "many times longer",
    ),
    "gpu cpu only, asked": (
        evaluate_gpu, gpu(("cpu",), ("cpu",), ("cpu",)), [WARNING], "many times longer",
    ),
    "gpu cpu only, required": (
        evaluate_gpu, gpu(("cpu",), session=("cpu",), required=True), [FAILED], "many times",
    ),
    "gpu not offered": (
        evaluate_gpu, gpu(("cpu",), ("cuda",), ("cpu",)), [FAILED],
        "asks for cuda, but onnxruntime offers cpu",
    ),
    "gpu nothing": (evaluate_gpu, gpu(()), [FAILED], "offers nothing"),
    "gpu without onnxruntime": (
        evaluate_gpu, gpu((), trouble="no module onnxruntime"), [FAILED], "no module onnxruntime",
    ),
    "gpu compiles and cannot keep it": (
        evaluate_gpu, replace(COMPILING, keeps_compiled=False), [WARNING], "lost at each stop",
    ),
    "gpu compiles and keeps it": (evaluate_gpu, COMPILING, [OK], "a session has tensorrt"),
    "gpu compiles nothing": (
        evaluate_gpu, replace(gpu(("cuda",), session=("cuda",)), keeps_compiled=False), [OK],
        "a session has cuda",
    ),
    "gpu ini file damaged": (
        evaluate_gpu, GpuFacts(trouble="facefusion.ini cannot be read"), [FAILED], "cannot be read",
    ),
    "gpus none": (evaluate_gpus, GpusFacts((), (), None), [OK], "nvidia-smi lists none"),
    "gpus one": (evaluate_gpus, GpusFacts(GPUS[:1], GPUS[:1], None), [OK], "0 First"),
    "gpus two": (evaluate_gpus, GpusFacts(GPUS, GPUS, None), [WARNING], "one host a GPU"),
    "gpus two, one chosen": (
        evaluate_gpus, GpusFacts(GPUS, GPUS[1:], "1"), [OK], "FaceFusion sees 1",
    ),
    "gpus none chosen": (
        evaluate_gpus, GpusFacts(GPUS, (), ""), [FAILED], "CUDA_VISIBLE_DEVICES is empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_facts_become_findings(case: tuple[Evaluate, Any, list[Level], str]) -> None:
    evaluate, facts, levels, words = case
    found = evaluate(facts)
    findings = found if isinstance(found, tuple) else (found,)
    assert [finding.level for finding in findings] == levels
    assert words in " ".join(f"{finding.seen}; {finding.fix}" for finding in findings)


SMI = """0, GPU-aaaa, First, 100, 24000
1, GPU-bbbb, Second, [N/A], 24000
"""


def test_the_gpus_that_nvidia_smi_lists_are_read() -> None:
    first, second = listed_gpus(SMI + "No devices were found\n")
    assert (first.index, first.name, second.memory) == (0, "First", None)
    assert first.memory == DeviceMemory(used_bytes=100 * 2**20, total_bytes=24000 * 2**20)


@pytest.mark.parametrize(
    ("chosen", "indexes"),
    [
        (None, [0, 1]), ("1", [1]), ("1,0", [1, 0]), ("GPU-bb", [1]), ("GPU-bbbb", [1]), ("", []),
        ("0,7,1", [0]), ("-1", []),
    ],
)  # fmt: skip
def test_the_visible_gpus_are_those_that_cuda_takes(chosen: str | None, indexes: list[int]) -> None:
    assert [gpu.index for gpu in visible_gpus(listed_gpus(SMI), chosen)] == indexes


def weights(*present: str, missing_always: tuple[str, ...] = ()) -> WeightFacts:
    lacking = {model: tuple(sorted(needed_files([model]))) for model in MODELS}
    missing = {model: () if model in present else files for model, files in lacking.items()}
    return WeightFacts("force-download", frozenset(present), missing_always, missing)


def levels_of(facts: WeightFacts, *, downloads: bool = False) -> dict[str, Level]:
    findings = evaluate_weights(facts, downloads=downloads)
    return {finding.check.removeprefix("weights").strip(): finding.level for finding in findings}


def test_with_all_weights_every_operation_is_fine() -> None:
    assert set(levels_of(weights(*MODELS)).values()) == {OK}


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (weights(missing_always=("nsfw_1.onnx",)), FAILED, "nsfw_1.onnx"),
        (weights("gfpgan_1.4"), FAILED, "no face detector"),
        (weights("yunet"), WARNING, "not yolo_face"),
        (weights("yolo_face"), OK, "yolo_face"),
    ],
    ids=["always needed", "no detector", "other detector", "detector"],
)
def test_what_every_operation_needs_is_judged(facts: WeightFacts, level: Level, words: str) -> None:
    finding = evaluate_weights(facts, downloads=False)[0]
    assert finding.level is level
    assert words in finding.seen
    assert (finding.fix == "force-download") is (level is not OK)


@pytest.mark.parametrize(
    "facts",
    [weights(missing_always=("nsfw_1.onnx",)), weights("gfpgan_1.4")],
    ids=["always needed", "no detector"],
)
def test_where_downloads_are_allowed_missing_weights_are_a_warning(facts: WeightFacts) -> None:
    assert evaluate_weights(facts, downloads=True)[0].level is WARNING


def test_an_operation_without_its_weights_or_its_default_is_a_warning() -> None:
    levels = levels_of(weights("yolo_face", "codeformer", "inswapper_128", "fran"))
    assert levels == {
        "": OK,
        "enhance-face": WARNING,
        "adjust-face": OK,
        "swap-face": OK,
        "edit-face": WARNING,
        "mask-face": OK,
        "detect-faces": OK,
    }


def test_the_first_missing_files_are_named_and_the_rest_is_counted() -> None:
    finding = evaluate_weights(weights("yolo_face"), downloads=False)[4]
    assert finding.check == "weights edit-face"
    assert "2dfan4.hash, 2dfan4.onnx" in finding.seen
    assert "more missing" in finding.seen


@pytest.mark.parametrize(
    ("findings", "level", "line"),
    [
        ([], OK, "0 ok, 0 with a warning, 0 failed."),
        ([ok("a", "b")], OK, "1 ok, 0 with a warning, 0 failed."),
        ([warning("a", "b", "c"), ok("a", "b")], WARNING, "1 ok, 1 with a warning, 0 failed."),
        ([failed("a", "b"), warning("a", "b", "c")], FAILED, "0 ok, 1 with a warning, 1 failed."),
    ],
    ids=["none", "ok", "warning", "failed"],
)
def test_the_worst_finding_counts(findings: list[Finding], level: Level, line: str) -> None:
    assert worst(findings) is level
    assert summary(findings) == line


def test_a_finding_is_a_line_and_its_remedy_another() -> None:
    first, second = line_of(warning("disk", "little room", "make room")).splitlines()
    assert first.split() == ["warning", "disk", "little", "room"]
    assert second.strip() == "fix: make room"

import errno
from pathlib import Path
from typing import Any, Literal

import pytest

from storycanvas.faces.contract import HostStatus
from storycanvas.host.doctor.access import PortFacts, TokenFacts, evaluate_port, evaluate_token
from storycanvas.host.doctor.facefusion import (
    GpuFacts,
    WeightFacts,
    evaluate_gpu,
    evaluate_installation,
    evaluate_programs,
    evaluate_weights,
    read_providers,
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
from storycanvas.host.engines.facefusion.process.installation import Installation
from storycanvas.host.engines.facefusion.process.weights import MODELS, needed_files

OK, WARNING, FAILED = Level
NOON = EARLIEST.timestamp() + 12 * 3600
UNIT = Path("/etc/systemd/system/storycanvas-host.service")
HERE = ("127.0.0.1", 9002)


def text_of(finding: Finding) -> str:
    return f"{finding.seen}; {finding.fix}"


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (PythonFacts(OLDEST, "/v/python", {"numpy": "2.0"}, False), OK, "/v/python, 1 packages"),
        (PythonFacts(NEWEST, "/v/python", {"numpy": None}, False), FAILED, "lacks numpy"),
        (PythonFacts((3, 10), "/v/python", {"numpy": "2.0"}, False), FAILED, "Python 3.10"),
        (PythonFacts((3, 14), "/v/python", {"numpy": "2.0"}, False), FAILED, "3.11 to 3.13"),
        (PythonFacts(NEWEST, "/v/python", {"numpy": "2.0"}, False), OK, "Python 3.13"),
        (PythonFacts(OLDEST, "/v/python", {"numpy": "2.0"}, True), WARNING, "FaceFusion's own"),
    ],
    ids=["oldest", "lacks a package", "too old", "too new", "newest", "shared environment"],
)
def test_the_hosts_python_is_judged(facts: PythonFacts, level: Level, words: str) -> None:
    finding = evaluate_python(facts)
    assert finding.level is level
    assert words in text_of(finding)


def storage(**changes: Any) -> StorageFacts:
    plain = {
        "path": Path("/data"), "nearest": Path("/data"), "is_folder": True, "writable": True,
        "free_bytes": 50 * GIB, "used_bytes": 0,
    }  # fmt: skip
    return StorageFacts(**{**plain, **changes})


@pytest.mark.parametrize(
    ("facts", "keep_gib", "levels", "words"),
    [
        (storage(), 20, (OK, OK), "50.0 GiB free"),
        (storage(), None, (OK, OK), "/data"),
        (storage(nearest=Path("/")), 20, (OK, OK), "made at the first start"),
        (storage(is_folder=False), 20, (FAILED, OK), "is not a folder"),
        (storage(writable=False), 20, (FAILED, OK), "cannot be written"),
        (storage(free_bytes=GIB // 5), 20, (OK, FAILED), "make room"),
        (storage(free_bytes=9 * GIB), 20, (OK, WARNING), "--keep-gib 8.1"),
        (storage(free_bytes=9 * GIB, used_bytes=11 * GIB), 20, (OK, OK), "11.0 GiB kept"),
        (storage(free_bytes=9 * GIB), None, (OK, OK), "9.0 GiB free"),
    ],
    ids=[
        "fine", "unbounded", "not there yet", "a file", "closed", "full", "less than allowed",
        "what is kept counts", "little, unbounded",
    ],
)  # fmt: skip
def test_folder_and_disk_are_judged(
    facts: StorageFacts, keep_gib: float | None, levels: tuple[Level, Level], words: str
) -> None:
    findings = evaluate_storage(facts, keep_gib)
    assert tuple(finding.level for finding in findings) == levels
    assert words in " ".join(map(text_of, findings))


def status(state: Literal["ok", "failed"]) -> HostStatus:
    return HostStatus(
        status=state, engine="preview", engine_version="1", gpu_slots=1, busy=0, queued=2,
        operations=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (PortFacts(*HERE), OK, "127.0.0.1 port 9002 is free"),
        (PortFacts("127.0.0.1", 0), OK, "port any is free"),
        (PortFacts(*HERE, errno.EADDRINUSE, "", status("ok")), OK, "a host answers ok, engine"),
        (PortFacts(*HERE, errno.EADDRINUSE, "", status("failed")), WARNING, "answers failed"),
        (PortFacts(*HERE, errno.EADDRINUSE), FAILED, "taken by another program"),
        (PortFacts(*HERE, errno.EADDRNOTAVAIL), FAILED, "not an address of this machine"),
        (PortFacts("::1", 80, errno.EACCES), FAILED, "1024 or more"),
        (PortFacts("nowhere", 1, -2, "no such name"), FAILED, "no such name"),
    ],
    ids=[
        "free", "any", "our host", "our host, broken", "another program", "foreign address",
        "no right", "no name",
    ],
)  # fmt: skip
def test_the_address_is_judged(facts: PortFacts, level: Level, words: str) -> None:
    finding = evaluate_port(facts)
    assert finding.level is level
    assert words in text_of(finding)


@pytest.mark.parametrize(
    ("facts", "levels", "words"),
    [
        (TokenFacts(True, None), [OK], "callers on this machine only"),
        (TokenFacts(False, None), [FAILED], "openssl rand -hex 32"),
        (TokenFacts(False, 64), [OK], "64 characters"),
        (TokenFacts(False, 16), [OK], "16 characters"),
        (TokenFacts(True, 15), [WARNING], "16 or more"),
        (TokenFacts(False, 64, sendable=False), [FAILED], "no header can carry"),
        (TokenFacts(False, 64, units=(UNIT,)), [OK, WARNING], str(UNIT)),
        (TokenFacts(False, 64, open_files=(Path("/e"),)), [OK, WARNING], "chmod 600 /e"),
    ],
    ids=["none here", "none", "long", "just", "short", "not sendable", "in unit", "open file"],
)
def test_the_token_is_judged(facts: TokenFacts, levels: list[Level], words: str) -> None:
    findings = evaluate_token(facts)
    assert [finding.level for finding in findings] == levels
    assert words in " ".join(map(text_of, findings))


@pytest.mark.parametrize(
    ("roots", "levels", "words"),
    [
        ((), [OK], "none"),
        ((RootFacts(Path("/a"), True, True), RootFacts(Path("/b"), True, True)), [OK, OK], "/b"),
        ((RootFacts(Path("/a"), False, False),), [FAILED], "/a is not a folder"),
        ((RootFacts(Path("/a"), True, False),), [FAILED], "cannot be read"),
        ((RootFacts(Path("/"), True, True),), [WARNING], "whole file system"),
    ],
    ids=["none", "two", "missing", "closed", "everything"],
)
def test_allowed_folders_are_judged(
    roots: tuple[RootFacts, ...], levels: list[Level], words: str
) -> None:
    findings = evaluate_roots(roots)
    assert [finding.level for finding in findings] == levels
    assert words in " ".join(map(text_of, findings))


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (ClockFacts(NOON, None), OK),
        (ClockFacts(NOON, NOON - 9e9), OK),
        (ClockFacts(NOON, NOON + 299), OK),
        (ClockFacts(NOON, NOON + 301), WARNING),
        (ClockFacts(0.0, None), WARNING),
        (ClockFacts(9e9, None), WARNING),
    ],
    ids=["no files", "old files", "just written", "files of tomorrow", "1970", "2255"],
)
def test_the_clock_is_judged(facts: ClockFacts, level: Level) -> None:
    assert evaluate_clock(facts).level is level


def test_programs_that_are_missing_are_named() -> None:
    finding = evaluate_programs({"curl": None, "ffmpeg": "/bin/ffmpeg", "ffprobe": None})
    assert finding.level is FAILED
    assert finding.seen == "curl, ffprobe not found on PATH"


@pytest.mark.parametrize(
    ("found", "level", "words"),
    [
        ("FACEFUSION_HOME is not set: set it.", FAILED, "FACEFUSION_HOME is not set: set it."),
        (Installation(Path("/ff"), Path("/v/python"), "3.5.4"), WARNING, "3.6 or newer"),
        (Installation(Path("/ff"), Path("/v/python"), "3.8.1"), OK, "FaceFusion 3.8.1 in /ff"),
    ],
    ids=["unusable", "without ageing", "fine"],
)
def test_the_installation_is_judged(found: Installation | str, level: Level, words: str) -> None:
    finding = evaluate_installation(found)
    assert finding.level is level
    assert words in text_of(finding)


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (GpuFacts(("cuda", "cpu")), OK, "cuda is used"),
        (GpuFacts(("cuda", "cpu"), ("cuda", "cpu")), OK, "cuda, cpu is used"),
        (GpuFacts(("directml", "cpu"), ("cpu",)), WARNING, "execution_providers = directml"),
        (GpuFacts(("cpu",)), WARNING, "many times longer"),
        (GpuFacts(("cpu",), ("cpu",)), WARNING, "many times longer"),
        (GpuFacts(("cpu",), ("cuda",)), FAILED, "asks for cuda, but onnxruntime offers cpu"),
        (GpuFacts(()), FAILED, "offers nothing"),
        (GpuFacts(trouble="no module onnxruntime"), FAILED, "no module onnxruntime"),
    ],
    ids=[
        "own choice", "asked", "cpu asked", "cpu only", "cpu only, asked", "not offered",
        "nothing", "not known",
    ],
)  # fmt: skip
def test_the_gpu_is_judged(facts: GpuFacts, level: Level, words: str) -> None:
    finding = evaluate_gpu(facts)
    assert finding.level is level
    assert words in text_of(finding)


@pytest.mark.parametrize(
    ("output", "providers"),
    [
        ('["CUDAExecutionProvider", "CPUExecutionProvider"]\n', ("cuda", "cpu")),
        ('a warning\n["CPUExecutionProvider", "DmlExecutionProvider"]', ("directml", "cpu")),
        ('["AzureExecutionProvider", "CPUExecutionProvider"]', ("cpu",)),
        ("", ()),
        ("not JSON", ()),
    ],
    ids=["cuda", "after a warning", "azure is left out", "nothing", "nonsense"],
)
def test_providers_of_onnxruntime_are_read(output: str, providers: tuple[str, ...]) -> None:
    assert read_providers(output) == providers


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

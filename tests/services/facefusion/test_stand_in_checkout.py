"""The stand-in does what FaceFusion 3.8.1 was seen to do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.facefusion.stand_in.checkout import (
    misbehave,
    operations,
    write_stand_in,
    write_weights,
)
from tests.support.facefusion.stand_in.checkout_runs import CheckoutRuns, pixels_of
from tests.support.paths import ROOT

GREY = (120, 120, 120)
ENHANCE = ("--processors", "face_enhancer")
AGE = ("--processors", "age_modifier", "--age-modifier-direction")
EDIT = ("--processors", "face_editor", "--face-editor-mouth-smile")
RESIDENT = ROOT / "tests/support/facefusion/stand_in/resident.py"


@pytest.fixture
def runs(tmp_path: Path) -> CheckoutRuns:
    home = tmp_path / "home"
    write_stand_in(home)
    return CheckoutRuns(home, tmp_path)


@pytest.fixture
def grey(runs: CheckoutRuns) -> Path:
    return runs.picture("grey", GREY, (200, 240))


@pytest.mark.parametrize("version", ["3.5.4", "3.8.1", "4.0.0"])
def test_it_prints_the_version_it_was_given(tmp_path: Path, version: str) -> None:
    write_stand_in(tmp_path / "home", version)

    ended = subprocess.run(
        [sys.executable, "facefusion.py", "--version"],
        cwd=tmp_path / "home", capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ended.stdout == f"FaceFusion {version}\n"


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ValueError, match="is not empty"):
        write_stand_in(tmp_path)


@pytest.mark.parametrize(
    ("options", "sign"),
    [
        (ENHANCE, (1, 1, 1)),
        ((*AGE, "20"), (1, 1, 1)),
        ((*AGE, "-20"), (-1, -1, -1)),
        ((*EDIT, "0.50"), (1, 0, 0)),
        ((*EDIT, "-0.50"), (0, 0, 1)),
    ],
    ids=["enhance", "older", "younger", "edit up", "edit down"],
)
def test_an_operation_shows_in_the_middle_of_the_face(
    runs: CheckoutRuns, grey: Path, options: tuple[str, ...], sign: tuple[int, int, int]
) -> None:
    ran = runs.run(grey, *options)

    assert (ran.code, ran.jobs) == (0, ["completed"])
    assert "[FACEFUSION.CORE] processing step 1 of 1\n" in ran.errors
    difference = ran.pixels - pixels_of(grey)
    assert tuple(np.sign(difference[120, 100])) == sign
    assert not difference[:, 0].any()


def test_a_swapped_face_takes_the_colour_of_its_source(runs: CheckoutRuns, grey: Path) -> None:
    red = runs.picture("red", (230, 30, 30), (200, 200))

    ran = runs.run(grey, "--processors", "face_swapper", "-s", str(red))

    middle = ran.pixels[120, 100]
    assert middle[0] > GREY[0] > middle[1]


def test_a_black_picture_comes_back_as_it_was(runs: CheckoutRuns) -> None:
    black = runs.picture("black", (0, 0, 0), (200, 200))

    ran = runs.run(black, *ENHANCE)

    assert ran.code == 0
    assert not ran.pixels.any()


def test_odd_sizes_come_back_even(runs: CheckoutRuns) -> None:
    assert runs.run(runs.picture("odd", GREY, (201, 203)), *ENHANCE).pixels.shape == (204, 200, 3)


def test_a_magenta_picture_is_refused_without_a_word(runs: CheckoutRuns) -> None:
    magenta = runs.picture("magenta", (255, 0, 255), (200, 200))

    ran = runs.run(magenta, *ENHANCE, "--log-level", "warn")

    assert (ran.code, ran.errors, ran.jobs) == (1, "", ["failed"])


def test_a_corrupt_target_leaves_a_traceback_and_a_queued_job(runs: CheckoutRuns) -> None:
    corrupt = runs.folder / "corrupt.png"
    corrupt.write_bytes(b"no picture")

    ran = runs.run(corrupt, *ENHANCE)

    assert (ran.code, ran.jobs) == (1, ["queued"])
    assert "AttributeError: 'NoneType' object has no attribute 'shape'" in ran.errors


@pytest.mark.parametrize(
    "options",
    [
        ("--face-enhancer-blend", "101"),
        ("--face-enhancer-blend", "80.0"),
        ("--face-mask-blur", "0.33"),
        ("--face-selector-mode", "all"),
        ("--face-swapper-model", "inswapper_128", "--face-swapper-pixel-boost", "64x64"),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_refused_with_the_usage(
    runs: CheckoutRuns, grey: Path, options: tuple[str, ...]
) -> None:
    ran = runs.run(grey, *ENHANCE, *options)

    assert (ran.code, ran.jobs) == (2, [])
    assert ran.errors.startswith("usage: ")


def test_the_choices_of_the_pixel_boost_depend_on_the_model(runs: CheckoutRuns, grey: Path) -> None:
    model = ("--face-swapper-model", "inswapper_128", "--face-swapper-pixel-boost", "128x128")

    assert runs.run(grey, *ENHANCE, *model).code == 0


def test_processors_are_unknown_in_another_folder(runs: CheckoutRuns, grey: Path) -> None:
    arguments = runs.command(grey, *ENHANCE)

    with runs.start(arguments, cwd=runs.folder) as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "--processors: invalid choice: 'face_enhancer'" in errors


def test_the_operators_configuration_sets_defaults(runs: CheckoutRuns, grey: Path) -> None:
    configuration = runs.home / "facefusion.ini"
    text = configuration.read_text()
    configuration.write_text(text.replace("face_enhancer_blend =", "face_enhancer_blend = 0"))

    assert not (runs.run(grey, *ENHANCE).pixels - pixels_of(grey)).any()


def remove(home: Path) -> None:
    (home / ".assets" / "models" / "gfpgan_1.4.onnx").unlink()


def damage(home: Path) -> None:
    write_weights(home, "gfpgan_1.4", b"something", crc="00000000")


def spoil(home: Path) -> None:
    write_weights(home, "gfpgan_1.4", b"broken")


@pytest.mark.parametrize(
    ("change", "jobs", "message"),
    [
        (remove, ["failed"], "validating source for gfpgan_1.4 failed"),
        (damage, ["failed"], "deleting corrupt source for gfpgan_1.4"),
        (spoil, ["queued"], "loading model gfpgan_1.4 failed\n"),
    ],
)
def test_unusable_weights_are_named(
    runs: CheckoutRuns, grey: Path, change: Callable[[Path], None], jobs: list[str], message: str
) -> None:
    change(runs.home)

    ran = runs.run(grey, *ENHANCE)

    assert (ran.code, ran.jobs) == (1, jobs)
    assert message in ran.errors
    assert (runs.home / ".assets" / "models" / "gfpgan_1.4.onnx").exists() is (change is spoil)


def test_a_job_id_can_be_taken_once_a_second(runs: CheckoutRuns, grey: Path) -> None:
    arguments = runs.command(grey, *ENHANCE, "--log-level", "error")
    started = [runs.start(arguments) for _ in range(6)]

    texts_of_runs = [process.communicate(timeout=60) for process in started]

    codes = [process.returncode for process in started]
    assert set(codes) == {0, 1}
    assert ("", "") in [texts for texts, code in zip(texts_of_runs, codes, strict=True) if code]


def test_what_ran_can_be_counted(runs: CheckoutRuns, grey: Path) -> None:
    runs.run(grey, *ENHANCE)
    runs.run(grey, *AGE, "20")

    found = [
        (line["event"], line["processors"], line.get("code")) for line in operations(runs.home)
    ]
    assert found == [
        ("begin", ["face_enhancer"], None),
        ("end", ["face_enhancer"], 0),
        ("begin", ["age_modifier"], None),
        ("end", ["age_modifier"], 0),
    ]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("crash", 1, ""),
        ("kill", -signal.SIGKILL, ""),
        ("out of memory", 1, "requested buffer of size 1073741824"),
        ("leak 8", 0, ""),
        ("slow 0.1", 0, ""),
        ("progress", 0, "processing: 100%|==========| 1/1"),
        ("fine", 0, ""),
    ],
)
def test_it_misbehaves_once_for_each_line(
    runs: CheckoutRuns, grey: Path, line: str, code: int, message: str
) -> None:
    misbehave(runs.home, line)

    first = runs.run(grey, *ENHANCE)
    second = runs.run(grey, *ENHANCE)

    assert first.code == code
    assert message in first.errors
    assert second.code == 0
    assert not (runs.home / "misbehave").exists()


def test_a_hanging_run_has_begun_and_ends_when_killed(runs: CheckoutRuns, grey: Path) -> None:
    misbehave(runs.home, "hang")

    with runs.start(runs.command(grey, *ENHANCE)) as process:
        deadline = time.monotonic() + 30
        while not operations(runs.home) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == -signal.SIGTERM
    assert [line["event"] for line in operations(runs.home)] == ["begin"]


def keep_resident(runs: CheckoutRuns, *commands: list[str]) -> list[int]:
    """Run command lines in one process; give their codes."""
    ran = subprocess.run(
        [sys.executable, str(RESIDENT)],
        cwd=runs.home, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    codes: list[int] = json.loads(ran.stdout)
    return codes


def test_one_process_can_do_several_operations(runs: CheckoutRuns, grey: Path) -> None:
    commands = [runs.command(grey, *ENHANCE), runs.command(grey, *AGE, "30")]

    assert keep_resident(runs, *commands) == [0, 0]
    assert len({line["pid"] for line in operations(runs.home)}) == 1

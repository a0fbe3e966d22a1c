"""What answers and the status contain, and what they never contain."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from storycanvas.faces.contract import Phases
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EnhancementModel,
    EnhanceOperation,
)
from tests.support.facefusion.checkouts import Checkout, stand_in
from tests.support.facefusion.driven_host import MODES, Drive, DrivenHost, environment_of
from tests.support.facefusion.made_pictures import plain
from tests.support.paths import ROOT

OPERATIONS = (
    "enhance-face", "adjust-face", "swap-face", "edit-face", "mask-face", "detect-faces",
)  # fmt: skip
SPY = """
import os, pathlib
with (pathlib.Path(__file__).parents[1] / "environment.txt").open("a") as _seen:
    _seen.writelines(f"{name}={value}\\n" for name, value in os.environ.items())
"""
BROKEN = """
def create_box_mask(crop_vision_frame, face_mask_blur, face_mask_padding):
    raise RuntimeError("it broke in " + __file__)
"""
STATUS_COMMAND = "curl ADDRESS/api/v1/status"
ENHANCE_COMMAND = r"""
curl -X POST ADDRESS/api/v1/enhance-face \
  -H "Content-Type: application/json" \
  -d '{"source_path": "/path/test.jpg", "face_enhancer_model": "gfpgan_1.4"}'
"""
UNFIT = """
_plain = create_region_mask
def create_region_mask(*, crop, regions):
    return _plain(crop, regions)
"""


def test_the_status_shows_what_works_here(resident_host: DrivenHost) -> None:
    status = resident_host.ready()
    assert (status.status, status.engine) == ("ok", "facefusion")
    assert status.engine_version.startswith("3.")
    assert status.able == OPERATIONS
    assert {"gfpgan_1.4", "inswapper_128", "fran", "live_portrait"} <= set(status.models or ())
    assert "simswap_256" not in (status.models or ())


@pytest.mark.parametrize(
    ("name", "mode"), [("resident_host", "resident"), ("isolated_host", "isolated")]
)
def test_the_status_shows_how_facefusion_is_driven(
    request: pytest.FixtureRequest, name: str, mode: str
) -> None:
    host: DrivenHost = request.getfixturevalue(name)
    assert host.ready().engine_mode == mode


def test_an_answer_shows_how_it_was_made(driven_host: DrivenHost) -> None:
    answer = driven_host.done(EnhanceOperation(), plain()).answer
    status = driven_host.ready()
    assert (answer.engine, answer.engine_version) == ("facefusion", status.engine_version)
    assert answer.models == ("gfpgan_1.4", "yolo_face")
    assert answer.faces_detected == 1
    assert answer.stepped_down == ()
    assert answer.estimated_age is None
    assert any("processing to image succeeded" in line for line in answer.engine_log)


def test_an_answer_shows_its_phases(resident_host: DrivenHost) -> None:
    answer = resident_host.done(EnhanceOperation(), plain()).answer
    assert answer.phases is not None
    seconds = [getattr(answer.phases, name) for name in Phases.model_fields]
    assert min(seconds) >= 0
    assert answer.phases.engine == answer.processing_time_seconds > 0


def test_an_answer_has_no_path_of_the_machine(resident_host: DrivenHost) -> None:
    text = resident_host.done(EnhanceOperation(), plain()).answer.model_dump_json()
    for folder in (resident_host.checkout.home, resident_host.data_dir, ROOT, Path.home()):
        assert str(folder) not in text


def test_paths_in_facefusions_messages_are_not_shown(drive: Drive, own_checkout: Checkout) -> None:
    with (own_checkout.home / "facefusion" / "face_masker.py").open("a") as module:
        module.write(BROKEN)
    host = drive(own_checkout)
    error = host.post(EnhanceOperation(), plain()).json()["error"]
    assert error["code"] == "engine_failed"
    assert "it broke in" in error["message"]
    assert str(own_checkout.home) in host.log()
    for folder in (own_checkout.home, host.data_dir, ROOT, own_checkout.python.parent):
        assert str(folder) not in error["message"]


def test_no_secret_reaches_facefusion(drive: Drive, own_checkout: Checkout) -> None:
    with (own_checkout.home / "facefusion" / "__init__.py").open("a") as program:
        program.write(SPY)
    secrets = {"FACEFUSION_TOKEN": "made-up-token", "CUDA_KEY": "made-up-key", "MONGO_URL": "mongo"}
    host = drive(own_checkout, **secrets)
    assert host.post(DetectOperation(), plain()).status_code == 200
    seen = (own_checkout.home / "environment.txt").read_text()
    assert "PYTHONUNBUFFERED=1" in seen
    for name, value in secrets.items():
        assert f"{name}=" not in seen
        assert value not in seen
        assert value not in host.log()


@pytest.mark.parametrize("mode", MODES)
def test_a_facefusion_that_does_not_fit_is_refused_by_name(
    drive: Drive, own_checkout: Checkout, mode: str
) -> None:
    with (own_checkout.home / "facefusion" / "face_masker.py").open("a") as module:
        module.write(UNFIT)
    host = drive(own_checkout, *MODES[mode])
    assert host.ready().status == "failed"
    refused = host.post(EnhanceOperation(), plain())
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (503, "not_ready")
    assert "facefusion.face_masker.create_region_mask takes other arguments" in error["message"]
    assert "Check out an unmodified release of 3.5 to 3.8" in error["message"]
    assert error["message"] in host.log()


def test_ageing_is_unsupported_before_facefusion_3_6(drive: Drive, tmp_path: Path) -> None:
    host = drive(stand_in(tmp_path / "home", "3.5.4"))
    refused = host.post(AgeAdjustOperation(target_age=60), plain())
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["retryable"]) == (422, "unsupported", False)
    assert "3.5.4" in error["message"]
    assert "3.6" in error["message"]
    other = EnhanceOperation(enhancement_model=EnhancementModel.CODEFORMER)
    assert host.done(other, plain()).answer.engine_version == "3.5.4"


def test_another_facefusion_is_refused_by_name(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path / "home", "4.0.0")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "storycanvas.host", "--engine", "facefusion", "--port", "0"),
            *("--data-dir", str(tmp_path / "data")),
        ],
        cwd=ROOT, env=environment_of(checkout, tmp_path), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "FaceFusion 4.0.0 is not supported" in ended.stderr
    assert "3.8" in ended.stderr
    assert "Traceback" not in ended.stderr


def answer_to(command: str, host: DrivenHost) -> dict[str, object]:
    """Run one of StoryCanvas's own command lines with another address and path."""
    written = command.replace("ADDRESS", host.url).replace("/path", str(host.pictures))
    ended = subprocess.run(
        ["sh", "-c", written], capture_output=True, text=True, check=True, timeout=60
    )
    fields: dict[str, object] = json.loads(ended.stdout)
    return fields


def test_the_owners_question_for_the_status_is_answered(resident_host: DrivenHost) -> None:
    resident_host.ready()
    assert answer_to(STATUS_COMMAND, resident_host)["status"] == "ok"


def test_the_owners_enhancement_is_done(driven_host: DrivenHost) -> None:
    (driven_host.pictures / "test.jpg").write_bytes(plain())
    fields = answer_to(ENHANCE_COMMAND, driven_host)
    assert fields["success"] is True
    assert fields["faces_detected"] == 1
    assert driven_host.http.get(f"assets/{fields['output_path']}").status_code == 200

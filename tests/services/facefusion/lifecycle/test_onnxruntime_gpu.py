"""The real `onnxruntime-gpu` wheel: what it does without a GPU is told, and what with one.

`TEST_ONNXRUNTIME_GPU_PYTHON` names a Python that has FaceFusion's requirements and this wheel,
beside the variables that name FaceFusion itself. The wheel has 256 MB, so no requirements hold it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.operations import EnhanceOperation
from storycanvas.host.engines.facefusion.process.devices import read_gpus
from tests.support.facefusion.checkouts import HOME_VARIABLE, Checkout
from tests.support.facefusion.driven_host import Drive, environment_of
from tests.support.facefusion.made_pictures import brighter, plain
from tests.support.host.started_host import PROGRAM
from tests.support.paths import ROOT

GPU_PYTHON_VARIABLE = "TEST_ONNXRUNTIME_GPU_PYTHON"
pytestmark = pytest.mark.skipif(
    not (os.environ.get(GPU_PYTHON_VARIABLE) and os.environ.get(HOME_VARIABLE)),
    reason=f"{GPU_PYTHON_VARIABLE} names no Python with onnxruntime-gpu",
)
HAS_GPU = bool(read_gpus(os.environ))
USED = "cuda" if HAS_GPU else "cpu"


@pytest.fixture(scope="module")
def with_gpu_wheel(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    home = tmp_path_factory.mktemp("gpu") / "home"
    ignored = shutil.ignore_patterns("__pycache__", ".git")
    shutil.copytree(Path(os.environ[HOME_VARIABLE]), home, ignore=ignored)
    return Checkout(home, Path(os.environ[GPU_PYTHON_VARIABLE]))


def test_the_wheel_lists_cuda_wherever_it_is_installed(with_gpu_wheel: Checkout) -> None:
    code = "import onnxruntime; print(*onnxruntime.get_available_providers())"
    listed = subprocess.check_output([with_gpu_wheel.python, "-c", code], text=True)
    assert "CUDAExecutionProvider" in listed.split()


def test_the_doctor_reads_what_a_session_has(with_gpu_wheel: Checkout, tmp_path: Path) -> None:
    command = [*PROGRAM, "doctor", "--json", "--engine", "facefusion", "--port", "0"]
    ended = subprocess.run(
        [*command, "--data-dir", str(tmp_path)], cwd=ROOT, check=False, capture_output=True,
        env=environment_of(with_gpu_wheel, tmp_path), text=True, timeout=120,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(ended.stdout)["findings"]
    [gpu] = [finding for finding in found if finding["check"] == "gpu"]
    if HAS_GPU:
        assert (gpu["level"], "a session has cuda" in gpu["seen"]) == ("ok", True)
        return
    assert (gpu["level"], ended.returncode) == ("failed", 1)
    assert "a session that asks for cuda has the cpu alone" in gpu["seen"]
    assert "has the cpu alone: Failed to load library" in gpu["seen"]
    assert "CONDA_PREFIX" in gpu["fix"]


def test_the_status_and_answers_tell_what_is_used(with_gpu_wheel: Checkout, drive: Drive) -> None:
    host = drive(with_gpu_wheel, "--preload", "gfpgan_1.4")
    told = host.ready()
    answer = host.done(EnhanceOperation(), plain())
    for execution in (told.execution, answer.answer.execution):
        assert execution is not None
        assert (execution.asked[0], execution.used) == ("cuda", (USED,))
    assert brighter(plain(), answer.picture) > 10
    assert ("FaceFusion computes on cpu, not on cuda" in host.log()) is not HAS_GPU


def test_a_host_that_requires_the_gpu_serves_on_it_alone(
    with_gpu_wheel: Checkout, drive: Drive
) -> None:
    host = drive(with_gpu_wheel, "--require-gpu")
    told = host.ready()
    answer = host.post(EnhanceOperation(), plain())
    if HAS_GPU:
        assert (told.status, answer.status_code) == ("ok", 200)
        return
    assert told.status == "failed"
    assert "--require-gpu is set, and onnxruntime uses the CPU where cuda" in str(told.reason)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")

"""What FaceFusion's sessions really compute on is in the status and in each answer."""

import subprocess
from pathlib import Path

import psutil
import pytest

from storycanvas.faces.operations import EnhanceOperation
from tests.support.facefusion.checkouts import Checkout, make_executable, stand_in
from tests.support.facefusion.driven_host import Drive, DrivenHost, environment_of
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.made_pictures import plain
from tests.support.facefusion.stand_in.checkout import build_onnxruntime
from tests.support.host.started_host import PROGRAM, wait_until
from tests.support.paths import ROOT

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@pytest.fixture
def built_for_cuda(tmp_path: Path) -> Checkout:
    """A stand-in whose onnxruntime was built for CUDA, without CUDA's libraries."""
    checkout = stand_in(tmp_path / "home")
    build_onnxruntime(checkout.home, [CUDA, CPU], works=[CPU])
    return checkout


def test_the_cpu_is_told_with_the_memory_of_the_engine(resident_host: DrivenHost) -> None:
    execution = resident_host.done(EnhanceOperation(), plain()).answer.execution
    assert execution is not None
    assert (execution.used, execution.device) == (("cpu",), "CPU")
    assert execution.memory is not None
    assert 2**20 < execution.memory.used_bytes < execution.memory.total_bytes
    status = resident_host.client.status().execution
    assert status is not None
    assert (status.asked, status.used) == (("cpu",), ("cpu",))


def test_a_gpu_that_is_asked_for_and_not_used_is_told(
    built_for_cuda: Checkout, drive: Drive
) -> None:
    host = drive(built_for_cuda)
    execution = host.ready().execution
    assert execution is not None
    assert (execution.asked, execution.used) == (("cuda",), ("cpu",))
    answer = host.done(EnhanceOperation(), plain()).answer.execution
    assert answer is not None
    assert answer.used == ("cpu",)
    assert "computes on cpu, not on cuda" in host.log()


NVIDIA_SMI = """#!/bin/sh
echo '0, GPU-aaaa, First, 100, 24000'
echo '1, GPU-bbbb, Second, 300, 48000'
"""


def figures_of(host: DrivenHost) -> dict[str, float]:
    text = host.http.get(f"{host.url}/metrics").text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix("storycanvas_host_"): float(value) for name, value in lines}


def device_of(host: DrivenHost) -> str | None:
    execution = host.client.status().execution
    return execution and execution.device


def test_the_gpu_that_is_used_is_in_status_answers_and_metrics(
    built_for_cuda: Checkout, drive: Drive, tmp_path: Path
) -> None:
    build_onnxruntime(built_for_cuda.home, [CUDA, CPU], works=[CUDA, CPU])
    make_executable(tmp_path / "smi" / "nvidia-smi").write_text(NVIDIA_SMI)
    path = f"{tmp_path / 'smi'}:{environment_of(built_for_cuda, tmp_path)['PATH']}"
    host = drive(built_for_cuda, PATH=path, CUDA_VISIBLE_DEVICES="1")
    host.ready()
    wait_until(lambda: device_of(host) is not None)  # no answer waits for the GPU's driver
    answer = host.done(EnhanceOperation(), plain()).answer.execution
    for execution in (host.client.status().execution, answer):
        assert execution is not None
        assert (execution.asked, execution.used, execution.device) == (
            ("cuda",), ("cuda",), "Second",
        )  # fmt: skip
        assert execution.memory is not None
        assert execution.memory.total_bytes == 48000 * 2**20
    figures = figures_of(host)
    assert figures['execution_info{asked="cuda",device="Second",used="cuda"}'] == 1
    assert figures["gpu_memory_used_bytes"] == 300 * 2**20
    assert figures["gpu_memory_size_bytes"] == 48000 * 2**20


def test_the_metrics_tell_a_gpu_that_is_not_used_and_a_process_that_was_replaced(
    built_for_cuda: Checkout, drive: Drive
) -> None:
    host = drive(built_for_cuda)
    host.done(EnhanceOperation(), plain())
    [worker] = host.workers()
    psutil.Process(worker).kill()
    wait_until(lambda: is_gone(worker))
    host.done(EnhanceOperation(face_enhancer_blend=0.5), plain())
    figures = figures_of(host)
    assert figures['execution_info{asked="cuda",device="CPU",used="cpu"}'] == 1
    assert figures["engine_restarts_total"] == 1
    assert figures['memory_bytes{process="engine"}'] > 2**20
    assert "gpu_memory_used_bytes" not in figures


def test_a_host_that_requires_the_gpu_refuses_the_cpu(
    built_for_cuda: Checkout, drive: Drive
) -> None:
    host = drive(built_for_cuda, "--require-gpu")
    status = host.ready()
    assert status.status == "failed"
    assert "--require-gpu is set, and onnxruntime uses the CPU" in str(status.reason)
    answer = host.post(EnhanceOperation(), plain())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")


def test_a_host_that_requires_the_gpu_works_on_it(built_for_cuda: Checkout, drive: Drive) -> None:
    build_onnxruntime(built_for_cuda.home, [CUDA, CPU], works=[CUDA, CPU])
    host = drive(built_for_cuda, "--require-gpu")
    assert host.ready().status == "ok"
    execution = host.done(EnhanceOperation(), plain()).answer.execution
    assert execution is not None
    assert execution.used == ("cuda",)


def test_sessions_that_lose_the_gpu_are_noticed(built_for_cuda: Checkout, drive: Drive) -> None:
    """The library of one provider may load for a model of one node and not for a real one."""
    build_onnxruntime(built_for_cuda.home, [CUDA, CPU], works=[CUDA, CPU])
    host = drive(built_for_cuda, "--require-gpu")
    assert host.ready().status == "ok"
    build_onnxruntime(built_for_cuda.home, [CUDA, CPU], works=[CPU])
    answer = host.post(EnhanceOperation(), plain())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")


def test_a_gpu_that_real_models_lose_is_noticed_before_the_status_is_ok(
    built_for_cuda: Checkout, drive: Drive
) -> None:
    build_onnxruntime(built_for_cuda.home, [CUDA, CPU], works=[CPU], works_small=[CUDA, CPU])
    host = drive(built_for_cuda, "--require-gpu", "--preload", "gfpgan_1.4,detect")
    status = host.ready()
    assert (status.status, status.loading) == ("failed", ())
    assert "--require-gpu is set, and onnxruntime uses the CPU where cuda" in str(status.reason)


def test_an_ini_file_that_asks_for_what_is_not_there_is_told_as_that(
    own_checkout: Checkout, tmp_path: Path
) -> None:
    ini = own_checkout.home / "facefusion.ini"
    ini.write_text("[execution]\nexecution_providers = cuda\n")
    ended = subprocess.run(
        [*PROGRAM, "--engine", "facefusion", "--port", "0", "--data-dir", str(tmp_path / "data")],
        cwd=ROOT, env=environment_of(own_checkout, tmp_path), check=False, timeout=120,
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "facefusion.ini asks for cuda" in ended.stderr
    assert "install FaceFusion's requirements" not in ended.stderr

import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.host.started_host import (
    PROGRAM,
    RECORDING,
    ROOT,
    StartedHost,
    StartHost,
    calls,
    environment,
    wait_until,
)
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def start(start_host: StartHost, tmp_path: Path) -> StartHost:
    """Starts hosts that write down the calls of their engine."""
    return partial(start_host, program=(*RECORDING, str(tmp_path)))


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe at which each call of the engine waits."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


def test_the_program_serves_the_owners_request(host_process: StartedHost) -> None:
    body = {
        "source_path": str(ROOT / "samples" / "portrait.png"),
        "face_enhancer_model": "gfpgan_1.4",
    }
    answer = host_process.client.post("enhance-face", json=body).json()
    assert answer["engine"] == "preview"
    assert answer["faces_detected"] == 1
    assert host_process.client.get(f"assets/{answer['output_path']}").status_code == 200


def test_the_status_has_exactly_its_fields(host_process: StartedHost) -> None:
    status = host_process.client.get("status").json()
    assert list(status) == [
        "status", "engine", "engine_version", "engine_mode", "engine_loaded", "loading",
        "gpu_slots", "busy", "queued", "operations", "able", "models", "execution", "reason",
    ]  # fmt: skip
    assert (status["status"], status["engine"], status["gpu_slots"]) == ("ok", "preview", 1)


def refused_start(*arguments: str) -> str:
    """Return all that a program writes that does not start."""
    ended = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    return ended.stderr


def test_without_a_token_the_program_refuses_to_listen_for_others(tmp_path: Path) -> None:
    error = refused_start("--host", "0.0.0.0", "--data-dir", str(tmp_path / "data"))  # noqa: S104 - refused
    assert "FACEFUSION_TOKEN" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_log_file_has_what_standard_error_had_and_why_a_host_refuses(tmp_path: Path) -> None:
    options = ["--log-file", str(tmp_path / "log"), "--data-dir", str(tmp_path / "data")]
    error = refused_start("--host", "0.0.0.0", *options)  # noqa: S104 - refused

    assert error == ""
    assert "cannot start: " in (tmp_path / "log").read_text()


def test_a_taken_port_is_reported_in_a_sentence(host_process: StartedHost, tmp_path: Path) -> None:
    port = host_process.url.rpartition(":")[2]
    error = refused_start("--port", port, "--data-dir", str(tmp_path))
    told = f"127.0.0.1 port {port}: address already in use by "
    assert told in error.splitlines()[-1]
    assert f"(process {host_process.process.pid}); end that program" in error
    assert len(error.splitlines()) == 1
    assert "Traceback" not in error


def test_a_full_disk_at_the_start_is_reported_in_a_sentence() -> None:
    with small_disk(1) as disk:
        fill(disk, leave=0)
        error = refused_start("--port", "0", "--data-dir", str(disk / "data"))
    assert re.search(r"cannot start: .*(No space left on device|has no room)", error)
    assert "Traceback" not in error


def test_two_hosts_never_share_a_data_folder(start: StartHost, tmp_path: Path) -> None:
    host = start()
    error = refused_start("--port", "0", "--data-dir", str(tmp_path / "data"))
    assert "another host uses the folder" in error
    assert "--data-dir" in error
    host.kill()
    assert start().enhance().status_code == 200


def test_with_a_token_the_program_listens_for_others(start: StartHost) -> None:
    host = start(
        arguments=["--host", "0.0.0.0"],  # noqa: S104 - a token is set
        token="made-up-token",  # noqa: S106 - made up
    )
    port = host.url.rpartition(":")[2]
    asset = f"http://127.0.0.1:{port}/api/v1/assets/x"
    known = httpx.head(asset, headers={"Authorization": "Bearer made-up-token"})
    assert (httpx.head(asset).status_code, known.status_code) == (401, 400)
    assert "made-up-token" not in host.log()


def test_a_result_outlives_a_kill(start: StartHost, tmp_path: Path) -> None:
    first = start()
    answer = first.enhance()
    assert first.kill() == -signal.SIGKILL
    again = start().enhance()
    assert answer.status_code == 200
    assert again.content == answer.content
    assert calls(tmp_path) == 1


def test_an_operation_that_was_killed_can_be_done_again(
    start: StartHost, gate: Path, tmp_path: Path
) -> None:
    first = start()
    with ThreadPoolExecutor(1) as caller:
        lost = caller.submit(first.enhance)
        wait_until(lambda: calls(tmp_path) == 1)
        first.kill()
        assert isinstance(lost.exception(timeout=30), httpx.TransportError)
    gate.unlink()
    assert start().enhance().status_code == 200
    assert calls(tmp_path) == 2


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_the_running_operation_end_and_answer(
    start: StartHost, gate: Path, tmp_path: Path, name: signal.Signals
) -> None:
    host = start()
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(host.enhance)
        wait_until(lambda: calls(tmp_path) == 1)
        host.process.send_signal(name)
        wait_until(lambda: is_stopping(host))
        gate.write_bytes(b"go")
        assert answer.result(timeout=30).status_code == 200
    assert host.end() == 0


def test_a_stop_waits_for_an_operation_without_a_caller(
    start: StartHost, gate: Path, tmp_path: Path
) -> None:
    host = start(arguments=["--operation-seconds", "0.05"])
    assert host.enhance().status_code == 504
    host.process.terminate()
    wait_until(lambda: is_stopping(host))
    gate.write_bytes(b"go")
    assert host.end() == 0
    gate.unlink()
    assert start().enhance().status_code == 200
    assert calls(tmp_path) == 1


def test_a_stop_refuses_operations_that_wait(start: StartHost, gate: Path, tmp_path: Path) -> None:
    host = start()
    with ThreadPoolExecutor(2) as callers:
        running = callers.submit(host.enhance)
        wait_until(lambda: calls(tmp_path) == 1)
        waiting = callers.submit(host.enhance, key="another")
        wait_until(lambda: host.client.get("status").json()["queued"] == 1)
        host.process.terminate()
        refused = waiting.result(timeout=30)
        gate.write_bytes(b"go")
        assert running.result(timeout=30).status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0


def is_stopping(host: StartedHost) -> bool:
    return bool(host.client.get("status").json()["status"] == "stopping")


def test_the_log_holds_no_query_of_a_url(start: StartHost) -> None:
    host = start(arguments=["--allow-url-host", "127.0.0.1:1"])
    url = "http://127.0.0.1:1/face.png?signature=made-up-secret"
    host.client.post("enhance-face?also=made-up-secret", json={"source_path": url})
    assert host.end() == 0
    assert "picture_unreachable" in host.log()
    assert "made-up-secret" not in host.log()

import resource
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.errors import HostNotReady
from storycanvas.host.storage.disk import refused_when_full
from tests.support.host.pictures import numbered
from tests.support.host.started_host import RECORDING, StartedHost, StartHost

UNLIMITED = resource.RLIM_INFINITY


def limit_files(host: StartedHost, size: int) -> None:
    """Let the host write files of so many bytes at most, as on a disk that is nearly full."""
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


def assert_refused_for_now(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert (error["code"], error["retryable"]) == ("not_ready", True)
    assert "--keep-gib" in error["message"]
    assert int(answer.headers["retry-after"]) > 0


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def test_an_upload_to_a_full_disk_is_refused_for_now(start_host: StartHost, tmp_path: Path) -> None:
    host = start_host()
    limit_files(host, 100)
    assert_refused_for_now(host.client.post("assets", content=numbered(0)))
    assert_refused_for_now(host.client.post("assets", files={"file": numbered(0)}))
    assert [path for path in tmp_path.rglob("*") if path.suffix in {".part", ".png"}] == []
    limit_files(host, UNLIMITED)
    assert host.client.post("assets", content=numbered(0)).status_code == 200


@pytest.mark.parametrize("size", [50, 200], ids=["no room for the output", "none for the result"])
def test_an_operation_that_cannot_be_kept_can_be_asked_for_again(
    start_host: StartHost, tmp_path: Path, size: int
) -> None:
    host = start_host(program=(*RECORDING, str(tmp_path)))
    picture = host.upload(numbered(0))
    limit_files(host, size)
    assert_refused_for_now(host.enhance(picture))
    assert parts(tmp_path) == []
    limit_files(host, UNLIMITED)
    answer = host.enhance(picture).json()
    assert host.client.get(f"assets/{answer['output_path']}").status_code == 200


def test_a_full_device_is_a_refusal_with_a_remedy() -> None:
    with pytest.raises(HostNotReady, match="No space left"), refused_when_full():  # noqa: SIM117
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")


def test_another_error_of_the_disk_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), refused_when_full():
        (tmp_path / "missing" / "file").write_bytes(b"x")

"""The StoryCanvas app as a client: it names pictures by path or URL, uploads and downloads nothing,
sends no token, and stores `output_path` as the address that a browser is to show. The commands are
those of the guide's chapter for it, with other folders and ports.
"""

import functools
import http.server
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.facefusion.checkouts import programs, stand_in
from tests.support.host.started_host import PROGRAM, HostProcess, environment
from tests.support.paths import PORTRAIT, ROOT

(CHAPTER,) = re.findall(
    r"(?ms)^## For the StoryCanvas app\n(.*?)(?=^## )", (ROOT / "docs" / "gpu-host.md").read_text()
)
START, CHECK = re.findall(r"(?ms)^```console\n(.*?)^```", CHAPTER)

APP_SECONDS = 300
"""How long the app waits for an answer, queueing included."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@dataclass
class App:
    """What the app does: its folder of uploads, its server, and its calls of a host."""

    folder: Path
    address: str
    host: str

    def call(self, endpoint: str, **fields: object) -> dict[str, Any]:
        """Ask as `call_facefusion_api` of the app does; only status 200 is a success."""
        url = f"{self.host.rstrip('/')}/api/v1/{endpoint}"
        answer = httpx.post(url, json=fields, timeout=APP_SECONDS)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def is_online(self) -> bool:
        return httpx.get(f"{self.host}/api/v1/status", timeout=5).status_code == 200

    def shown(self, address: str) -> Image.Image:
        """Open a stored address as a browser does, relative to the app."""
        whole = address if "://" in address else f"http://{self.address}{address}"
        return Image.open(io.BytesIO(httpx.get(whole).raise_for_status().content))


def typed(block: str, replaced: dict[str, str]) -> list[str]:
    """Return the commands of a block of the chapter, for other places than those of the guide."""
    for place, own in replaced.items():
        assert place in block
        block = block.replace(place, own)
    return re.sub(r"(?m)^\$ ", "", block.replace("\\\n", "")).splitlines()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with its server, beside a host as the guide's chapter for it starts one."""
    folder = tmp_path_factory.mktemp("app")
    uploads = folder / "uploads"
    handler = functools.partial(_Quiet, directory=str(folder))
    facefusion = stand_in(folder.with_name("facefusion"))
    variables = {
        "FACEFUSION_HOME": str(facefusion.home),
        "FACEFUSION_PYTHON": str(facefusion.python),
        "PATH": programs(folder.with_name("bin")),
    }
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        places = {"/srv/app/backend/uploads": str(uploads), "localhost:8000": address}
        make, start = typed(START, places | {"7870": "0"})
        subprocess.run(shlex.split(make), check=True)
        shutil.copy(PORTRAIT, uploads / "face.png")
        name, *options = shlex.split(start)
        assert name == "storycanvas-host"
        data_dir = ["--data-dir", str(tmp_path_factory.mktemp("host"))]
        host = HostProcess([*PROGRAM, *options, *data_dir], environment() | variables)
        yield App(uploads, address, host.url)
        host.end()
        server.shutdown()


CALLS: dict[str, dict[str, object]] = {
    "enhance-face": {"face_enhancer_model": "gfpgan_1.4", "face_enhancer_blend": 1.0},
    "adjust-face": {"face_editor_age": 65, "face_editor_blend": 1.0},
    "mask-face": {"face_mask_types": ["box"], "face_selector_mode": "one"},
    "edit-face": {"face_editor_mouth_smile": 40},
}


@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("by", ["path", "url"])
def test_an_output_is_shown_under_the_stored_address(app: App, endpoint: str, by: str) -> None:
    picture = "/uploads/face.png" if by == "path" else f"http://{app.address}/uploads/face.png"

    answer = app.call(endpoint, source_path=picture, **CALLS[endpoint])

    stored = answer["output_path"]
    assert stored.startswith("/uploads/faces/")
    with Image.open(PORTRAIT) as portrait:
        assert app.shown(stored).size == portrait.size


def test_faces_are_found(app: App) -> None:
    answer = app.call(
        "detect-faces",
        source_path="/uploads/face.png",
        face_detector_model="yoloface",
        face_detector_size="640x640",
    )

    assert answer["total_faces"] == len(answer["faces"]) == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_check_of_the_chapter_finds_the_face(app: App) -> None:
    (check,) = typed(CHECK, {"127.0.0.1:7870": app.host.removeprefix("http://")})

    ended = subprocess.run(["bash", "-c", check], env=os.environ, capture_output=True, check=True)

    assert json.loads(ended.stdout)["total_faces"] == 1


def test_a_batch_of_the_app_takes_the_hosts_path_as_its_type(app: App) -> None:
    operations: list[dict[str, Any]] = [
        {"operation_type": "enhance-face", "parameters": {"face_enhancer_blend": 0.5}},
        {"operation_type": "adjust-face", "parameters": {"face_editor_age": 50}},
    ]
    for operation in operations:
        answer = app.call(
            operation["operation_type"], source_path="/uploads/face.png", **operation["parameters"]
        )
        assert answer["output_path"].startswith("/uploads/faces/")


def test_what_was_made_goes_on_as_an_input(app: App) -> None:
    enhanced = app.call("enhance-face", source_path="/uploads/face.png")["output_path"]
    aged = app.call("adjust-face", source_path=enhanced, face_editor_age=60)["output_path"]
    by_url = f"http://{app.address}{aged}"
    swapped = app.call(
        "swap-face",
        source_face_path=by_url,
        target_image_path="/uploads/face.png",
        face_swapper_model="inswapper_128",
    )["output_path"]

    assert len({enhanced, aged, swapped}) == 3
    assert app.shown(swapped).format == "PNG"


def test_published_files_are_readable_and_named_by_their_content(app: App) -> None:
    stored = app.call("enhance-face", source_path="/uploads/face.png")["output_path"]
    files = [*(app.folder / "faces").iterdir()]

    assert Path(stored).name in {file.name for file in files}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o644}
    assert all(file.suffix == ".png" and len(file.stem) == 64 for file in files)


def test_a_caller_that_uploads_still_gets_an_asset(app: App) -> None:
    url = f"{app.host}/api/v1/assets"
    asset = httpx.post(url, content=PORTRAIT.read_bytes()).json()["path"]
    before = {*(app.folder / "faces").iterdir()}

    answer = app.call("edit-face", source_path=asset, face_editor_mouth_smile=-40)

    assert answer["output_path"].startswith("asset:")
    assert {*(app.folder / "faces").iterdir()} == before


def test_a_kept_answer_shows_its_picture_again(app: App) -> None:
    def ask() -> str:
        url = f"{app.host}/api/v1/edit-face"
        body = {"source_path": "/uploads/face.png", "face_editor_mouth_pout": 30}
        answer = httpx.post(url, json=body, headers={"Idempotency-Key": "once"}, timeout=60)
        return str(answer.json()["output_path"])

    first = ask()
    (app.folder / "faces" / Path(first).name).unlink()

    assert ask() == first
    assert app.shown(first).format == "PNG"


@pytest.mark.parametrize(
    "path", ["/uploads/../secret.png", "/uploads/faces/../../secret.png", "/etc/hostname"]
)
def test_a_named_folder_leads_nowhere_else(app: App, path: str) -> None:
    shutil.copy(PORTRAIT, app.folder.parent / "secret.png")

    answer = httpx.post(f"{app.host}/api/v1/enhance-face", json={"source_path": path})

    assert answer.status_code == 400
    assert "outside of the folders" in answer.json()["error"]["message"]


def test_a_link_in_a_named_folder_leads_nowhere_else(app: App) -> None:
    shutil.copy(PORTRAIT, app.folder.parent / "secret.png")
    (app.folder / "link.png").symlink_to(app.folder.parent / "secret.png")

    body = {"source_path": "/uploads/link.png"}
    answer = httpx.post(f"{app.host}/api/v1/enhance-face", json=body)

    assert answer.status_code == 400


def test_the_host_is_online(app: App) -> None:
    assert app.is_online()


@pytest.mark.parametrize(("asked", "kind"), [("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("endpoint", CALLS)
def test_an_output_has_the_format_that_is_asked_for(
    app: App, endpoint: str, asked: str, kind: str
) -> None:
    answer = app.call(
        endpoint, source_path="/uploads/face.png", output_format=asked, **CALLS[endpoint]
    )

    stored = answer["output_path"]
    assert stored.endswith({"JPEG": ".jpg", "WEBP": ".webp"}[kind])
    assert app.shown(stored).format == kind
    again = app.call("detect-faces", source_path=stored)
    assert "faces" in again

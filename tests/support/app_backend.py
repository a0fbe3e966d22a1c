"""The app's own back end, started from a folder outside of this repository, and calls of its API.

`TEST_APP_BACKEND` names the folder, `TEST_APP_PYTHON` an interpreter with the packages that its
`requirements.txt` names (without `emergentintegrations`). It runs from a copy in which one line is
left out: its logging middleware replaces `request._receive`, which makes every POST answer 500.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

FOLDER = os.environ.get("TEST_APP_BACKEND", "")
PYTHON = os.environ.get("TEST_APP_PYTHON", sys.executable)
START_SECONDS = 60.0
BROKEN_LINE = "request._receive = receive"

Answer = tuple[int, Any]
Answers = dict[str, Answer]
Call = tuple[str, str, dict[str, Any] | None, str]
"""Method, path, body, and under which name the id in the answer is kept."""

OTHER_STATES = re.compile(r"health|metrics|queue|openai|/status|/info|/workflows|/next|generate")
"""Answers from memory, of other programs or of the moment."""
CHANGING = {"migration_undo", "deleted_at", "deleted_by"}
"""What this project adds to documents that the back end answers with as they are stored."""
GROWING = ("/api/models", "/api/active-models", "/api/backends", "/api/comfyui/servers")
"""Lists that flows add to."""

_THEN = datetime(2026, 11, 21, tzinfo=UTC)
LOCAL_MODEL: dict[str, Any] = {
    "id": "m-1",
    "name": "sd_xl_base_1.0.safetensors",
    "type": "checkpoint",
    **dict.fromkeys(("filename", "filepath", "hash", "civitai_info", "last_synced_at")),
    "server_source": "another-server",
    "configuration_presets": [],
    "metadata": {},
    "is_active": True,
    "created_at": _THEN,
    "updated_at": _THEN,
}
"""A local model as the back end stores it when it asks a server."""


def writes(number: int) -> Iterator[Call]:
    """What a client of the app writes: stories by both APIs, and everything around.

    Calls that answer 500 by themselves, on an empty database without anything of this project, are
    left out: in the newer API characters, styles, jobs of the queue and most deletions.
    """
    for part in (1, 2, 3, 4):
        yield from _story(f"Story {number}, part {part}")
    yield from _newer_story(number)
    yield from _faces()
    yield from _pool()
    yield from _servers(number)
    yield from _models()
    yield from _users(number)
    yield from _deletions()


def _story(name: str) -> Iterator[Call]:
    """A project, two scenes with four clips each, a character and a style."""
    yield "POST", "/api/projects", {"name": name}, "project_id"
    yield "PUT", "/api/projects/{project_id}", {"description": "At sea"}, ""
    for place in (2, 1):
        scene = {"project_id": "{project_id}", "name": f"Scene {place}", "order": place}
        yield "POST", "/api/scenes", scene, "scene_id"
        yield "PUT", "/api/scenes/{scene_id}", {"lyrics": "la"}, ""
        for order in (1, 0, 0, 0):
            clip = {"scene_id": "{scene_id}", "name": "Clip", "order": order, "length": 2.5}
            yield "POST", "/api/clips", clip, "clip_id"
            yield "PUT", "/api/clips/{clip_id}", {"image_prompt": "a boat"}, ""
            position = {"position": 10.0 * order}
            yield "PUT", "/api/clips/{clip_id}/timeline-position", position, ""
            yield "PUT", "/api/clips/{clip_id}/prompts?video_prompt=it+sails", None, ""
        yield "POST", "/api/clips/{clip_id}/create-alternate", None, ""
        yield "POST", "/api/scenes/{scene_id}/create-alternate", None, ""
    character = {"project_id": "{project_id}", "name": "Mira"}
    yield "POST", "/api/characters", character, "character_id"
    yield "PUT", "/api/characters/{character_id}", {**character, "lora": "mira"}, ""
    yield "POST", "/api/characters/{character_id}/apply/{clip_id}", None, ""
    style = {"name": f"Noir of {name}", "negative_prompt": "hands", "params": {"steps": 9}}
    yield "POST", "/api/style-templates", style, "template_id"
    yield "PUT", "/api/style-templates/{template_id}", style, ""
    yield "POST", "/api/style-templates/{template_id}/use", None, ""


def _newer_story(number: int) -> Iterator[Call]:
    yield "POST", "/api/v1/projects", {"name": f"Newer story {number}"}, "project_id"
    yield "PUT", "/api/v1/projects/{project_id}", {"description": "At sea"}, ""
    for place in (2, 1):
        scene = {"project_id": "{project_id}", "name": f"Scene {place}", "order": place}
        yield "POST", "/api/v1/scenes", scene, "scene_id"
        yield "PUT", "/api/v1/scenes/{scene_id}", {"lyrics": "la"}, ""
        for order in (1, 0, 0):
            clip = {"scene_id": "{scene_id}", "name": "Clip", "order": order, "length": 2.5}
            yield "POST", "/api/v1/clips", clip, "clip_id"
            prompts = {"image_prompt": "a boat", "video_prompt": "it sails"}
            yield "PUT", "/api/v1/clips/{clip_id}/prompts", prompts, ""


def _faces() -> Iterator[Call]:
    operation = {"operation_type": "enhance", "image_url": "a.png"}
    batch = {"operations": [operation], "facefusion_url": "http://127.0.0.1:1"}
    yield "POST", "/api/v1/facefusion/batch-process", batch, "job_id"
    yield "PUT", "/api/v1/facefusion/characters/{character_id}/settings", {}, ""


def _pool() -> Iterator[Call]:
    pooled = {"project_id": "{project_id}", "name": "Sea", "media_url": "/uploads/a.png"}
    for kind in ("video", "image", "image"):
        item = {**pooled, "content_type": kind, "source_type": "manual_upload"}
        yield "POST", "/api/pool", item, "item_id"
        yield "PUT", "/api/pool/item/{item_id}?name=The+sea", None, ""
        selected = f"content_id={{item_id}}&content_type={kind}"
        yield "PUT", f"/api/clips/{{clip_id}}/select-content?{selected}", None, ""


def _servers(number: int) -> Iterator[Call]:
    for place, base in enumerate(("/api/v1", "/api")):
        server = {"name": "Box", "url": f"http://127.0.0.{place + 1}:{number}"}
        yield "POST", f"{base}/comfyui/servers", server, "server_id"


def _models() -> Iterator[Call]:
    yield "POST", "/api/models/presets/global/sdxl", {"name": "Mine"}, "preset_id"
    yield "POST", "/api/models/{model_id}/presets", {"name": "Mine"}, "preset_id"
    yield "PUT", "/api/models/{model_id}/presets/{preset_id}", {"name": "Ours"}, ""
    yield "PUT", "/api/models/{model_id}", {"hash": "ab", "filepath": "/a.safetensors"}, ""
    sampler = {"steps": 9, "cfg_scale": 7, "sampler": "euler", "scheduler": "normal"}
    size = {"resolution_width": 512, "resolution_height": 512}
    own = {"base_model": "sdxl", "name": "Mine", **sampler, **size}
    yield "POST", "/api/v1/models/configurations/base/sdxl", own, "config_id"
    yield "POST", "/api/v1/models/{model_id}/configurations", own, "config_id"
    yield "PUT", "/api/v1/models/configurations/{config_id}", {"steps": 12}, ""


def _users(number: int) -> Iterator[Call]:
    for name in (f"User{number}x", f"user{number}\u00b2"):
        user = {"email": f"{name}@example.org", "username": name, "password": "long enough"}
        yield "POST", "/api/v1/api/v1/auth/register", user, ""
    yield "POST", "/api/v1/api/v1/auth/login", user, ""
    yield "PUT", "/api/v1/api/v1/auth/me/api-keys", {"openai": "key"}, ""


def _deletions() -> Iterator[Call]:
    """What a client makes and deletes again."""
    character = {"project_id": "{project_id}", "name": "Draft"}
    yield "POST", "/api/characters", character, "gone_character"
    yield "DELETE", "/api/characters/{gone_character}", None, ""
    yield "POST", "/api/style-templates", {"name": "Draft"}, "gone_template"
    yield "DELETE", "/api/style-templates/{gone_template}", None, ""
    yield "POST", "/api/comfyui/servers", {"name": "Gone", "url": "http://127.0.0.9:9"}, "gone_box"
    yield "DELETE", "/api/comfyui/servers/{gone_box}", None, ""
    yield "POST", "/api/models/{model_id}/presets", {"name": "Draft"}, "gone_preset"
    yield "DELETE", "/api/models/{model_id}/presets/{gone_preset}", None, ""


@dataclass
class AppClient:
    """A client of the back end.

    Attributes:
        ids: What stands for each name in a path, all values that were given.
        asked: Those that reads ask for, so that every round of reads asks for the same.
    """

    http: httpx.Client
    ids: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)

    def write(self, number: int) -> list[tuple[str, int]]:
        """Write everything once, and report the status of each call."""
        done = []
        for method, path, body, name in writes(number):
            last = {known: values[-1] for known, values in self.ids.items()}
            answer = self.http.request(method, _filled(path, last), json=_filled(body, last))
            content = answer.json() if answer.is_success else {}
            if name and content:
                given = content.get("id") or content.get("job_id")
                self.ids.setdefault(name, []).append(given)
            if "access_token" in content:
                self.http.headers["Authorization"] = f"Bearer {content['access_token']}"
            done.append((f"{method} {path}", answer.status_code))
        return done

    def read(self) -> Answers:
        """Ask for everything that the API has, for every id of the first round of writes."""
        self.asked = self.asked or {name: [*values] for name, values in self.ids.items()}
        named = {**self.asked, "backend_id": self.asked["server_id"]}
        fixed = {"model_name": ["sdxl"], "base_model": ["sdxl"], "base_model_type": ["sdxl"]}
        answers = {}
        for path in sorted(self._paths()):
            for filled in _every(path, {**named, **fixed}):
                answers[filled] = self._ask(filled)
        return answers

    def _ask(self, path: str) -> Answer:
        try:
            found = self.http.get(path)
        except httpx.TransportError:  # its middlewares close the connection at some errors
            return 0, None
        is_json = "json" in found.headers.get("content-type", "")
        return found.status_code, found.json() if is_json else found.text

    def _paths(self) -> list[str]:
        described = self.http.get("/openapi.json").json()["paths"]
        return [
            path
            for path, calls in described.items()
            if "get" in calls and not OTHER_STATES.search(path)
        ]


def _filled(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {name: _filled(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, ids) for part in value]
    return value


def _every(path: str, ids: Mapping[str, list[str]]) -> Iterator[str]:
    found = re.search(r"\{(\w+)\}", path)
    if found is None:
        yield path
        return
    for value in ids.get(found[1], []):
        yield from _every(path.replace(found[0], value), ids)


def differences(before: Answers, after: Answers) -> set[str]:
    """Name what a client sees otherwise, by the path of the API and of the field."""
    return {
        f"{path}: {where}"
        for path, answer in before.items()
        for where in _differing(answer, after[path], growing=path in GROWING)
    }


def _differing(was: Any, now: Any, *, growing: bool = False, where: str = "") -> Iterator[str]:  # noqa: ANN401
    if isinstance(was, dict) and isinstance(now, dict):
        for name in (was.keys() | now.keys()) - CHANGING:
            yield from _differing(was.get(name), now.get(name), where=f"{where}.{name}")
    elif growing and isinstance(was, list) and isinstance(now, list):
        known = {item["id"]: item for item in now}
        for item in was:
            yield from _differing(item, known.get(item["id"]), where=f"{where}[]")
    elif isinstance(was, list | tuple) and isinstance(now, list | tuple) and len(was) == len(now):
        for old, new in zip(was, now, strict=True):
            yield from _differing(old, new, growing=growing, where=f"{where}[]")
    elif was != now:
        yield f"{where} was {was!r:.200}, is {now!r:.200}"


@contextmanager
def app_backend(folder: Path, mongo_url: str, database: str) -> Iterator[AppClient]:
    """Start the back end on a database, and end it."""
    copy = folder / "backend"
    shutil.copytree(FOLDER, copy)
    middleware = copy / "utils" / "logging_middleware.py"
    middleware.write_text(middleware.read_text().replace(BROKEN_LINE, "pass"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "MONGO_URL": mongo_url, "DB_NAME": database, "PYTHONPATH": ""}
    command = [PYTHON, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", str(port)]
    log = (folder / "backend.log").open("w")
    process = subprocess.Popen(command, cwd=copy, env=environment, stdout=log, stderr=log)
    try:
        address, each = f"http://127.0.0.1:{port}", {"Connection": "close"}
        with httpx.Client(base_url=address, headers=each, timeout=30) as http:
            _wait(http, process)
            yield AppClient(http)
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            http.get("/openapi.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the back end did not start; its log is backend.log")

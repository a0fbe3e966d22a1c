from typing import Any

import httpx
import pytest

from storycanvas.faces.errors import NoFace
from storycanvas.host.api.errors import face_error_response
from tests.support.host.threaded_host import ThreadedHost, code

MISSING = f"asset:{'0' * 64}.png"
UNSET: Any = object()


@pytest.mark.parametrize(
    ("changes", "status", "error", "named"),
    [
        ({"source_path": UNSET}, 400, "bad_field", "source_path"),
        ({"source_path": 5}, 400, "bad_field", "source_path"),
        ({"source_path": ""}, 400, "bad_field", "source_path"),
        ({"source_path": "asset:../../etc/passwd"}, 400, "bad_field", "asset:"),
        ({"source_path": MISSING}, 404, "picture_not_found", MISSING),
        ({"blend": 1.0}, 400, "bad_field", "blend"),
        ({"age_adjustment_blend": 1.0}, 400, "bad_field", "age_adjustment_blend"),
        ({"face_editor_blend": "much"}, 400, "bad_field", "'much'"),
        ({"face_editor_blend": 1.5}, 422, "out_of_range", "1.5"),
        ({"face_editor_blend": -0.1}, 422, "out_of_range", "face_editor_blend"),
        ({"face_editor_age": UNSET}, 400, "bad_field", "face_editor_age"),
        ({"face_editor_age": 33.5}, 400, "bad_field", "33.5"),
        ({"face_editor_age": 101}, 422, "out_of_range", "101"),
        ({"face_editor_age": 10**30}, 422, "out_of_range", "face_editor_age"),
        ({"face_editor_age": 101, "blend": 1}, 400, "bad_field", "blend"),
        ({"face_mask_types": []}, 422, "out_of_range", "face_mask_types"),
        ({"face_mask_types": ["hat"]}, 400, "bad_field", "face_mask_types.0"),
        ({"face_selector_mode": "best"}, 400, "bad_field", "'best'"),
        ({"face_detector_size": "320x320"}, 400, "bad_field", "retinaface"),
        ({"operation_type": "swap"}, 400, "bad_field", "operation_type"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    host: ThreadedHost, picture: str, changes: dict[str, Any], status: int, error: str, named: str
) -> None:
    fields = {"source_path": picture, "face_editor_age": 30} | changes
    body = {name: value for name, value in fields.items() if value is not UNSET}
    answer = host.client.post("adjust-face", json=body)
    assert code(answer) == (status, error)
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe",
        b'{"source_path": "x", "face_editor_age": NaN}', b'{"\\ud800": 1}',
        b'{"source_path": "\\ud800", "face_editor_age": 30}',
        b'{"source_path": "/\\ud800", "face_editor_age": 30}',
        b'{"source_path": "http://127.0.0.1/\\ud800", "face_editor_age": 30}',
        b'{"source_path": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"face_editor_age": ' + b"9" * 5000 + b"}",
    ],
    ids=range(13),
)  # fmt: skip
def test_a_body_that_is_not_a_request_is_refused(host: ThreadedHost, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = host.client.post("adjust-face", content=body, headers=headers)
    assert code(answer) == (400, "bad_field")


def test_a_body_that_is_not_declared_as_json_is_refused(host: ThreadedHost, picture: str) -> None:
    body = f'{{"source_path": "{picture}", "face_editor_age": 30}}'
    answer = host.client.post("adjust-face", content=body, headers={"Content-Type": "text/plain"})
    assert code(answer) == (400, "bad_field")


def test_a_long_value_is_quoted_in_part_only(host: ThreadedHost, picture: str) -> None:
    fields = {"source_path": picture, "face_editor_age": "x" * 10_000, "y" * 10_000: 1}
    answer = host.client.post("adjust-face", json=fields)
    assert len(answer.json()["error"]["message"]) < 300


@pytest.mark.parametrize(
    ("age", "status", "error", "retryable"),
    [
        (1, 422, "no_face", False),
        (2, 422, "content_rejected", False),
        (3, 500, "engine_failed", False),
        (4, 500, "engine_failed", False),
    ],
)
def test_what_the_engine_raises_keeps_its_meaning(
    host: ThreadedHost, picture: str, age: int, status: int, error: str, retryable: bool
) -> None:
    answer = host.age(picture, age)
    assert code(answer) == (status, error)
    assert answer.json()["error"]["retryable"] is retryable


def test_a_message_that_utf_8_cannot_encode_is_escaped() -> None:
    assert b"half \\\\ud800" in face_error_response(NoFace("half \ud800")).body


def test_an_unforeseen_failure_shows_nothing_of_its_inside(
    host: ThreadedHost, picture: str
) -> None:
    assert "secret detail" not in host.age(picture, 4).text


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/index.html", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("POST", "/api/v1/enhance", 404, "not_found"),
        ("POST", "/api/v1/enhance-face/", 404, "not_found"),
        ("GET", "/api/v1/assets/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("GET", "/api/v1/assets/passwd", 400, "bad_field"),
        ("GET", f"/api/v1/assets/{'0' * 64}.png%00", 400, "bad_field"),
        ("GET", f"/api/v1/assets/{'0' * 64}.png%0a", 400, "bad_field"),
        ("GET", f"/api/v1/assets/{'0' * 64}.exe", 400, "bad_field"),
        ("GET", f"/api/v1/assets/{'0' * 64}.png", 404, "picture_not_found"),
        ("GET", "/api/v1/enhance-face", 405, "method_not_allowed"),
        ("PUT", f"/api/v1/assets/{'0' * 64}.png", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_refused_in_the_same_form(
    host: ThreadedHost, method: str, path: str, status: int, error: str
) -> None:
    assert code(httpx.request(method, f"{host.url}{path}")) == (status, error)

import io
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from storycanvas.faces.operations import (
    OPERATIONS,
    AgeAdjustOperation,
    FaceOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture, read_picture
from storycanvas.host.sources import picture_fields
from tests.support.host.pictures import encoded
from tests.support.host.threaded_host import ThreadedHost

REQUIRED: dict[str, dict[str, Any]] = {"adjust-face": {"face_editor_age": 50}}


def request_of(operation: type[FaceOperation], picture: str) -> dict[str, Any]:
    return dict.fromkeys(operation.pictures, picture) | REQUIRED.get(operation.path, {})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_each_operation_answers_with_engine_and_utc_time(
    host: ThreadedHost, picture: str, operation: type[FaceOperation]
) -> None:
    answer = host.client.post(operation.path, json=request_of(operation, picture))
    body = answer.json()
    assert answer.status_code == 200
    assert body["success"] is True
    assert (body["engine"], body["engine_version"]) == ("gated", "7")
    assert body["faces_detected"] == 1
    assert datetime.fromisoformat(body["completed_at"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.makes_picture],
    ids=lambda operation: operation.path,
)
def test_an_output_can_be_fetched(
    host: ThreadedHost, picture: str, operation: type[FaceOperation]
) -> None:
    body = host.client.post(operation.path, json=request_of(operation, picture)).json()
    output = host.client.get(f"assets/{body['output_path']}")
    assert output.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(output.content)).size == (8, 8)


def test_a_picture_that_follows_another_operation_is_not_decoded_again(
    host: ThreadedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def read(data: bytes, field: str) -> Picture:
        decoded.append(field)
        return read_picture(data, field)

    monkeypatch.setattr(picture_fields, "read_picture", read)
    asset = host.upload(encoded(colour="purple"))
    outputs = [host.age(asset, age).json()["output_path"] for age in (20, 30, 40)]
    again = host.age(outputs[-1]).json()
    assert host.client.get(f"assets/{again['output_path']}").status_code == 200
    assert decoded == ["source_path"]


def test_detect_answers_faces_instead_of_a_picture(host: ThreadedHost, picture: str) -> None:
    body = host.client.post("detect-faces", json={"source_path": picture}).json()
    assert "output_path" not in body
    assert body["total_faces"] == 1
    assert body["faces"] == [
        {"x": 1, "y": 2, "width": 3, "height": 4, "score": 0.9, "estimated_age": 31.0}
    ]


@pytest.mark.parametrize(
    ("path", "estimated"),
    [("detect-faces", 31.0), ("adjust-face", 31.0), ("mask-face", None)],
)
def test_the_age_estimate_comes_with_detect_and_adjust(
    host: ThreadedHost, picture: str, path: str, estimated: float | None
) -> None:
    body = {"source_path": picture} | REQUIRED.get(path, {})
    assert host.client.post(path, json=body).json().get("estimated_age") == estimated


def test_the_engine_gets_the_operation_by_its_stored_names(
    host: ThreadedHost, picture: str
) -> None:
    fields = {"source_path": picture, "face_editor_age": 62, "face_editor_blend": 0.5}
    host.client.post("adjust-face", json=fields)
    assert host.engine.calls[-1] == AgeAdjustOperation(target_age=62, age_adjustment_blend=0.5)


def test_the_engine_gets_the_pictures_in_the_order_of_the_operation(host: ThreadedHost) -> None:
    face, scene = host.upload(encoded(size=(5, 6))), host.upload(encoded(size=(7, 8)))
    fields = {"target_image_path": scene, "source_face_path": face}
    host.client.post("swap-face", json=fields)
    assert SwapOperation.pictures == ("source_face_path", "target_image_path")
    assert [picture.width for picture in host.engine.pictures[-2:]] == [5, 7]


def test_what_a_client_sends_from_an_operation_is_accepted_whole(
    host: ThreadedHost, picture: str
) -> None:
    for operation in OPERATIONS:
        made = operation(**({"target_age": 40} if operation is AgeAdjustOperation else {}))
        fields = made.model_dump(mode="json", by_alias=True)
        sent = fields | dict.fromkeys(operation.pictures, picture)
        assert host.client.post(operation.path, json=sent).status_code == 200, operation.path


def test_status_counts_engine_calls(host: ThreadedHost, picture: str) -> None:
    before = host.status()["operations"]
    host.age(picture)
    host.age("asset:nothing")
    assert host.status()["operations"] == before + 1


def test_the_document_lists_every_path_and_range(host: ThreadedHost) -> None:
    document = httpx.get(f"{host.url}/openapi.json").json()
    paths = {path.removeprefix("/api/v1/") for path in document["paths"]}
    schemas = document["components"]["schemas"]
    age = schemas["AgeAdjustRequest"]["properties"]["face_editor_age"]
    assert paths >= {operation.path for operation in OPERATIONS} | {"status", "assets"}
    assert set(document["paths"]["/api/v1/assets/{name}"]) == {"get", "head", "delete"}
    assert (age["minimum"], age["maximum"]) == (0, 100)
    assert schemas["EnhanceRequest"]["additionalProperties"] is False
    assert schemas["SwapRequest"]["required"] == ["source_face_path", "target_image_path"]
    assert "HTTPValidationError" not in schemas

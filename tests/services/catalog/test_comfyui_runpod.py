"""RunPod endpoints: their health is known, their models are not."""

import pytest

from storycanvas.catalog.comfyui.server import read_server
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer

KEY = "s3cr3t"

HEALTH = {
    "jobs": {"completed": 1, "failed": 5, "inProgress": 0, "inQueue": 2, "retried": 0},
    "workers": {"idle": 1, "running": 0},
}


@pytest.mark.parametrize(
    ("path", "endpoint_id"),
    [("/v2/abc123", None), ("/v2/abc123/run", None), ("", "abc123"), ("/v2/other", "abc123")],
)
def test_an_endpoint_tells_its_health_and_no_models(path: str, endpoint_id: str | None) -> None:
    with ComfyuiServer({"/v2/abc123/health": HEALTH}) as server:
        reading = read_server(
            server.url + path, kind="runpod", api_key=KEY, endpoint_id=endpoint_id
        )

    assert (reading.status, reading.capabilities, reading.listing) == ("online", HEALTH, None)
    assert reading.error == "RunPod lists no models, so those of this endpoint are unknown."
    assert [(request.path, request.headers["Authorization"]) for request in server.requests] == [
        ("/v2/abc123/health", f"Bearer {KEY}")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401),
        Answer(status=404),
        Answer(status=429),
        Answer({}),
        Answer([]),
        Answer({"jobs": None, "workers": None}),
        Answer({"jobs": {"inQueue": None}, "workers": {}}),
        Answer(b"<html>"),
    ],
    ids=["no key", "unknown", "busy", "empty", "a list", "nulls", "no numbers", "HTML"],
)
def test_an_endpoint_without_health_is_an_error(answer: Answer) -> None:
    with ComfyuiServer({"/v2/abc123/health": answer}) as server:
        reading = read_server(f"{server.url}/v2/abc123", kind="runpod", api_key=KEY)

    assert (reading.status, reading.capabilities, reading.listing) == ("error", None, None)
    assert KEY not in repr(reading)


@pytest.mark.parametrize("path", ["", "/v2/", "/v2/../x", "/v2/a%20b"])
def test_an_endpoint_without_an_id_is_not_asked(path: str) -> None:
    with ComfyuiServer({}) as server:
        reading = read_server(server.url + path, kind="runpod")

    assert reading.status == "error"
    assert server.requests == []

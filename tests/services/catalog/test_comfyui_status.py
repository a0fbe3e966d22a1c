"""Whether a server or a RunPod endpoint answers, and what no message contains."""

import pytest

from storycanvas.catalog.comfyui.server import read_server
from tests.support.catalog.comfyui_answers import BROKEN, folder_answers, read
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer

KEY = "s3cr3t"

NO_COMFYUI: dict[str, Answer] = {
    "null": Answer(b"null"),
    "a list": Answer([]),
    "an empty object": Answer({}),
    "another program": Answer({"status": "ok"}),
    "HTML": Answer(b"<html></html>"),
    "too long": Answer(b'{"system": "' + b"x" * 1_100_000 + b'"}'),
    "not there": Answer(status=404),
    "refused": Answer(status=401),
    "an error": Answer(status=500),
    "a redirect": Answer(status=302, headers={"Location": "/system_stats2"}),
}


@pytest.mark.parametrize("answer", NO_COMFYUI.values(), ids=NO_COMFYUI)
def test_an_answer_of_no_use_is_an_error_without_a_listing(answer: Answer) -> None:
    reading, paths = read(folder_answers() | {"/system_stats": answer})

    assert (reading.status, reading.listing) == ("error", None)
    assert reading.error
    assert paths == ["/system_stats"]


def test_a_server_that_is_not_there_is_offline() -> None:
    with ComfyuiServer({}) as server:
        url = server.url
    reading = read_server(url)

    assert (reading.status, reading.seconds, reading.listing) == ("offline", None, None)
    assert reading.error


def test_a_server_without_an_answer_is_offline() -> None:
    with ComfyuiServer({"/system_stats": Answer(is_held_back=True)}) as server:
        reading = read_server(server.url, status_seconds=0.2)

    assert (reading.status, reading.seconds) == ("offline", None)


@pytest.mark.parametrize("url", ["", "gpu-box:8188", "ftp://gpu-box", f"http://a:{KEY}@[::1"])
def test_an_invalid_address_is_an_error_in_words(url: str) -> None:
    reading = read_server(url)

    assert reading.status == "error"
    assert KEY not in str(reading)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_no_reading_contains_a_secret(broken: Answer) -> None:
    answers = folder_answers() | {"/models/loras": broken, "/api/assets": broken}
    with ComfyuiServer(answers) as server:
        url = server.url.replace("://", f"://user:{KEY}@") + f"/?token={KEY}"
        reading = read_server(url, api_key=KEY)

    assert reading.listing is not None
    assert KEY not in repr(reading)


def test_a_standard_server_gets_its_key() -> None:
    with ComfyuiServer(folder_answers()) as server:
        read_server(server.url, api_key=KEY)

    assert {request.headers.get("Authorization") for request in server.requests} == {
        f"Bearer {KEY}"
    }


HEALTH = {
    "jobs": {"completed": 1, "failed": 5, "inProgress": 0, "inQueue": 2, "retried": 0},
    "workers": {"idle": 1, "running": 0},
}


@pytest.mark.parametrize(
    ("path", "endpoint_id"),
    [("/v2/abc123", None), ("/v2/abc123/run", None), ("", "abc123"), ("/v2/other", "abc123")],
)
def test_an_endpoint_reports_its_health_and_no_models(path: str, endpoint_id: str | None) -> None:
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

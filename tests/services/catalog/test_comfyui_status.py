"""Whether a server is there, and what no message tells."""

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


def test_a_server_that_says_nothing_is_offline() -> None:
    with ComfyuiServer({"/system_stats": Answer(is_held_back=True)}) as server:
        reading = read_server(server.url, status_seconds=0.2)

    assert (reading.status, reading.seconds) == ("offline", None)


@pytest.mark.parametrize("url", ["", "gpu-box:8188", "ftp://gpu-box", f"http://a:{KEY}@[::1"])
def test_what_is_no_address_is_an_error_in_words(url: str) -> None:
    reading = read_server(url)

    assert reading.status == "error"
    assert KEY not in str(reading)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_no_reading_tells_a_secret(broken: Answer) -> None:
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

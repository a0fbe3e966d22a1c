"""What hosts say in the tests of the client."""

import json

from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.net.retry import RetryPolicy
from tests.support.host.pictures_made import encoded
from tests.support.host.scripted_host import Said

AT_ONCE = RetryPolicy(tries=3, first_wait=0.0)
LOOK = DetectOperation()
INPUT = [f"asset:{'0' * 64}.png"]
PICTURE = read_picture(encoded(), "a picture")
NAME = f"asset:{PICTURE.asset_name}"
STORED = Said(body=json.dumps({"path": NAME}).encode())
LACKING = Said(404)
DONE = Said(
    body=json.dumps(
        {
            "processing_time_seconds": 1,
            "engine": "e",
            "engine_version": "1",
            "completed_at": "2026-11-21T12:00:00Z",
        }
    ).encode()
)


def refused(status: int, code: str, *, retryable: bool, **headers: str) -> Said:
    body = {"error": {"code": code, "message": "So.", "retryable": retryable}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, json.dumps(body).encode(), named)

"""What a host under attack must never answer."""

import json
from typing import Any

from pydantic import ValidationError

from storycanvas.faces.contract import API, ErrorAnswer, OperationAnswer
from storycanvas.host.api.document import DOCUMENT
from tests.support.raw_http import Framing, RawAnswer, RawRequest
from tests.system.fuzz.hostile_places import Places

STATUSES = {200, 202, 204, 400, 401, 404, 405, 409, 413, 415, 422, 429, 500, 503, 504}
"""All that the contract knows, and 405 for a method that a path does not have."""
_OK = 200
_ERRORS = 400
_SERVER_ERROR = 500
_LONG_HEADER = 10_000
_KNOWING = {200, 404, 415}
"""Answers that show that the host read a picture."""
UNFORESEEN = "failed unexpectedly"
_PATHS: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
_NO_HTTP = b"Invalid HTTP request received."


def faults(request: RawRequest, answer: RawAnswer, places: Places, longest: float) -> list[str]:
    """List what is wrong with an answer.

    Args:
        request: What was sent.
        answer: What came back.
        places: Which pictures may be read.
        longest: Seconds that a request may take.
    """
    found = []
    if answer.timed_out and request.framing is not Framing.TOO_SHORT:
        found.append("no answer")
    if answer.seconds > longest:
        found.append("took too long")
    if answer.status == 0 or answer.body == _NO_HTTP:
        return found + ([] if _may_stay_silent(request) else ["connection closed"])
    if answer.status not in STATUSES or not _is_documented(request, answer):
        found.append(f"status {answer.status}")
    if answer.status >= _ERRORS and request.method != b"HEAD":
        found += _error_faults(answer)
    return found + _picture_faults(request, answer, places)


def _is_documented(request: RawRequest, answer: RawAnswer) -> bool:
    """Tell whether the contract's document lists the status, if it knows path and method."""
    path = request.target.decode("latin-1").partition("?")[0]
    for folder, part in (("assets", "name"), ("operations", "operation_id")):
        if path.count("/") == 4 and path.startswith(f"{API}/{folder}/"):
            path = f"{API}/{folder}/{{{part}}}"
    call = _PATHS.get(path, {}).get(request.method.decode().lower())
    known = call is None or not request.method.isupper() or str(answer.status) in call["responses"]
    # Every body is bounded, also one that comes with a call that takes none.
    known |= answer.status == 413 and request.framing is Framing.HUGE
    # So is a length that is told twice.
    known |= answer.status == 400 and _has_two_lengths(request)
    # A name with a slash in it, encoded, is another path.
    return known or (b"%2f" in request.target and answer.status == 404)


def _has_two_lengths(request: RawRequest) -> bool:
    head = request.encode().partition(b"\r\n\r\n")[0].lower()
    return b"\r\ncontent-length:" in head and b"\r\ntransfer-encoding:" in head


def _may_stay_silent(request: RawRequest) -> bool:
    """Tell whether Uvicorn may refuse a request that is not HTTP in its own words."""
    hosts = [name for name, _ in request.headers].count(b"Host")
    odd_header = any(
        b" " in name or name == b"Transfer-Encoding" or set(value) & {0, 11}
        or (name == b"Content-Length") or len(value) > _LONG_HEADER
        for name, value in request.headers
    )  # fmt: skip
    usual = {Framing.LENGTH, Framing.CHUNKED, Framing.NONE}
    return hosts != 1 or odd_header or request.framing not in usual or b"#" in request.target


def _error_faults(answer: RawAnswer) -> list[str]:
    try:
        error = ErrorAnswer.model_validate_json(answer.body, extra="forbid").error
    except ValidationError:
        return [f"status {answer.status} with a body of its own: {answer.body[:80]!r}"]
    if answer.kind != "application/json" or not error.message.endswith("."):
        return [f"an error of another form: {error.message[:80]!r}"]
    if answer.status == _SERVER_ERROR and (
        error.code != "engine_failed" or UNFORESEEN in error.message
    ):
        return [f"an unforeseen error: {error.code}"]
    return []


def _picture_faults(request: RawRequest, answer: RawAnswer, places: Places) -> list[str]:
    """A refused picture must be unknown altogether; only the first one is surely looked at."""
    if request.pictures and request.pictures[0] in places.refused and answer.status in _KNOWING:
        return [f"looked at {request.pictures[0]!r}"]
    if answer.status != _OK or not request.pictures:
        return []
    worked_on = [value for value in request.pictures if value not in places.good]
    if worked_on:
        return [f"worked on {worked_on[0]!r}"]
    OperationAnswer.model_validate_json(answer.body)
    return []

"""A thousand hostile requests, the same in each run; `make fuzz` sends ten thousand."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.raw_http import Framing, RawAnswer, RawRequest
from tests.system.fuzz.hostile_places import Places
from tests.system.fuzz.verdicts import faults

MAX_SECONDS = 30.0


def test_a_thousand_hostile_requests_break_no_claim_of_the_host() -> None:
    command = [sys.executable, "-m", "tests.system.fuzz", "1000"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


OUTSIDE = "/outside.png"
PLACES = Places(good=("/good.png",), refused=(OUTSIDE,), useless=(), slow=(), canary=Path())
ASKED = RawRequest(b"POST", b"/", ((b"Host", b"x"),), pictures=(OUTSIDE,))
REFUSED = b'{"error":{"code":"bad_field","message":"No.","retryable":false}}'
BROKEN = b'{"error":{"code":"engine_failed","message":"It failed unexpectedly.","retryable":false}}'


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (RawAnswer(400, "application/json", REFUSED, 0.1), ""),
        (RawAnswer(404, "application/json", REFUSED, 0.1), "looked at"),
        (RawAnswer(200, "application/json", b"{}", 0.1), "looked at"),
        (RawAnswer(400, "text/plain", REFUSED, 0.1), "another form"),
        (RawAnswer(400, "application/json", b"Oh", 0.1), "a body of its own"),
        (RawAnswer(418, "application/json", REFUSED, 0.1), "status 418"),
        (RawAnswer(500, "application/json", REFUSED, 0.1), "unforeseen"),
        (RawAnswer(500, "application/json", BROKEN, 0.1), "unforeseen"),
        (RawAnswer(400, "application/json", REFUSED, 99.0), "too long"),
        (RawAnswer(0, "", b"", 0.1), "connection closed"),
        (RawAnswer(0, "", b"", 0.1, timed_out=True), "no answer"),
    ],
    ids=["fine", "known", "done", "kind", "form", "status", "code", "unforeseen", "slow", "shut",
         "hang"],
)  # fmt: skip
def test_a_fault_of_the_host_would_be_seen(answer: RawAnswer, fault: str) -> None:
    found = faults(ASKED, answer, PLACES, MAX_SECONDS)
    assert fault in "".join(found)
    assert bool(found) is bool(fault)


def test_a_body_that_ends_too_early_needs_no_answer() -> None:
    request = RawRequest(b"POST", b"/", ((b"Host", b"x"),), framing=Framing.TOO_SHORT)
    answer = RawAnswer(0, "", b"", 0.1, timed_out=True)
    assert faults(request, answer, PLACES, MAX_SECONDS) == []

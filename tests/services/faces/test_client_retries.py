import threading
from email.utils import formatdate

import pytest
import stamina

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.errors import FaceError, HostFull, HostNotReady, HostUnreachable
from storycanvas.net.retry import RetryPolicy
from tests.support.host.scripted_host import (
    AT_ONCE,
    DONE,
    INPUT,
    LOOK,
    Scripted,
    ScriptedHost,
    refused,
)

HTML = b"<html>Now what</html>"
PASSING = {
    "full": refused(429, "queue_full", retryable=True),
    "not ready": refused(503, "not_ready", retryable=True),
    "timed out": refused(504, "timed_out", retryable=True),
    "unknown but passing": refused(500, "of_a_newer_host", retryable=True),
    "known as final but passing": refused(500, "engine_failed", retryable=True),
    "a proxy": Scripted(502, HTML),
    "no answer": Scripted(drops=True),
    "half an answer": Scripted(body=DONE.body, sends=9),
}
FINAL = {
    "no face": refused(422, "no_face", retryable=False),
    "broken engine": refused(500, "engine_failed", retryable=False),
    "known as passing but final": refused(429, "queue_full", retryable=False),
    "refused token": Scripted(401),
    "error without a body": Scripted(500, HTML),
    "full without a body": Scripted(429, HTML),
    "elsewhere": Scripted(307, headers={"Location": "/"}),
    "no host at all": Scripted(200, HTML),
}


def operate(host: ScriptedHost, retries: RetryPolicy = AT_ONCE) -> None:
    with FaceHostClient(host.url, retries=retries) as client:
        client.operate(LOOK, INPUT, "key-1")


@pytest.mark.parametrize("said", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_asked_again_with_the_same_key(said: Scripted) -> None:
    with ScriptedHost(said, DONE) as host:
        operate(host)

    first, second = host.arrived
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "key-1"
    assert (first.path, first.body) == (second.path, second.body)


@pytest.mark.parametrize("said", FINAL.values(), ids=FINAL)
def test_what_is_refused_for_good_is_asked_once(said: Scripted) -> None:
    with ScriptedHost(said) as host, pytest.raises(FaceError) as refusal:
        operate(host)

    assert not refusal.value.retryable
    assert len(host.arrived) == 1


@pytest.mark.parametrize("said", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_fails_after_so_many_tries(said: Scripted) -> None:
    with ScriptedHost(said) as host, pytest.raises(FaceError) as refusal:
        operate(host, AT_ONCE)

    assert refusal.value.retryable
    assert len(host.arrived) == AT_ONCE.tries


@pytest.mark.parametrize(
    "after", ["0", formatdate(0, usegmt=True)], ids=["seconds", "a date that has passed"]
)
def test_a_host_that_says_when_is_asked_then(after: str) -> None:
    never = RetryPolicy(first_wait=1e6, longest_wait=1e6)

    with ScriptedHost(refused(503, "not_ready", retryable=True, Retry_After=after), DONE) as host:
        operate(host, never)

    assert len(host.arrived) == 2


def test_a_host_that_wants_more_time_than_there_is_fails_the_call_at_once() -> None:
    full = refused(429, "queue_full", retryable=True, Retry_After="60")

    with ScriptedHost(full) as host, pytest.raises(HostFull) as refusal:
        operate(host, RetryPolicy())

    assert refusal.value.retry_after == 60
    assert len(host.arrived) == 1


def test_each_operation_has_its_own_longest_wait() -> None:
    hasty = Timeouts(answers={LOOK.path: 0.05})

    with (
        ScriptedHost(Scripted(hangs=True)) as host,
        FaceHostClient(host.url, timeouts=hasty, retries=AT_ONCE) as client,
        pytest.raises(HostUnreachable, match="did not answer in time"),
    ):
        client.operate(LOOK, INPUT, "key-1")

    assert len(host.arrived) == AT_ONCE.tries


def test_a_second_wait_is_only_as_long_as_what_is_left() -> None:
    waits: list[float] = []

    def never(seconds: float) -> None:
        waits.append(seconds)
        threading.Event().wait(seconds)
        raise HostUnreachable("It does not answer.")

    with pytest.raises(HostUnreachable):
        RetryPolicy(tries=2, first_wait=0.0, longest_wait=0.01, patience=0.1).call(never, 0.4)

    assert waits[0] == 0.4
    assert waits[1] <= 0.1 + 1e-9


def test_no_try_begins_when_patience_is_at_its_end() -> None:
    tries: list[float] = []

    def busy(seconds: float) -> None:
        tries.append(seconds)
        raise HostNotReady("Not now.")

    with stamina.set_testing(False), pytest.raises(HostNotReady):
        RetryPolicy(tries=1000, first_wait=0.01, longest_wait=0.01, patience=0.1).call(busy, 1.0)

    assert 1 < len(tries) <= 1 + 0.1 / 0.01

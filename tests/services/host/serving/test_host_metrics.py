"""`GET /metrics`: figures that equal the log, names by Prometheus' conventions, few series."""

import logging
import re
import shutil
import subprocess
from collections import Counter

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.host.fixtures import FAILURES
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.threaded_host import OpenHost, ThreadedHost

ENDED = re.compile(r"^(\S+) (\S+): waited \S+ s, engine \S+ s$")
PROMTOOL = shutil.which("promtool")
TOKEN = "made-up-token"  # noqa: S105 - made up

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def text_of(host: ThreadedHost, token: str = "") -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(f"{host.url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def samples_of(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ended(samples: Samples) -> Counter[tuple[str, str]]:
    return Counter({
        (dict(labels)["operation"], dict(labels)["outcome"]): int(value)
        for (name, labels), value in samples.items()
        if name == "storycanvas_host_operations_total" and value
    })  # fmt: skip


def logged(records: list[logging.LogRecord]) -> Counter[tuple[str, str]]:
    lines = (ENDED.match(record.getMessage()) for record in records)
    return Counter((line[1], line[2]) for line in lines if line)


@pytest.fixture
def busy(open_host: OpenHost, caplog: pytest.LogCaptureFixture) -> ThreadedHost:
    """A host after 40 operations, some of which failed, one whose key came twice, and refusals."""
    caplog.set_level(logging.INFO)
    host = open_host(GatedEngine(fails_at=FAILURES), queue=100)
    picture = host.upload(encoded())
    running = [host.age_meanwhile(picture, number % 8) for number in range(38)]
    assert {answer.result(timeout=30).status_code for answer in running} == {200, 422, 500}
    host.age(picture, 9, key="twice")
    host.age(picture, 9, key="twice")
    host.client.post("detect-faces", json={"source_path": picture})
    host.client.post("detect-faces", json={})
    host.client.get("assets/nothing")
    httpx.get(f"{host.url}/nothing", headers={"Host": "evil.example"})
    httpx.get(f"{host.url}/nothing")
    return host


def test_the_figures_equal_the_log(busy: ThreadedHost, caplog: pytest.LogCaptureFixture) -> None:
    samples = samples_of(text_of(busy))
    assert ended(samples) == logged(caplog.get_records("setup"))
    assert ended(samples) == {
        ("adjust-face", "succeeded"): 19,
        ("adjust-face", "no_face"): 5,
        ("adjust-face", "content_rejected"): 5,
        ("adjust-face", "engine_failed"): 10,
        ("detect-faces", "succeeded"): 1,
    }
    engine = (("operation", "adjust-face"), ("phase", "engine"))
    assert samples["storycanvas_host_operation_phase_seconds_count", engine] == 39
    refusals = {
        dict(labels)["code"]: value
        for (name, labels), value in samples.items()
        if name == "storycanvas_host_refusals_total"
    }
    assert refusals == {
        "no_face": 5, "content_rejected": 5, "engine_failed": 10,
        "bad_field": 2, "not_found": 1, "unauthorized": 1,
    }  # fmt: skip


def test_what_is_so_now_can_be_read(open_host: OpenHost) -> None:
    host = open_host(gated=True, slots=2, connections=100)
    picture = host.upload(encoded())
    running = [host.age_meanwhile(picture, age) for age in range(5)]
    host.engine.began.get(timeout=30)
    host.engine.began.get(timeout=30)
    samples = {name: value for (name, labels), value in samples_of(text_of(host)).items()}
    assert samples["storycanvas_host_slots"] == 2
    assert samples["storycanvas_host_ready"] == 1
    assert samples["storycanvas_host_operations_running"] == 2
    assert 0 <= samples["storycanvas_host_operations_waiting"] <= 3
    assert samples["storycanvas_host_memory_bytes"] > 1_000_000
    assert 3 <= samples["storycanvas_host_connections"] <= 10
    assert samples["storycanvas_host_connections_limit"] == 100
    assert samples["storycanvas_host_engine_restarts_total"] == 0
    host.engine.let_through(5)
    assert {answer.result(timeout=30).status_code for answer in running} == {200}


def test_strangers_add_no_series(busy: ThreadedHost) -> None:
    before = samples_of(text_of(busy)).keys()
    for number in range(20):
        busy.client.get(f"assets/x{number}", headers={"X-Any": str(number)})
        busy.client.request(f"M{number}", f"path-{number}")
        busy.client.post("adjust-face", json={f"field-{number}": number})
    added = samples_of(text_of(busy)).keys() - before
    assert {dict(labels)["code"] for _, labels in added} <= {"method_not_allowed"}
    assert len(before) < 500


def test_the_metrics_need_the_token(open_host: OpenHost) -> None:
    host = open_host(token=TOKEN)
    assert httpx.get(f"{host.url}/metrics").status_code == 401
    assert "storycanvas_host_refusals_total" in text_of(host, TOKEN)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is in Debian's package prometheus")
def test_promtool_is_content_with_the_names(busy: ThreadedHost) -> None:
    checked = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=text_of(busy), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

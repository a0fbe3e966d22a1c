"""The operator's page: what opens it, and that this opens nothing else."""

import base64
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from storycanvas.faces.contract import OperationStatus, Phases
from storycanvas.host.operations.records import OperationRecord, OperationRecords
from storycanvas.host.page.activity import Activity
from storycanvas.host.page.passes import PASS_SECONDS, PagePasses
from storycanvas.host.page.routes import FILES, PAGE_PATHS, PASS_PATH
from storycanvas.host.tokens import Caller, Tokens
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

TOKEN, APP, BATCH = "page-made-up-token-ü", "app-made-up-token", "batch-made-up-token"
TABLES = f"[app]\ntoken = '{APP}'\n[batch]\ntoken = '{BATCH}'\nwaiting = 2\n"
ODD = {b"Authorization": b"Basic \xff="}
READ = sorted(PAGE_PATHS - {PASS_PATH})
API_PATHS = [
    ("POST", "/api/v1/enhance-face"), ("POST", "/api/v1/adjust-face"),
    ("POST", "/api/v1/assets"), ("GET", f"/api/v1/assets/{'0' * 64}.png"),
    ("GET", "/api/v1/operations"), ("GET", f"/api/v1/operations/{'0' * 32}"),
    ("DELETE", f"/api/v1/operations/{'0' * 32}"), ("GET", "/metrics"), ("GET", "/page/activity"),
    ("GET", "/page/"), ("GET", "//"), ("GET", "/docs/"), ("GET", "/nothing-here"),
]  # fmt: skip


def basic(password: str, user: str = "anyone") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode()}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedHost]:
    with ThreadedHost(GatedEngine(), tmp_path_factory.mktemp("page"), token=TOKEN) as host:
        yield host


@pytest.fixture
def named(open_host: OpenHost, tmp_path: Path) -> ThreadedHost:
    """A host with named tokens, whose engine waits."""
    path = tmp_path / "tokens.toml"
    path.write_text(TABLES)
    path.chmod(0o600)
    return open_host(gated=True, queue=16, tokens_file=path)


def ask(host: ThreadedHost, method: str, path: str, **options: object) -> httpx.Response:
    return host.client.request(method, f"{host.url}{path}", **options)  # type: ignore[arg-type]


def pass_for(host: ThreadedHost, token: str) -> str:
    return str(ask(host, "POST", PASS_PATH, headers=basic(token)).json()["pass"])


@pytest.mark.parametrize("path", READ)
def test_the_token_as_password_opens_the_page(guarded: ThreadedHost, path: str) -> None:
    for headers in (basic(TOKEN), basic(TOKEN, ""), bearer(TOKEN)):
        answer = ask(guarded, "GET", path, headers=headers)
        assert answer.status_code == 200
        assert answer.content
        assert TOKEN not in answer.text
    assert ask(guarded, "HEAD", path, headers=basic(TOKEN)).status_code in {200, 405}

    refused = ask(guarded, "GET", path)
    assert code(refused) == (401, "unauthorized")
    assert refused.headers["www-authenticate"].startswith("Basic realm=")
    assert ask(guarded, "GET", path, headers=basic(f"{TOKEN}x")).status_code == 401
    assert ask(guarded, "GET", path, headers=ODD).status_code == 401


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_page_is_kept_by_no_cache_and_runs_its_own_files_alone(
    guarded: ThreadedHost, path: str
) -> None:
    headers = ask(guarded, "GET", path, headers=basic(TOKEN)).headers
    policy = headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert policy.startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_page_names_nothing_elsewhere_and_has_no_script_within() -> None:
    own = {path: file.read_text() for path, file in FILES.items() if "swagger" not in path}
    assert len(own) == 7
    for path, text in own.items():
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|<script>|<style| style=| on\w+=\"",
                          text) == [], path  # fmt: skip
        assert "innerHTML" not in text
        assert set(re.findall(r"(?:src|href)=\"(/[^\"]*)\"", text)) <= PAGE_PATHS


@pytest.mark.parametrize(("method", "path"), API_PATHS)
def test_the_token_as_password_opens_nothing_else(
    guarded: ThreadedHost, method: str, path: str
) -> None:
    answer = ask(guarded, method, path, headers=basic(TOKEN))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert ask(guarded, method, path, headers=bearer(TOKEN)).status_code != 401


def test_a_pass_calls_the_api_and_makes_no_other(guarded: ThreadedHost) -> None:
    made = pass_for(guarded, TOKEN)
    headers = {"Authorization": f"Bearer {made}"}
    uploaded = ask(guarded, "POST", "/api/v1/assets", content=encoded(), headers=headers)
    assert uploaded.status_code == 200
    assert ask(guarded, "GET", "/page/activity", headers=headers).status_code == 200

    for wrong in (basic(made), headers, basic("wrong")):
        assert ask(guarded, "POST", PASS_PATH, headers=wrong).status_code == 401
    assert ask(guarded, "GET", "/", headers=basic(made)).status_code == 401
    changed = made[:-1] + ("0" if made[-1] != "0" else "1")
    later = f"{int(made.partition('.')[0]) + 1}.{made.partition('.')[2]}"
    for wrong_pass in (changed, later, made.partition(".")[0], "."):
        answer = ask(guarded, "GET", "/api/v1/operations", headers=bearer(wrong_pass))
        assert answer.status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_another_site_gets_no_pass(guarded: ThreadedHost, site: str) -> None:
    headers = {**basic(TOKEN), "Sec-Fetch-Site": site}
    assert code(ask(guarded, "POST", PASS_PATH, headers=headers)) == (401, "unauthorized")
    headers["Sec-Fetch-Site"] = "same-origin"
    answer = ask(guarded, "POST", PASS_PATH, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_a_pass_ends_by_itself_and_with_its_token(tmp_path: Path) -> None:
    now, path = [1000.0], tmp_path / "tokens.toml"
    path.write_text(TABLES)
    path.chmod(0o600)
    tokens = Tokens(SecretStr(TOKEN), path)
    passes = PagePasses(tokens, lambda: now[0])
    made = {token: passes.issue(token.encode()) for token in (TOKEN, APP, BATCH, "wrong")}
    assert made.pop("wrong") is None
    of_batch = (made[BATCH] or "").encode()
    assert [passes.caller((made[token] or "").encode()) for token in made] == [
        Caller(), Caller("app"), Caller("batch", 2),
    ]  # fmt: skip
    assert PagePasses(tokens, lambda: now[0]).caller(of_batch) is None  # of another process

    now[0] += PASS_SECONDS
    assert passes.caller(of_batch) == Caller("batch", 2)
    now[0] += 1
    assert passes.caller(of_batch) is None

    now[0] -= PASS_SECONDS
    path.write_text(f"[app]\ntoken = '{APP}'\n")
    assert passes.caller(of_batch) is None
    assert passes.caller((made[APP] or "").encode()) == Caller("app")


def test_a_pass_has_the_limit_and_the_operations_of_its_token(named: ThreadedHost) -> None:
    named.client.headers["Authorization"] = f"Bearer {pass_for(named, BATCH)}"
    picture = named.upload(encoded())
    kept = [named.age_meanwhile(picture, 1)]
    wait_until(lambda: named.status()["busy"] == 1)
    kept += [named.age_meanwhile(picture, age) for age in (2, 3)]
    wait_until(lambda: named.status()["queued"] == 2)
    refused = named.age(picture, 4)
    assert code(refused) == (429, "queue_full")
    assert "the token batch" in refused.json()["error"]["message"]

    by_token = ask(named, "GET", "/api/v1/operations", headers=bearer(BATCH)).json()
    assert len(by_token["operations"]) == 3
    named.engine.let_through(10)
    assert [answer.result(timeout=30).status_code for answer in kept] == [200] * 3


def test_the_page_shows_all_operations_and_only_ones_own_in_full(named: ThreadedHost) -> None:
    def seen(token: str) -> Activity:
        answer = ask(named, "GET", "/page/activity", headers=bearer(token))
        return Activity.model_validate_json(answer.content)

    named.client.headers["Authorization"] = f"Bearer {BATCH}"
    picture = named.upload(encoded())
    running = named.age_meanwhile(picture, 1)
    wait_until(lambda: named.status()["busy"] == 1)
    waiting = named.age_meanwhile(picture, 2)
    expected = [("engine", None), ("ready", 1)]
    wait_until(lambda: [(shown.phase, shown.place) for shown in seen(APP).open] == expected)
    named.engine.let_through(10)
    assert {answer.result(30).status_code for answer in (running, waiting)} == {200}
    assert named.age("asset:" + "0" * 64 + ".png").status_code == 404
    wait_until(lambda: len(seen(BATCH).ended) == 3)

    own, others = seen(BATCH).ended, seen(APP).ended
    outcomes = ["picture_not_found", "succeeded", "succeeded"]
    assert [shown.outcome for shown in own] == outcomes
    assert [shown.outcome for shown in others] == outcomes
    assert str(own[1].output_path).startswith("asset:")
    assert "upload it again" in str(own[0].message)
    assert {(shown.id, shown.message, shown.output_path) for shown in others} == {(None,) * 3}


def test_without_a_token_the_page_is_there_for_this_machine(host: ThreadedHost) -> None:
    assert ask(host, "GET", "/").status_code == 200
    assert ask(host, "POST", PASS_PATH).json()["pass"] is None
    assert ask(host, "GET", "/", headers={"Host": "evil.example"}).status_code == 401


def test_last_results_outlive_a_restart(open_host: OpenHost, tmp_path: Path) -> None:
    records = OperationRecords(tmp_path / "data" / "operations")
    ended = OperationStatus(
        id="0" * 32, operation="detect-faces", state="cancelled", revision=3,
        phases=Phases(queue=1, decode=0, engine=0.5, encode=0),
        created_at=datetime.now(UTC), ended_at=datetime.now(UTC),
    )  # fmt: skip
    for number, owner in enumerate(("", "app")):
        records.keep(
            OperationRecord(
                id=f"{number}" * 32, owner=owner, fingerprint="x", operation="detect-faces",
                created_at=ended.created_at, ended=ended,
            )
        )  # fmt: skip
    answer = ask(open_host(), "GET", "/page/activity")
    shown = Activity.model_validate_json(answer.content).ended
    assert {(seen.outcome, seen.seconds, seen.id) for seen in shown} == {
        ("cancelled", 1.5, "0" * 32), ("cancelled", 1.5, None),
    }  # fmt: skip


def test_the_log_has_neither_token_nor_pass(
    guarded: ThreadedHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = pass_for(guarded, TOKEN)
    for password in (TOKEN, made, "wrong-made-up-token"):
        for path in ("/", "/page/activity", PASS_PATH):
            ask(guarded, "POST", path, headers=basic(password), params={"x": "y"})
    assert "unauthorized" in caplog.text
    for secret in (TOKEN, made, "wrong-made-up-token", basic(TOKEN)["Authorization"]):
        assert secret not in caplog.text

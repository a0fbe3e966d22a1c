"""Named tokens from a file: who gets in, who waits, and how a token is taken back."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from storycanvas.faces.contract import IDEMPOTENCY_HEADER
from storycanvas.host.command_line import read_settings, refusal
from storycanvas.host.tokens import Caller, Tokens, TokensRefused, TokensUnreadable, read_tokens
from tests.support.host.pictures import encoded
from tests.support.host.started_host import StartHost, wait_until
from tests.support.host.submitting import submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

APP, BATCH, SINGLE = "app-made-up-token", "batch-made-up-token", "single-made-up-token"
TABLES = f"""
[app]
token = "{APP}"

[batch]
token = "{BATCH}"
waiting = 2
"""

WriteTokens = Callable[..., Path]


@pytest.fixture
def write_tokens(tmp_path: Path) -> WriteTokens:
    """Writes the file of tokens as an editor does: a new file that takes the old one's name."""

    def write(text: str = TABLES, mode: int = 0o600) -> Path:
        path, part = tmp_path / "tokens.toml", tmp_path / "tokens.new"
        part.write_text(text)
        part.chmod(mode)
        return part.replace(path)

    return write


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def statuses(host: ThreadedHost, *tokens: str) -> list[int]:
    return [host.client.get("assets/x", headers=bearer(token)).status_code for token in tokens]


def test_each_token_is_a_caller_of_its_name(write_tokens: WriteTokens) -> None:
    tokens = Tokens(SecretStr(SINGLE), write_tokens())
    given = [APP, BATCH, SINGLE, APP[:-1], ""]
    assert [tokens.caller(token.encode()) for token in given] == [
        Caller("app"), Caller("batch", 2), Caller(), None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[app]\ntoken = 'short-secret'\n", "app.token: Value should have at least 16"),
        (f"[app]\ntoken = '{APP}'\nwaiting = 0\n", "app.waiting"),
        (f"[app]\ntoken = '{APP}'\nwating = 3\n", "app.wating"),
        (f"[app]\ntoken = '{APP}'\n[web]\ntoken = '{APP}'\n", "app and web have the same token"),
        (f"['a b']\ntoken = '{APP}'\n", "'a b' is not a name"),
        (f"[app]\ntoken = '{APP} x'\n", "characters that no header can carry"),
        (f"app = '{APP}'\n", "app: Input should be"),
        (f"[app]\ntoken = {APP}\n", "is not TOML, line 2"),
    ],
)
def test_a_wrong_file_is_refused_without_showing_a_token(
    write_tokens: WriteTokens, text: str, reason: str
) -> None:
    with pytest.raises(TokensRefused) as refused:
        read_tokens(write_tokens(text))
    assert reason in str(refused.value)
    assert APP not in str(refused.value)
    assert "short-secret" not in str(refused.value)


@pytest.mark.skipif(os.name != "posix", reason="looks at a mode")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(write_tokens: WriteTokens, mode: int) -> None:
    path = write_tokens(mode=mode)
    with pytest.raises(TokensUnreadable, match=f"chmod 600 {path}"):
        read_tokens(path)
    with pytest.raises(ValidationError) as refused:
        read_settings(["--named-tokens", str(path)], {})
    assert "mode" in refusal(refused.value)


def test_a_file_of_tokens_lets_other_machines_in(write_tokens: WriteTokens) -> None:
    arguments = ["--host", "0.0.0.0", "--named-tokens", str(write_tokens())]  # noqa: S104 - not started
    assert read_settings(arguments, {}).token is None


def test_a_token_is_taken_back_by_editing_the_file(
    open_host: OpenHost, write_tokens: WriteTokens, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host = open_host(tokens_file=write_tokens(), token=SINGLE)
    assert statuses(host, APP, BATCH, SINGLE, "wrong") == [400, 400, 400, 401]

    write_tokens(f"[app]\ntoken = '{APP}'\n")
    assert statuses(host, APP, BATCH, SINGLE) == [400, 401, 400]

    write_tokens(f"[app]\ntoken = '{APP}'\n[batch]\ntok")  # half written
    assert statuses(host, APP, BATCH) == [400, 401]
    assert "is not TOML" in caplog.text

    write_tokens(mode=0o644)
    assert statuses(host, APP, BATCH, SINGLE) == [401, 401, 400]

    write_tokens().unlink()
    assert statuses(host, APP, BATCH, SINGLE) == [401, 401, 400]
    assert APP not in caplog.text


def test_a_host_whose_file_was_emptied_serves_no_one_without_a_token(
    open_host: OpenHost, write_tokens: WriteTokens
) -> None:
    host = open_host(tokens_file=write_tokens())
    write_tokens("")
    assert statuses(host, APP) == [401]
    assert host.client.post("assets", content=encoded()).status_code == 401
    assert host.client.get("status").status_code == 200


def test_the_log_names_the_token_and_does_not_show_it(
    start_host: StartHost, write_tokens: WriteTokens
) -> None:
    host = start_host(arguments=["--named-tokens", str(write_tokens())])
    host.client.headers = bearer(BATCH)
    assert host.enhance(host.upload(encoded())).status_code in {200, 422}
    assert host.client.get(f"assets/{'0' * 64}.png").status_code == 404
    assert host.end() == 0
    assert ": [batch] " in host.log()
    assert "tokens read: app, batch" in host.log()
    assert BATCH not in host.log()


def test_a_token_has_a_limit_of_its_own(open_host: OpenHost, write_tokens: WriteTokens) -> None:
    host = open_host(gated=True, queue=16, tokens_file=write_tokens())
    host.client.headers = bearer(BATCH)
    picture = host.upload(encoded())
    kept = [host.age_meanwhile(picture, 1)]
    wait_until(lambda: host.status()["busy"] == 1)
    kept += [host.age_meanwhile(picture, age) for age in (2, 3)]
    wait_until(lambda: (host.status()["busy"], host.status()["queued"]) == (1, 2))

    refused = host.age(picture, 4)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
    assert "batch" in refused.json()["error"]["message"]
    assert "2 operations wait" in refused.json()["error"]["message"]
    assert int(refused.headers["retry-after"]) >= 1

    host.client.headers = bearer(APP)
    others = host.age_meanwhile(picture, 5)
    wait_until(lambda: host.status()["queued"] == 3)
    host.engine.let_through(10)
    assert {answer.result(timeout=30).status_code for answer in [*kept, others]} <= {200, 422, 500}


def test_an_operation_is_found_and_cancelled_by_its_own_token_alone(
    open_host: OpenHost, write_tokens: WriteTokens
) -> None:
    host = open_host(gated=True, tokens_file=write_tokens())
    host.client.headers = bearer(APP)
    taken = submitted(host, host.upload(encoded()), key="same")
    host.engine.began.get(timeout=30)
    path, same = f"operations/{taken.id}", {IDEMPOTENCY_HEADER: "same"}

    host.client.headers = bearer(BATCH)
    answers = [host.client.get(path), host.client.delete(path)]
    answers.append(host.client.get("operations/by-key", headers=same))
    assert [code(answer) for answer in answers] == [(404, "operation_not_found")] * 3
    assert host.client.get("operations").json()["operations"] == []

    host.client.headers = bearer(APP)
    assert [each["id"] for each in host.client.get("operations").json()["operations"]] == [taken.id]
    host.engine.let_through()
    assert until(host, taken.id, "succeeded").result

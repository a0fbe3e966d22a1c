"""Which of the user's own Prefect settings the server, worker and runs of the local stack get."""

from pathlib import Path

import pytest

from storycanvas.services.prefect import PrefectServer, PrefectWorker, prefect_environment

OWN = "the user's own"
KEPT = [
    "PREFECT_API_REQUEST_TIMEOUT",
    "PREFECT_CLIENT_RETRY_EXTRA_CODES",
    "PREFECT_LOGGING_LEVEL",
    "PREFECT_LOGGING_SETTINGS_PATH",
    "PREFECT_LOGGING_TO_API_ENABLED",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT",
    "PREFECT_SERVER_DATABASE_TIMEOUT",
    "PREFECT_SERVER_LOGGING_LEVEL",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED",
    "PREFECT_SERVER_UI_V2_ENABLED",
    "PREFECT_WORKER_PREFETCH_SECONDS",
]
LEFT_OUT = [
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_API_KEY",
    "PREFECT_API_URL",
    "PREFECT_CLIENT_CUSTOM_HEADERS",
    "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK",
    "PREFECT_HOME",
    "PREFECT_LOCAL_STORAGE_PATH",
    "PREFECT_MESSAGING_BROKER",
    "PREFECT_PROFILE",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_SERVER_API_BASE_PATH",
    "PREFECT_SERVER_API_PORT",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE",
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "PREFECT_SERVER_DATABASE_HOST",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED",
    "PREFECT_SERVER_DOCKET_URL",
    "PREFECT_TESTING_TEST_MODE",
    "PREFECT_UI_URL",
    "PREFECT__FLOW_RUN_ID",
]


def test_settings_of_the_users_own_stay_and_those_of_another_server_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (*KEPT, *LEFT_OUT):
        monkeypatch.setenv(name, OWN)

    environment = prefect_environment(tmp_path, {"PREFECT_API_URL": "http://127.0.0.1:1/api"})

    own = {name for name, value in environment.items() if value == OWN}
    assert own & {*KEPT, *LEFT_OUT} == set(KEPT)
    assert environment["PREFECT_HOME"] == str(tmp_path)
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:1/api"


def test_the_users_active_profile_reaches_server_and_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "profiles.toml").write_text(
        'active = "work"\n'
        "[profiles.other]\nPREFECT_LOGGING_LEVEL = 'ERROR'\n"
        "[profiles.work]\nPREFECT_LOGGING_LEVEL = 'DEBUG'\nPREFECT_TASKS_DEFAULT_RETRIES = 3\n"
        "PREFECT_FLOWS_DEFAULT_RETRIES = '1'\nPREFECT_WORKER_QUERY_SECONDS = '60'\n"
        "PREFECT_API_KEY = 'hunter2'\nPREFECT_API_URL = 'https://prefect.example/api'\n"
    )
    for name in ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_LOGGING_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_FLOWS_DEFAULT_RETRIES", "2")
    worker = PrefectWorker(
        api_url="http://127.0.0.1:1/api", pool="p", worker="w", settings={}, home=tmp_path
    )

    for service in (PrefectServer(), worker):
        environment = service.program(tmp_path, 1).environment
        assert environment["PREFECT_LOGGING_LEVEL"] == "DEBUG"
        assert environment["PREFECT_TASKS_DEFAULT_RETRIES"] == "3"
        assert environment["PREFECT_FLOWS_DEFAULT_RETRIES"] == "2"  # a variable before a profile
        assert "PREFECT_API_KEY" not in environment
        assert environment.get("PREFECT_API_URL") != "https://prefect.example/api"
    assert worker.program(tmp_path, 1).environment["PREFECT_WORKER_QUERY_SECONDS"] == "1"

    monkeypatch.setenv("PREFECT_PROFILE", "other")
    assert prefect_environment(tmp_path, {})["PREFECT_LOGGING_LEVEL"] == "ERROR"


def test_a_profile_that_cannot_be_read_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "profiles.toml").write_text("active = ")
    monkeypatch.delenv("PREFECT_PROFILES_PATH", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))

    assert prefect_environment(tmp_path, {})["PREFECT_HOME"] == str(tmp_path)

    assert f"Prefect's profiles in {tmp_path / 'profiles.toml'} are left out" in caplog.text

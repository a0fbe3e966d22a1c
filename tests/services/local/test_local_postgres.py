"""The PostgreSQL of the local stack: whom it lets in, and what a kill leaves."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from deployments.prefect_database import start_prefect_database
from storycanvas.services import postgres
from storycanvas.services.errors import PostgresUnusable, ServiceDied
from storycanvas.services.local_service import LocalService
from storycanvas.services.postgres import Postgres, find_programs
from storycanvas.services.shared import Lease, acquire, find_running, stop_kept

NOTES = ("running.json", "postgres.log", "initdb.log", "last_port")


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory that no other account can enter, as the state directory is."""
    try:
        find_programs()
    except PostgresUnusable as missing:
        pytest.skip(str(missing))
    made = tmp_path_factory.mktemp("state")
    made.chmod(0o700)
    yield made
    stop_kept(Postgres.name, made)


@pytest.fixture
def lease(state_dir: Path) -> Lease:
    """The server, which runs on for the next test."""
    with acquire(Postgres(state_dir), state_dir) as lease:
        lease.keep()
    return lease


def connect(lease: Lease, state_dir: Path) -> psycopg.Connection[tuple[int]]:
    return psycopg.connect(Postgres(state_dir).with_password(lease.url), autocommit=True)


def password(state_dir: Path) -> str:
    return (state_dir / "postgres/cluster/password").read_text().strip()


def test_only_who_reads_its_directory_gets_in(lease: Lease, state_dir: Path) -> None:
    with connect(lease, state_dir) as opened:
        addresses = opened.execute("SHOW listen_addresses").fetchone()
    assert addresses == ("127.0.0.1",)
    for address in (lease.url, lease.url.replace("@", ":guess@")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(address)

    secret = password(state_dir)
    directory = state_dir / "postgres"
    assert (directory / "cluster/password").stat().st_mode & 0o777 == 0o600
    assert (directory / "cluster").stat().st_mode & 0o777 == 0o700
    assert not any(secret in (directory / note).read_text() for note in NOTES)
    server = psutil.Process(lease.record.pid)
    assert not any(secret in word for word in (*server.cmdline(), *server.environ().values()))
    assert server.uids().effective != 0


def test_what_was_stored_outlives_a_kill_even_where_its_number_is_given_to_another(
    lease: Lease, state_dir: Path
) -> None:
    with connect(lease, state_dir) as opened:
        opened.execute("CREATE TABLE runs (id int)")
        opened.execute("INSERT INTO runs VALUES (7)")
        os.kill(lease.record.pid, signal.SIGKILL)
    note = state_dir / "postgres/cluster/data/postmaster.pid"
    rest = note.read_text().splitlines()[1:]
    note.write_text("\n".join([str(os.getpid()), *rest, ""]))

    with acquire(Postgres(state_dir), state_dir) as again, connect(again, state_dir) as opened:
        again.keep()
        assert opened.execute("SELECT id FROM runs").fetchall() == [(7,)]
        assert again.record.port == lease.record.port


def test_a_set_up_that_was_interrupted_is_begun_again(tmp_path: Path, state_dir: Path) -> None:
    del state_dir  # for its look whether there is one
    begun = tmp_path / "postgres/cluster.begun/data"
    begun.mkdir(parents=True)
    (begun / "PG_VERSION").write_text("15")

    with acquire(Postgres(tmp_path), tmp_path) as lease, connect(lease, tmp_path) as opened:
        assert opened.execute("SELECT 1").fetchone() == (1,)
    assert find_running(Postgres.name, tmp_path) is None


def test_files_of_a_version_that_is_not_installed_are_named_and_left(tmp_path: Path) -> None:
    data = tmp_path / "postgres/cluster/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresUnusable, match="PostgreSQL 9 is not installed"):
        acquire(Postgres(tmp_path), tmp_path)
    assert data.exists()


def refuse(service: LocalService) -> str:
    raise ServiceDied(service.name, 1, "no room", Path("postgres.log"))


def test_where_it_does_not_start_a_new_server_begins_with_sqlite(
    tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del state_dir
    monkeypatch.delenv("STORYCANVAS_PREFECT_DATABASE", raising=False)
    told: list[str] = []

    assert start_prefect_database(tmp_path, refuse, told.append)[0] is None
    assert "no room" in told[0]
    assert told[0].endswith("Prefect's runs are kept in SQLite.")
    used = start_prefect_database(tmp_path, refuse, told.append)[1]
    assert used == str(tmp_path / "prefect_server/prefect.db")


def test_runs_in_it_are_not_hidden_where_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORYCANVAS_PREFECT_DATABASE", raising=False)
    monkeypatch.setattr(postgres, "_PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "prefect_server").mkdir()
    noted = '{"kind": "postgresql", "address": "postgresql://prefect@127.0.0.1:1/postgres"}'
    (tmp_path / "prefect_server/database.json").write_text(noted)
    starts: Callable[[LocalService], str] = refuse

    with pytest.raises(ServiceDied, match="no room"):
        start_prefect_database(tmp_path, starts, print)
    assert (tmp_path / "prefect_server/database.json").read_text() == noted

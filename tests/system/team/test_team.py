"""Two Prefect servers on PostgreSQL and Redis behind nginx, as deployments/team describes them.

`python -m tests.system.team` is longer, and kills more.
"""

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.automations.acting import GOES_ON
from deployments.queues import QUEUES
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.settings import DEFAULTS
from storycanvas.services.ports import LOOPBACK, ask, choose_port
from storycanvas.services.postgres import find_programs
from storycanvas.services.prefect import prefect_environment
from storycanvas.services.shared import acquire
from tests.support.guard.processes import kill_holder
from tests.support.guard.slots import new_limit, taken
from tests.support.paths import ROOT
from tests.support.tree import blocks
from tests.system.team.installation import Proxy, missing_programs, running_team
from tests.system.team.ten_runs import AGES, Work, ready_to_work, until

RUNS = 10
LOGIN = "worker:made-up"
OPERATIONS = 1 + len(AGES)
"""Of each run: the look at its picture, and each age."""
LEASE_SECONDS = DEFAULTS.lease
missing = missing_programs()
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        bool(missing),
        reason=f"Debian's packages {', '.join(missing)} are missing: apt-get install them.",
    ),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with running_team(tmp_path_factory.mktemp("team")) as team, ready_to_work(team) as work:
        yield work


@pytest.fixture(scope="module")
def killed_holder(work: Work) -> tuple[str, float]:
    """A limit whose only slot is held by a process that was killed, and when."""
    limit = kill_holder(work.team.url, "gpu:killed-holder")
    assert taken(limit) == 1
    return limit, time.monotonic()


def test_each_server_has_the_queues_and_automations_that_the_other_was_given(work: Work) -> None:
    said = "\n".join(work.said)
    for server in work.team.servers:
        with (
            temporary_settings({PREFECT_API_URL: server.url}),
            get_client(sync_client=True) as client,
        ):
            queues = client.read_work_queues(work_pool_name="storycanvas")
            named = [found.name for found in client.read_automations()]
        assert {queue.name for queue in queues} == {queue.name for queue in QUEUES}
        assert GOES_ON in named
        assert [name for name in named if name not in said] == []


@pytest.mark.usefixtures("killed_holder")  # whose lease runs out meanwhile
def test_of_ten_runs_none_fails_when_a_server_is_killed(work: Work) -> None:
    runs = work.start(RUNS)
    until(lambda: work.ended(runs), 300)

    work.team.kill(1)
    assert len(work.ended(runs)) < RUNS

    until(lambda: len(work.ended(runs)) == RUNS, 600)
    assert work.bad_states(runs) == []
    assert len(work.host.served()) == RUNS * OPERATIONS
    assert work.overlaps() == 0
    until(lambda: work.taken() == 0, LEASE_SECONDS + 30)


def test_the_slot_of_a_killed_holder_comes_back_with_its_lease_in_redis(
    killed_holder: tuple[str, float],
) -> None:
    limit, killed = killed_holder
    left = max(0.0, killed + LEASE_SECONDS - time.monotonic())

    until(lambda: taken(limit) == 0, left + 30)


def test_a_lease_of_a_killed_server_is_renewed_at_the_other(work: Work) -> None:
    limit = new_limit()
    work.team.restart(1)
    first, second = (server.url for server in work.team.servers)
    with temporary_settings({PREFECT_API_URL: second}), GpuLimit(limit) as before:
        lease = before.acquire()
    assert lease is not None
    work.team.kill(2)

    with temporary_settings({PREFECT_API_URL: first}), GpuLimit(limit) as after:
        after.renew(lease)
        assert after.acquire() is None
        after.release(lease)
        assert after.acquire() is not None


def test_a_dump_of_prefects_database_is_restored(work: Work, tmp_path: Path) -> None:
    address = work.team.settings["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    source = address.replace("+asyncpg", "").partition("?")[0]
    server = source.rpartition("/")[0]
    dump = tmp_path / "prefect.dump"
    programs = find_programs()

    subprocess.run(
        [programs / "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={source}"],
        check=True,
    )
    with psycopg.connect(source, autocommit=True) as opened:
        opened.execute("CREATE DATABASE restored")
    restored = f"{server}/restored"
    subprocess.run(
        [programs / "pg_restore", "--no-owner", f"--dbname={restored}", dump], check=True
    )

    counted = [
        "SELECT count(*) FROM flow_run",
        "SELECT count(*) FROM deployment",
        "SELECT string_agg(name, ',' ORDER BY name) FROM automation",
    ]
    with psycopg.connect(source) as before, psycopg.connect(restored) as after:
        for query in counted:
            found = after.execute(query).fetchone()
            assert found == before.execute(query).fetchone()
            assert found
            assert found[0]


EMIT = """
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
with get_client(sync_client=True) as client:
    print(len(client.read_work_pools()), "pool")
emit_event("storycanvas.test.login", resource={"prefect.resource.id": "storycanvas.test"})
EventsWorker.drain_all(timeout=20)
"""


def test_the_pages_proxy_lets_in_who_has_the_login_and_no_other(work: Work, tmp_path: Path) -> None:
    port = choose_port([])
    proxy = login_proxy(tmp_path, port)
    servers = [server.record.port for server in work.team.servers]
    url = f"https://localhost:{port}/api"
    known = {"PREFECT_API_URL": url, "PREFECT_API_SSL_CERT_FILE": str(tmp_path / "fullchain.pem")}
    environment = prefect_environment(tmp_path, known)
    with acquire(Proxy(servers, proxy), tmp_path):
        context = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        with httpx.Client(verify=context, trust_env=False) as stranger:
            refused = stranger.get(f"{url}/health").status_code
        with_login = environment | {"PREFECT_API_AUTH_STRING": LOGIN}
        said = subprocess.run(
            [sys.executable, "-c", EMIT],
            env=with_login,
            capture_output=True,
            text=True,
            check=True,
        )

    wanted = {"filter": {"event": {"name": ["storycanvas.test.login"]}}}
    assert refused == httpx.codes.UNAUTHORIZED
    assert said.stdout == "1 pool\n"
    until(lambda: (ask(f"{work.team.url}/events/filter", wanted) or {}).get("events"), 60)


def login_proxy(folder: Path, port: int) -> str:
    """Read the server of docs/production.md, with a certificate and a user of the test's own."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(made, check=True, capture_output=True)
    user, _, password = LOGIN.partition(":")
    hashed = ["openssl", "passwd", "-apr1", password]
    entry = subprocess.run(hashed, check=True, capture_output=True, text=True).stdout
    (folder / "users").write_text(f"{user}:{entry}")
    [text] = blocks(ROOT / "docs" / "production.md", "nginx")
    own = text.replace("/etc/letsencrypt/live/prefect.example", str(folder))
    own = own.replace("/etc/nginx/prefect.users", str(folder / "users"))
    return own.replace("listen 443", f"listen {LOOPBACK}:{port}")

import os
import socket
from pathlib import Path

import psutil
import pytest

from storycanvas.services import process
from storycanvas.services.errors import RecordUnreadable, ServiceDied, ServiceInUse, ServiceNotReady
from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, choose_port, is_free, listener
from storycanvas.services.process import Program, is_running, start
from storycanvas.services.record import Record, write_record
from storycanvas.services.shared import Outcome, acquire, find_running, stop_kept
from tests.support.services import MongodUser, WebServer


def orphaned(service: LocalService, state_dir: Path) -> Record:
    """Start a service as a user would that was killed since."""
    directory = state_dir / service.name
    directory.mkdir()
    port = choose_port(())
    identity = start(service.program(directory, port), directory / "log")
    record = Record(identity.pid, identity.create_time, port, service.url(port))
    write_record(directory, record)
    return record


def test_two_processes_that_start_at_once_share_one_server_and_the_last_ends_it(
    tmp_path: Path,
) -> None:
    with MongodUser(tmp_path) as first, MongodUser(tmp_path) as other:
        assert first.connected_to() == other.connected_to()
        server = find_running("mongod", tmp_path)
        assert server is not None

        first.leave()
        assert is_running(server.identity)

        other.leave()
        assert not is_running(server.identity)


def test_a_killed_user_leaves_no_orphan_after_the_next_user_leaves(tmp_path: Path) -> None:
    with MongodUser(tmp_path) as killed:
        url = killed.connected_to()
        killed.kill()
    orphan = find_running("mongod", tmp_path)
    assert orphan is not None

    with MongodUser(tmp_path) as following:
        assert following.connected_to() == url
        following.leave()

    assert not is_running(orphan.identity)


def test_a_kept_service_outlives_its_users_until_it_is_let_go(tmp_path: Path) -> None:
    with acquire(WebServer(), tmp_path) as lease:
        lease.keep()
    with acquire(WebServer(), tmp_path) as again:
        assert again.url == lease.url
    assert find_running("web_server", tmp_path) == lease.record

    assert stop_kept("web_server", tmp_path) is Outcome.ENDED
    assert not is_running(lease.record.identity)


def test_a_service_let_go_while_used_is_left_to_its_user(tmp_path: Path) -> None:
    with acquire(WebServer(), tmp_path) as lease:
        lease.keep()

        assert stop_kept("web_server", tmp_path) is Outcome.STILL_USED
        assert is_running(lease.record.identity)

    assert not is_running(lease.record.identity)


def test_letting_go_of_what_never_ran_is_named(tmp_path: Path) -> None:
    assert stop_kept("web_server", tmp_path) is Outcome.NOT_RUNNING


def test_a_service_takes_its_last_port_again(tmp_path: Path) -> None:
    with acquire(WebServer(), tmp_path) as before:
        pass
    with acquire(WebServer(), tmp_path) as after:
        assert after.record.port == before.record.port
        assert after.record.pid != before.record.pid


def test_a_service_goes_back_to_its_usual_port_when_that_is_free_again(tmp_path: Path) -> None:
    usual = choose_port(())
    service = WebServer(preferred_port=usual)
    with socket.create_server((LOOPBACK, usual)):
        assert listener(usual) == f"pid {os.getpid()}"
        with acquire(service, tmp_path) as elsewhere:
            assert elsewhere.record.port != usual

    assert listener(usual) == ""
    with acquire(service, tmp_path) as again:
        assert again.record.port == usual


def test_a_service_that_died_comes_back_where_it_was_known(tmp_path: Path) -> None:
    usual = choose_port(())
    service = WebServer(preferred_port=usual)
    with socket.create_server((LOOPBACK, usual)), acquire(service, tmp_path) as first:
        first.keep()
    process.stop(first.record.identity)

    with acquire(service, tmp_path) as again:
        assert again.record.port == first.record.port != usual
    with acquire(service, tmp_path) as after_its_end:
        assert after_its_end.record.port == usual


def test_a_service_that_ended_by_itself_is_started_again(tmp_path: Path) -> None:
    with acquire(WebServer(), tmp_path) as lease:
        psutil.Process(lease.record.pid).kill()
        with acquire(WebServer(), tmp_path) as again:
            assert is_running(again.record.identity)
    assert find_running("web_server", tmp_path) is None


def test_other_settings_are_refused_while_others_use_the_service(tmp_path: Path) -> None:
    with acquire(WebServer(), tmp_path), pytest.raises(ServiceInUse, match="other settings"):
        acquire(WebServer(path="/other"), tmp_path)


def test_other_settings_replace_a_service_without_users(tmp_path: Path) -> None:
    orphan = orphaned(WebServer(), tmp_path)

    with acquire(WebServer(path="/other"), tmp_path) as lease:
        assert lease.url.endswith("/other")
        assert not is_running(orphan.identity)


def test_a_service_that_dies_at_its_start_is_quoted(tmp_path: Path) -> None:
    dies = WebServer("-c", "import sys; print('first'); sys.exit('the disk is full')")

    with pytest.raises(ServiceDied, match=r"code 1 .*the disk is full.*web_server\.log") as caught:
        acquire(dies, tmp_path)

    assert caught.value.exit_code == 1
    assert find_running("web_server", tmp_path) is None


def test_a_service_that_never_answers_is_ended(tmp_path: Path) -> None:
    silent = WebServer("-c", "import time; print(flush=True); time.sleep(600)")

    with pytest.raises(ServiceNotReady, match="did not answer"):
        acquire(silent, tmp_path, ready_within=0.5)

    assert find_running("web_server", tmp_path) is None


def test_a_damaged_record_is_named_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "web_server").mkdir()
    (tmp_path / "web_server/running.json").write_text("{}")

    with pytest.raises(RecordUnreadable, match=r"running\.json"):
        acquire(WebServer(), tmp_path)


def test_a_second_release_does_nothing(tmp_path: Path) -> None:
    lease = acquire(WebServer(), tmp_path)
    lease.release()
    with acquire(WebServer(), tmp_path) as other:
        lease.release()
        assert is_running(other.record.identity)


class Overtaken(WebServer):
    """A program that never listens, while another one answers on its port."""

    def becomes_ready(self, record: Record) -> bool:
        return record.port > 0


def test_an_answer_of_another_program_on_the_port_does_not_count(tmp_path: Path) -> None:
    silent = Overtaken("-c", "import time; time.sleep(60)")

    with pytest.raises(ServiceNotReady):
        acquire(silent, tmp_path, ready_within=0.3)


class Outrun(WebServer):
    """A server whose first port is taken between the choice and the start."""

    def __init__(self) -> None:
        super().__init__()
        self.faster: list[socket.socket] = []

    def program(self, directory: Path, port: int) -> Program:
        if not self.faster:
            self.faster.append(socket.create_server((LOOPBACK, port)))
        return super().program(directory, port)


def test_a_port_that_was_taken_at_the_last_moment_is_replaced(tmp_path: Path) -> None:
    outrun = Outrun()

    with acquire(outrun, tmp_path) as lease:
        assert lease.record.port != outrun.faster[0].getsockname()[1]
    outrun.faster[0].close()


def test_the_first_free_wish_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        free = choose_port(())

        assert choose_port((None, taken.getsockname()[1], free)) == free


def test_any_free_port_is_taken_when_no_wish_is_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = choose_port((taken.getsockname()[1],))

        assert port != taken.getsockname()[1]
        assert is_free(port)


def test_a_port_is_taken_by_a_server_on_all_addresses() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - what the claim is about
        assert not is_free(taken.getsockname()[1])

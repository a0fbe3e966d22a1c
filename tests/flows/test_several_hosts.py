"""A farm of hosts: work is shared, moves on when a host fails, and the report names who did it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from flows.age_progression import age_progression
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.report import FaceRunReport
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import Lease, acquire
from tasks.faces.report import StepsFailed
from tests.support.flows.host_control import after_operations, kill
from tests.support.flows.odd_service import OddHost
from tests.support.flows.retries import set_retries
from tests.support.flows.shown import shown_by
from tests.support.flows.world import CHARACTER, World

StartFarm = Callable[..., list[Lease]]


@pytest.fixture
def start_farm(
    own_farm: Callable[[list[str]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StartFarm]:
    """Start hosts, an odd one for each name, and let the environment name them as a farm."""
    set_retries(monkeypatch, 0)
    with ExitStack() as undo:

        def start(*oddities: str | None) -> list[Lease]:
            services = [OddHost(oddity) if oddity else FaceHost() for oddity in oddities]
            leases = [
                undo.enter_context(acquire(service, tmp_path / f"host_{number}"))
                for number, service in enumerate(services)
            ]
            own_farm([lease.url for lease in leases])
            return leases

        yield start


def operations(*leases: Lease) -> int:
    total = 0
    for lease in leases:
        with FaceHostClient(lease.url) as client:
            total += client.status().operations
    return total


def hosts_of(report: FaceRunReport, begin: str = "") -> set[str | None]:
    return {step.host for step in report.steps if step.step.startswith(begin)}


def test_two_hosts_share_the_work_and_each_picture_is_recorded_with_its_host(
    world: World, start_farm: StartFarm
) -> None:
    one, two = start_farm(None, None)

    state = age_progression(CHARACTER, ages=[25, 35, 45, 55], enhance=None, return_state=True)

    report: FaceRunReport = state.result()
    recorded = {record["host"] for record in world.database["facefusion_operations"].find()}
    ((table,),) = [shown for key, shown in shown_by(state)[1].items() if key.endswith("steps")]
    assert {step.outcome for step in report.steps} == {"done"}
    assert hosts_of(report) == recorded == {one.url, two.url}
    assert operations(one, two) == 5
    assert all(step.host in table.data for step in report.steps)
    assert report.host == f"{one.url}, {two.url}"


@pytest.mark.usefixtures("world")
def test_the_work_of_a_host_that_is_killed_moves_to_another_without_a_retry(
    start_farm: StartFarm,
) -> None:
    mortal, other = start_farm(None, None)
    watcher = after_operations(mortal.url, 1, lambda: kill(mortal))

    report = age_progression(CHARACTER, ages=[16, 25, 35, 45, 55])

    watcher.join()
    assert {step.outcome for step in report.steps} == {"done"}
    assert other.url in hosts_of(report)
    assert not psutil.pid_exists(mortal.record.identity.pid)
    assert any(f"{mortal.url} is left out" in warning for warning in report.warnings)


@pytest.mark.usefixtures("world")
def test_what_an_engine_breaks_down_over_another_host_does(start_farm: StartFarm) -> None:
    _, sound = start_farm("breaks-down", None)

    report = age_progression(CHARACTER, ages=[25, 45, 65], enhance=None)

    assert {step.outcome for step in report.steps} == {"done"}
    assert hosts_of(report) == {sound.url}


@pytest.mark.usefixtures("world")
def test_a_picture_that_one_host_refuses_is_tried_on_no_other(start_farm: StartFarm) -> None:
    hosts = start_farm("sees-nothing", "sees-nothing")

    with pytest.raises(StepsFailed, match="age 45: The picture shows no face"):
        age_progression(CHARACTER, ages=[45], enhance=None)

    assert operations(*hosts) == 2  # one look, one age


@pytest.mark.usefixtures("world")
def test_a_host_without_the_model_gets_none_of_its_work(start_farm: StartFarm) -> None:
    _, full = start_farm("lacks-models", None)

    report = age_progression(CHARACTER, ages=[25, 45, 65])

    assert hosts_of(report, "enhance") == {full.url}


@pytest.mark.usefixtures("world")
def test_a_host_of_another_version_takes_no_part_and_the_report_says_so(
    start_farm: StartFarm,
) -> None:
    first, other, third = start_farm(None, "other-version", None)

    report = age_progression(CHARACTER, ages=[25, 45], enhance=None)

    assert hosts_of(report) <= {first.url, third.url}
    assert operations(other) == 0
    assert report.engine == "preview 1"
    assert (
        report.warnings[-1] == f"{other.url} took no part: it runs preview 2, this run preview 1."
    )

"""A farm of hosts: work is shared, moves on when a host fails, and the report names who did it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import psutil
import pytest

from flows.age_progression import age_progression
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import Lease, acquire
from tasks.faces.reporting.report import StepsFailed
from tests.support.flows.hosts import OddHost, after_operations, kill
from tests.support.flows.runs import set_retries, shown_by
from tests.support.flows.world import CHARACTER, World

SOUND = {"sound", "sound too", "mortal"}
OpenFarm = Callable[..., list[Lease]]


@pytest.fixture(scope="module")
def start_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lease]]:
    """Start a host once: a sound one, or one with the oddity that it is named after."""
    with ExitStack() as undo:

        @cache
        def start(name: str) -> Lease:
            service = FaceHost() if name in SOUND else OddHost(name)
            return undo.enter_context(acquire(service, tmp_path_factory.mktemp("host")))

        yield start


@pytest.fixture
def open_farm(
    start_host: Callable[[str], Lease],
    own_farm: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> OpenFarm:
    """Let the environment name hosts as a farm."""
    set_retries(monkeypatch, 0)

    def use(*names: str) -> list[Lease]:
        leases = [start_host(name) for name in names]
        own_farm([lease.url for lease in leases])
        return leases

    return use


def operations(*leases: Lease) -> int:
    total = 0
    for lease in leases:
        with FaceHostClient(lease.url) as client:
            total += client.status().operations
    return total


def hosts_of(report: FaceRunReport, begin: str = "") -> set[str | None]:
    return {step.host for step in report.steps if step.step.startswith(begin)}


def test_two_hosts_share_the_work_and_each_picture_is_recorded_with_its_host(
    world: World, open_farm: OpenFarm
) -> None:
    first, second = open_farm("sound", "sound too")
    before = operations(first, second)

    state = age_progression(CHARACTER, ages=[25, 35, 45, 55], enhance=None, return_state=True)

    report: FaceRunReport = state.result()
    recorded = {record["host"] for record in world.database["facefusion_operations"].find()}
    ((table,),) = [shown for key, shown in shown_by(state)[1].items() if key.endswith("steps")]
    assert {step.outcome for step in report.steps} == {"done"}
    assert hosts_of(report) == recorded == {first.url, second.url}
    assert operations(first, second) == before + 5
    assert all(step.host in table.data for step in report.steps)
    assert report.host == f"{first.url}, {second.url}"


@pytest.mark.usefixtures("world")
def test_the_work_of_a_host_that_is_killed_moves_to_another_without_a_retry(
    open_farm: OpenFarm,
) -> None:
    mortal, other = open_farm("mortal", "sound")
    watcher = after_operations(mortal.url, 1, lambda: kill(mortal))

    report = age_progression(CHARACTER, ages=[16, 25, 35, 45, 55])

    watcher.join()
    assert {step.outcome for step in report.steps} == {"done"}
    assert other.url in hosts_of(report)
    assert not psutil.pid_exists(mortal.record.identity.pid)
    assert any(f"{mortal.url} is left out" in warning for warning in report.warnings)


@pytest.mark.usefixtures("world")
def test_what_an_engine_breaks_down_over_another_host_does(open_farm: OpenFarm) -> None:
    _, sound = open_farm("breaks-down", "sound")

    report = age_progression(CHARACTER, ages=[25, 45, 65], enhance=None)

    assert {step.outcome for step in report.steps} == {"done"}
    assert hosts_of(report) == {sound.url}


@pytest.mark.usefixtures("world")
def test_a_picture_that_one_host_refuses_is_tried_on_no_other(open_farm: OpenFarm) -> None:
    hosts = open_farm("sees-nothing", "sees-nothing-either")

    with pytest.raises(StepsFailed, match="age 45: The picture shows no face"):
        age_progression(CHARACTER, ages=[45], enhance=None)

    assert operations(*hosts) == 2  # one look, one age


@pytest.mark.usefixtures("world")
def test_a_host_without_the_model_gets_none_of_its_work(open_farm: OpenFarm) -> None:
    _, full = open_farm("lacks-models", "sound")

    report = age_progression(CHARACTER, ages=[25, 45, 65])

    assert hosts_of(report, "enhance") == {full.url}


@pytest.mark.usefixtures("world")
def test_a_host_of_another_version_takes_no_part_and_the_report_says_so(
    open_farm: OpenFarm,
) -> None:
    first, other, third = open_farm("sound", "other-version", "sound too")

    report = age_progression(CHARACTER, ages=[25, 45], enhance=None)

    assert hosts_of(report) <= {first.url, third.url}
    assert operations(other) == 0
    version = PreviewEngine().version
    assert report.engine == f"preview {version}"
    assert report.warnings[-1] == (
        f"{other.url} took no part: it runs preview {version}.1, this run preview {version}."
    )

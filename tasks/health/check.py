"""Checks every configured host, and keeps the results."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pymongo
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from blocks.environment import Environment
from db.catalog.servers import ServersFound, find_servers, servers_of
from db.errors import DatabaseError
from storycanvas.catalog.health.checks import GpuGuard, HostCheck
from storycanvas.catalog.health.parallel import Round
from storycanvas.catalog.health.report import HealthReport, changes, is_last, replacements
from storycanvas.services.flow_runs import (
    ApiPath,
    idle_schedules,
    idle_sentence,
    missing_sentence,
    without_run,
)
from tasks.artifacts import ReportArtifact, inline_picture
from tasks.health.events import emit_change_event
from tasks.health.history import (
    PICTURE_KEY,
    QUEUES_KEY,
    TABLE_KEY,
    Opened,
    keep,
    kept_hosts,
    last_day,
    shown_at,
    shown_hosts,
)
from tasks.health.probes import (
    ANSWER_SECONDS,
    checked_database,
    configured_database,
    face_host_probes,
    image_store_probe,
    server_probes,
)
from tasks.health.queues import queue_row, queue_states


def host_row(check: HostCheck) -> dict[str, str]:
    """Make the row; the next run reads `kind`, `name`, `address` and `state` from it."""
    queue = check.queue
    latency, free = check.latency_ms, check.free_disk_bytes
    return {
        "name": check.name,
        "state": check.state,
        "note": check.note or "",
        "kind": check.kind,
        "latency": "" if latency is None else f"{latency:.1f} ms",
        "version": check.version or "",
        "queue": "" if queue is None else f"{queue.running} running, {queue.waiting} waiting",
        "GPU guard": "" if check.gpu is None else _guard(check.gpu),
        "free disk": "" if free is None else f"{free / 1e9:.1f} GB",
        "address": check.address,
    }


def _guard(guard: GpuGuard) -> str:
    if guard.slots is None:
        return "NO LIMIT"
    taken = f"{guard.taken} of {guard.slots} slots taken"
    return taken if guard.guarded else f"{taken}, SWITCHED OFF"


def schedule_remarks(now: datetime) -> tuple[str, ...]:
    """Describe the schedules for which nothing is planned, and what stands and has no run."""
    try:
        with get_client(sync_client=True) as client:

            def post(path: ApiPath, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
                return client.request("POST", path, json=body).json()

            idle, missing = idle_schedules(post, now), without_run(post)
    except httpx.HTTPError as error:
        get_run_logger().warning("Whether runs are planned is unknown: %s", error)
        return ()
    told = idle_sentence(idle) if idle else "", missing_sentence(missing) if missing else ""
    return tuple(filter(None, told))


PICTURE_EVERY = timedelta(minutes=10)
"""Between two pictures while nothing changes; a picture costs far more than a check."""

Rows = Sequence[Mapping[str, Any]]


@task(cache_policy=NO_CACHE, task_run_name="check every host")
def collect_hosts(environment: Environment) -> tuple[HealthReport, Rows | None]:
    """Ask all hosts at once, compare with the last check and keep the results.

    Returns:
        The report, and the checks of the last day if it is time for a picture.
    """
    now = datetime.now(UTC)
    first = [*face_host_probes(environment), image_store_probe(environment)]
    configured = configured_database(environment)
    round_of_checks = Round()  # only now: a configured service may have had to be started
    for probe in first:
        round_of_checks.ask(probe)
    with checked_database(configured) as (database, itself):
        round_of_checks.ask(itself)
        taken = [itself.name, *(probe.name for probe in first)]
        for probe in server_probes(_servers(environment, database), taken):
            round_of_checks.ask(probe)
        checks = round_of_checks.checks()
        report = _compared(database, checks, now)
        report = report.model_copy(update={"queues": queue_states(database)})
        return report, _picture_rows(database, report)


def hosts_artifacts(report: HealthReport, day: Rows | None) -> Iterator[ReportArtifact]:
    """Make the tables of hosts and queues, and the picture of the last day if there is one."""
    yield ReportArtifact(TABLE_KEY, [host_row(check) for check in report.checks])
    if report.queues:
        yield ReportArtifact(QUEUES_KEY, [queue_row(queue) for queue in report.queues])
    if day is not None:
        # pandas and matplotlib take a second to import, which most runs need not pay.
        from storycanvas.catalog.reporting.health_chart import (  # noqa: PLC0415
            checks_frame,
            health_plot,
        )

        picture = inline_picture("hosts in the last day", health_plot(checks_frame(day)))
        text = f"# Hosts in the last 24 hours\n\n{picture}\n\n{report.summary()}\n"
        yield ReportArtifact(PICTURE_KEY, text, only_newest=True)


def _servers(environment: Environment, database: Opened) -> ServersFound:
    """Find the ComfyUI servers: those of the database, else those of `COMFYUI_URLS`."""
    if database is not None:
        try:
            with pymongo.timeout(ANSWER_SECONDS):
                found = find_servers(database)
        except DatabaseError as error:
            get_run_logger().warning("The rows of comfyui_servers cannot be read: %s", error)
        else:
            if found.servers or found.unreadable:
                return found
    urls = dict.fromkeys(environment.comfyui_server_urls)
    return servers_of(
        [{"id": f"{number} of COMFYUI_URLS", "url": url} for number, url in enumerate(urls, 1)]
    )


def _compared(database: Opened, checks: tuple[HostCheck, ...], now: datetime) -> HealthReport:
    """Compare with the last check, emit what changed, and only then keep this one.

    So a change is reported even if a run is killed in between. The history is read only if the last
    run has not shown a host, since that costs more than all the rest.
    """
    shown = shown_hosts()
    before = {**replacements(shown, checks), **shown}
    if any(check.key not in before for check in checks):
        before = {**kept_hosts(database), **before}
    changed = changes(before, checks)
    for change in changed:
        emit_change_event(change, is_last=is_last(change, checks, changed))
    kept = keep(database, checks, now)
    return HealthReport(
        checked_at=now,
        checks=checks,
        changes=changed,
        history_kept=kept,
        remarks=schedule_remarks(now),
    )


def _picture_rows(database: Opened, report: HealthReport) -> Rows | None:
    if not report.history_kept:
        return None
    shown = shown_at(PICTURE_KEY)
    if shown and not report.changes and report.checked_at - shown < PICTURE_EVERY:
        return None
    return last_day(database, report.checked_at)

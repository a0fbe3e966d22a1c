"""Syncing the models of all servers, and showing what changed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from catalog.reporting.sync_report import ServerSync, SyncReport
from db.catalog.servers import Server, find_servers, note_switched_off, servers_for_urls
from db.connection import Document
from tasks.progress import shown_progress
from tasks.retrying import patient
from tasks.story_database import opened_database
from tasks.sync_server import sync_server
from tasks.told_hashes import say_whose_are_left_out, told_hashes

TABLE_KEY = "sync-model-catalog"
PROBLEMS_KEY = "sync-model-catalog-problems"


class NoServers(Exception):
    """Nothing says which servers there are."""

    retryable: ClassVar[bool] = False


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_sync(report: SyncReport) -> None:
    """Show a report in the run's log and as tables in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    log.info(report.summary())
    create_table_artifact(
        [_row(server) for server in report.servers], key=TABLE_KEY, description=report.summary()
    )
    problems = [
        {"server": server.name, "problem": said}
        for server in report.servers
        for said in server.problems
    ]
    if problems:
        create_table_artifact(problems, key=PROBLEMS_KEY, description="What could not be read.")


def sync_catalog(
    urls: Sequence[str] | None, hash_file: str | None, *, read_metadata: bool
) -> SyncReport:
    """Sync the models of all servers, show what changed and return it.

    Args:
        urls: Addresses; without any, every active row of `comfyui_servers`, else `COMFYUI_URLS`.
        hash_file: A list of hashes of local files (`catalog.hash_list`).
        read_metadata: Whether to read the metadata of files that are new.

    Raises:
        NoServers: Nothing says which servers there are.
        HashesUnreadable: The list of hashes cannot be read.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user, or a row or an
            address cannot be used.
    """
    environment = Environment()
    hashes = told_hashes(hash_file)
    with (
        opened_database(environment) as database,
        shown_progress(f"{TABLE_KEY}-progress", "servers") as progress,
    ):
        servers = _servers(database, environment, urls)
        say_whose_are_left_out(hashes, servers)
        work = patient(sync_server, environment)
        reading = [
            work.submit(database, one, hashes, read_metadata=read_metadata) for one in servers
        ]
        done = []
        for future in reading:
            done.append(future.result())
            progress("Models", len(done), len(servers))
    report = SyncReport(servers=tuple(done))
    show_sync(report)
    return report


def _servers(
    database: Database[Document], environment: Environment, urls: Sequence[str] | None
) -> Sequence[Server]:
    if urls:
        return servers_for_urls(database, urls)
    note_switched_off(database, datetime.now(UTC))
    found = find_servers(database)
    for subject, reason in found.unreadable:
        get_run_logger().warning("Row %s of comfyui_servers is left out: %s", subject, reason)
    if found.servers:
        return found.servers
    if environment.comfyui_server_urls:
        return servers_for_urls(database, environment.comfyui_server_urls)
    raise NoServers(
        "No server is named: comfyui_servers has no active row that can be used. Add one, give "
        "urls, or set COMFYUI_URLS."
    )


def _row(server: ServerSync) -> dict[str, str | int]:
    return {
        "server": server.name,
        "address": server.url,
        "status": server.status,
        "models": "unknown" if server.models is None else server.models,
        "listing": "complete" if server.complete else "incomplete or none",
        "new": server.new,
        "back": server.back,
        "changed": server.changed,
        "gone": server.gone,
        "unchanged": server.unchanged,
        "not read": server.problem_count,
        "note": server.error or "",
    }

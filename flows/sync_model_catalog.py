"""The flow `sync-model-catalog`: which models each ComfyUI server can load.

Started each night as part of `maintain-model-catalog`, and by the operator after new models came:

    from flows.sync_model_catalog import sync_model_catalog
    report = sync_model_catalog(urls=["http://127.0.0.1:8188"])
"""

from prefect import flow

from blocks.environment import Environment
from flows.parameters import WORKERS, OptionalFilePath, ServerUrls, unless_typed
from storycanvas.catalog.reporting.reports import SyncReport
from tasks.artifacts import finished, publish_report
from tasks.catalog.sync import (
    read_hash_file,
    servers_to_sync,
    sync_server,
    sync_tables,
    warn_unknown_servers,
)
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.progress import shown_progress


@flow(
    name="sync-model-catalog",
    flow_run_name=unless_typed("sync-model-catalog"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def sync_model_catalog(
    urls: ServerUrls | None = None, hash_file: OptionalFilePath = None, read_metadata: bool = True
) -> SyncReport:
    """Bring the records of servers and their models to what the servers list now.

    A server that does not answer is marked offline and loses nothing; a model is marked as gone
    only when its folder was listed whole.

    Args:
        urls: Addresses of ComfyUI servers, such as http://127.0.0.1:8188; an empty list takes every
            active server of the database.
        hash_file: Path of a JSON list on the worker's machine, each item with folder, name, sha256
            and, where files differ between servers, server (its name, id or address).
        read_metadata: Asks the servers for what trainers wrote into new LoRA files.

    Returns:
        What each server answered, and what is new, changed, gone or back on it.
    """
    environment = Environment()
    hashes = read_hash_file(hash_file)
    with (
        opened_database(environment) as database,
        shown_progress("sync-model-catalog-progress", "servers") as progress,
    ):
        servers = servers_to_sync(database, environment, urls)
        warn_unknown_servers(hashes, servers)
        syncing = [
            sync_server.submit(database, server, hashes, read_metadata=read_metadata)
            for server in servers
        ]
        done = []
        for future in syncing:
            done.append(future.result())
            progress("Models", len(done), len(servers))
    report = SyncReport(servers=tuple(done))
    publish_report(report.summary(), *sync_tables(report), lines=report.lines())
    return finished(report)

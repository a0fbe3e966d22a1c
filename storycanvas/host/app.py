"""The host as an application: everything it consists of, put together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial

from fastapi import FastAPI

from storycanvas.faces.contract import API
from storycanvas.host.api.engine_routes import engine_routes
from storycanvas.host.api.errors import install_error_answers
from storycanvas.host.api.middleware import BodyLimits, Gate
from storycanvas.host.api.operation_routes import operation_routes, restored, submitted_routes
from storycanvas.host.api.routes import asset_routes, status_of, status_routes
from storycanvas.host.api.schema import CONTRACT_VERSION, HostApi
from storycanvas.host.connections import Connections
from storycanvas.host.engines.engine import Engine
from storycanvas.host.metrics import CountRefusals, HostMetrics, metrics_routes
from storycanvas.host.operations.engine_memory import EngineMemory
from storycanvas.host.operations.records import OperationRecords
from storycanvas.host.operations.results import ResultStore
from storycanvas.host.operations.runner import OperationRunner
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.page.passes import PagePasses
from storycanvas.host.page.routes import page_routes
from storycanvas.host.settings import HostSettings
from storycanvas.host.sources.picture_downloads import PictureDownloads
from storycanvas.host.sources.picture_fields import PictureFields
from storycanvas.host.storage.assets import AssetStore
from storycanvas.host.storage.disk import shortage
from storycanvas.host.storage.outputs import Outputs
from storycanvas.host.tokens import Tokens

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 3600.0

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]


class Retention:
    """Removes results and pictures that cannot be asked for any more.

    A picture is kept at least as long as a result, counted from its last use, so that the output
    of every kept result is there, unless the bound on all pictures has removed it.
    """

    def __init__(
        self,
        results: ResultStore,
        records: OperationRecords,
        assets: AssetStore,
        settings: HostSettings,
    ) -> None:
        self._results = results
        self._records = records
        self._assets = assets
        self._keep_seconds = settings.keep_seconds
        self._picture_seconds = max(settings.keep_hours * 3600, settings.keep_seconds)

    async def prepare(self) -> None:
        """Remove half-written files and what exceeds the bound, before the first request."""
        await asyncio.to_thread(self._results.tidy)
        await asyncio.to_thread(self._records.tidy)
        await asyncio.to_thread(self._assets.tidy)

    async def keep_up(self) -> None:
        """Remove what is old, now and every hour, until cancelled."""
        while True:
            await asyncio.to_thread(self._remove_old)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _remove_old(self) -> None:
        try:
            results = self._results.remove_older(self._keep_seconds)
            results += self._records.remove_older(self._keep_seconds)
            pictures = self._assets.remove_older(self._picture_seconds)
        except OSError:
            _log.exception("old results and pictures could not be removed; tried again in an hour")
        else:
            _log.info("removed %d old results and %d old pictures", results, pictures)


def create_app(settings: HostSettings, engine: Engine) -> FastAPI:
    """Put a host together; `app.state` has its work `queue` and its `runs`."""
    assets = AssetStore(settings.data_dir / "assets", settings.keep_bytes)
    results = ResultStore(settings.data_dir / "results")
    records = OperationRecords(settings.data_dir / "operations")
    queue = WorkQueue(settings.slots, settings.queue, settings.operation_seconds)
    downloads = PictureDownloads(
        settings.allow_url_hosts,
        settings.download_seconds,
        allow_private=settings.allow_private_urls,
        folder=assets.folder,
    )
    pictures = PictureFields(assets, settings.allow_roots, downloads)
    connections = Connections(settings.connections, settings.head_seconds)
    disk = partial(shortage, settings.data_dir)
    metrics = HostMetrics(engine, queue, connections, disk)
    outputs = Outputs(assets, settings.publish)
    runs = OperationRuns(
        results, records, outputs, queue, settings.operation_seconds, metrics.count_ended
    )
    runner = OperationRunner(engine, queue, pictures, assets, outputs)
    retention = Retention(results, records, assets, settings)
    memory = EngineMemory(engine, queue, settings.idle_unload_minutes * 60)
    queue.is_loading = lambda: engine.readiness == "starting"
    app = _bare(_lifespan(engine, queue, runs, runner, retention, memory, settings.stop_seconds))
    app.include_router(status_routes(engine, queue, disk), prefix=API)
    app.include_router(operation_routes(runs, runner), prefix=API)
    app.include_router(submitted_routes(runs), prefix=API)
    app.include_router(asset_routes(assets, queue), prefix=API)
    app.include_router(engine_routes(memory, partial(status_of, engine, queue, disk)), prefix=API)
    app.include_router(metrics_routes(metrics))
    tokens = Tokens(settings.token, settings.tokens_file)
    passes = PagePasses(tokens)
    app.include_router(page_routes(runs, passes))
    app.add_middleware(BodyLimits)
    app.add_middleware(Gate, tokens=tokens, passes=passes)
    app.add_middleware(CountRefusals, metrics=metrics)  # around all others
    install_error_answers(app)
    app.state.queue = queue
    app.state.runs = runs
    app.state.connections = connections
    return app


def _bare(lifespan: Lifespan) -> FastAPI:
    """Make an application without routes."""
    # FastAPI's own interactive pages load scripts from elsewhere; `page_routes` has one without.
    return HostApi(
        title="StoryCanvas face host",
        version=CONTRACT_VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )


def _lifespan(
    engine: Engine,
    queue: WorkQueue,
    runs: OperationRuns,
    runner: OperationRunner,
    retention: Retention,
    memory: EngineMemory,
    stop_seconds: float,
) -> Lifespan:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await retention.prepare()
        runs.restore(partial(restored, runner))
        upkeep = [asyncio.create_task(kept.keep_up()) for kept in (retention, memory)]
        yield
        queue.stop()
        await runs.finish(max(0.0, stop_seconds - queue.stopping_seconds))
        await asyncio.to_thread(engine.close)
        runner.close()
        for task in upkeep:
            task.cancel()

    return lifespan

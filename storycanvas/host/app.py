"""The host as an application: everything it consists of, put together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI

from storycanvas.faces.contract import API
from storycanvas.host.api.errors import install_error_answers
from storycanvas.host.api.middleware import BodyLimits, Gate
from storycanvas.host.api.routes import asset_routes, operation_routes, status_routes
from storycanvas.host.api.schema import CONTRACT_VERSION, HostApi
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.results import ResultStore
from storycanvas.host.operations.runner import OperationRunner
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.settings import HostSettings
from storycanvas.host.sources.picture_downloads import PictureDownloads
from storycanvas.host.sources.picture_fields import PictureFields
from storycanvas.host.storage.assets import AssetStore

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 3600.0

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]


class Retention:
    """Removes results and pictures that cannot be asked for any more.

    A picture is kept twice as long as a result, counted from its last use, so that the output of
    every kept result is there, unless the bound on all pictures has removed it.
    """

    def __init__(self, results: ResultStore, assets: AssetStore, keep_seconds: float) -> None:
        self._results = results
        self._assets = assets
        self._keep_seconds = keep_seconds

    async def prepare(self) -> None:
        """Remove half-written files and what exceeds the bound, before the first request."""
        await asyncio.to_thread(self._results.tidy)
        await asyncio.to_thread(self._assets.tidy)

    async def keep_up(self) -> None:
        """Remove what is old, now and every hour, until cancelled."""
        while True:
            await asyncio.to_thread(self._remove_old)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _remove_old(self) -> None:
        try:
            results = self._results.remove_older(self._keep_seconds)
            pictures = self._assets.remove_older(2 * self._keep_seconds)
        except OSError:
            _log.exception("old results and pictures could not be removed; tried again in an hour")
        else:
            _log.info("removed %d old results and %d old pictures", results, pictures)


def create_app(settings: HostSettings, engine: Engine) -> FastAPI:
    """Put a host together; `app.state` has its work `queue` and its `runs`."""
    assets = AssetStore(settings.data_dir / "assets", settings.keep_bytes)
    results = ResultStore(settings.data_dir / "results")
    queue = WorkQueue(settings.slots, settings.queue, settings.operation_seconds)
    downloads = PictureDownloads(
        settings.allow_url_hosts,
        settings.download_seconds,
        allow_private=settings.allow_private_urls,
    )
    pictures = PictureFields(assets, settings.allow_roots, downloads)
    runs = OperationRuns(results, assets, settings.operation_seconds)
    retention = Retention(results, assets, settings.keep_seconds)

    # The interactive pages of FastAPI load scripts from elsewhere; the document itself is enough.
    app = HostApi(
        title="StoryCanvas face host",
        version=CONTRACT_VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(engine, queue, runs, retention, settings.stop_seconds),
    )
    app.include_router(status_routes(engine, queue), prefix=API)
    runner = OperationRunner(engine, queue, pictures, assets)
    app.include_router(operation_routes(runs, runner), prefix=API)
    app.include_router(asset_routes(assets, queue), prefix=API)
    app.add_middleware(BodyLimits)
    app.add_middleware(Gate, token=settings.token)
    install_error_answers(app)
    app.state.queue = queue
    app.state.runs = runs
    return app


def _lifespan(
    engine: Engine, queue: WorkQueue, runs: OperationRuns, retention: Retention, stop_seconds: float
) -> Lifespan:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await retention.prepare()
        upkeep = asyncio.create_task(retention.keep_up())
        yield
        queue.stop()
        await runs.finish(max(0.0, stop_seconds - queue.stopping_seconds))
        await asyncio.to_thread(engine.close)
        upkeep.cancel()

    return lifespan

"""How long results and pictures stay on the disk."""

import asyncio
import logging

from storycanvas.host.operations.results import ResultStore
from storycanvas.host.storage.assets import AssetStore

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 3600.0


class Retention:
    """Removes what nobody can ask for any more.

    A picture stays twice as long as a result, counted from its last use, so that the output of
    every kept result is there, unless the bound on all pictures has removed it.
    """

    def __init__(self, results: ResultStore, assets: AssetStore, keep_seconds: float) -> None:
        self._results = results
        self._assets = assets
        self._keep_seconds = keep_seconds

    async def begin(self) -> None:
        """Bring both folders in order; to be awaited before the first request."""
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

"""Takes an operation from its request to its answer: pictures in, engine, picture out."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from storycanvas.faces.contract import ASSET_PREFIX, OperationAnswer, Phases
from storycanvas.faces.errors import EngineFailed, FaceError
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.api.requests import operation_of, picture_values
from storycanvas.host.engines.engine import Engine, EngineResult
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.sources.picture_fields import PictureFields
from storycanvas.host.storage.assets import AssetStore, is_asset

_log = logging.getLogger(__name__)

_ESTIMATES_AGE = {"detect-faces", "adjust-face"}


@dataclass(frozen=True)
class _Work:
    result: EngineResult
    seconds: float
    completed_at: datetime


class _Clock:
    """How long each part of one operation takes."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed


class OperationRunner:
    """Runs operations with the engine, each in its turn."""

    def __init__(
        self, engine: Engine, queue: WorkQueue, pictures: PictureFields, assets: AssetStore
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._pictures = pictures
        self._assets = assets

    async def run(self, request: FaceOperation, begun: Callable[[], None]) -> str:
        """Do what a request asks for; call `begun` when the engine starts.

        Returns:
            The answer as JSON; its output is kept by then.
        """
        operation, clock = operation_of(request), _Clock()
        values = picture_values(request)
        assets = [value for value in values.values() if is_asset(value)]
        with self._queue.place() as ticket, self._assets.held(assets):
            pictures = [await self._pictures.read(*named) for named in values.items()]
            decode = clock.lap()
            work = await self._queue.run(ticket, partial(self._engage, operation, pictures), begun)
        queue = max(0.0, clock.lap() - work.seconds)
        answer = await asyncio.to_thread(self._answer, operation, work)
        phases = Phases(queue=queue, decode=decode, engine=work.seconds, encode=clock.lap())
        _log.info("%s took %.3f s", operation.path, work.seconds)
        return answer.model_copy(update={"phases": phases}).model_dump_json(exclude_none=True)

    def _engage(self, operation: FaceOperation, pictures: Sequence[Picture]) -> _Work:
        started = time.perf_counter()
        try:
            result = self._engine.run(operation, pictures)
        except FaceError:
            raise
        except Exception as error:
            _log.exception("the engine broke down over %s", operation.path)
            raise EngineFailed(
                f"The engine broke down over {operation.path}; the host's log has the cause."
            ) from error
        return _Work(result, time.perf_counter() - started, datetime.now(UTC))

    def _answer(self, operation: FaceOperation, work: _Work) -> OperationAnswer:
        detects = not operation.makes_picture
        faces = work.result.faces
        return OperationAnswer(
            output_path=None if detects else self._keep(operation, work.result.picture),
            faces=faces if detects else None,
            total_faces=len(faces) if detects else None,
            faces_detected=len(faces),
            estimated_age=(work.result.estimated_age if operation.path in _ESTIMATES_AGE else None),
            processing_time_seconds=work.seconds,
            engine=self._engine.name,
            engine_version=self._engine.version,
            models=work.result.models,
            used=dict(work.result.used),
            stepped_down=work.result.reduced,
            engine_log=work.result.log,
            completed_at=work.completed_at,
        )

    def _keep(self, operation: FaceOperation, picture: Picture | None) -> str:
        if picture is None:
            raise EngineFailed(f"The engine gave no picture for {operation.path}.")
        return f"{ASSET_PREFIX}{self._assets.add(picture)}"

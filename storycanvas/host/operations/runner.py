"""Takes an operation from its request to its answer: pictures in, engine, picture out."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from storycanvas.faces.contract import OperationAnswer, Phases
from storycanvas.faces.errors import EngineFailed, FaceError, HostNotReady
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.output_files import encoded, require_writable
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.api.requests import operation_of, picture_values, wants_measure
from storycanvas.host.engines.cancelling import Cancellation
from storycanvas.host.engines.choosing import note_on_smaller
from storycanvas.host.engines.engine import Engine, EngineResult
from storycanvas.host.engines.measuring import Measuring
from storycanvas.host.operations.progress import RunControl
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.sources.picture_fields import PictureFields, Source
from storycanvas.host.storage.assets import AssetStore, is_asset
from storycanvas.host.storage.disk import LEAST_FREE_BYTES
from storycanvas.host.storage.outputs import Outputs

T = TypeVar("T")
_Room = Callable[..., None]
"""Refuses with `HostNotReady` what the disk has no room for; takes `needed`."""

_log = logging.getLogger(__name__)

_OUTPUT_BYTES_A_PIXEL = 4
"""No output is larger: that many bytes has a pixel with alpha before it is compressed."""
ROOM_SECONDS = 1.0
"""Between two looks for room on the disk."""
_ESTIMATES_AGE = {"detect-faces", "adjust-face"}


@dataclass(frozen=True)
class _Inputs:
    """The pictures of an operation; what was fetched stays while it waits for room.

    Attributes:
        values: Where they are, by field.
        files: Closes what was opened for them.
        sources: Those that are here, by field.
    """

    values: Mapping[str, str]
    files: ExitStack
    sources: dict[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class _Work:
    result: EngineResult
    seconds: float
    measure_seconds: float
    completed_at: datetime
    notes: tuple[str, ...]


class OperationRunner:
    """Runs operations with the engine, each in its turn."""

    def __init__(
        self,
        engine: Engine,
        queue: WorkQueue,
        pictures: PictureFields,
        assets: AssetStore,
        outputs: Outputs,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._pictures = pictures
        self._assets = assets
        self._outputs = outputs
        # Threads of their own: uploads and downloads do not wait behind pictures of 50 megapixels.
        self._threads = ThreadPoolExecutor(queue.ahead, thread_name_prefix="pictures")

    async def run(self, request: FaceOperation, run: RunControl) -> str:
        """Do what a request asks for, and tell `run.progress` of each phase.

        Returns:
            The answer as JSON; its output is kept by then.
        """
        operation, progress = operation_of(request), run.progress
        run.measures = wants_measure(request)
        values = picture_values(request)
        assets = [value for value in values.values() if is_asset(value)]
        publish = operation.makes_picture and len(assets) < len(values)
        room = partial(self._outputs.require_room, publish=publish)
        if not run.promised:
            room()
        with (
            self._queue.place(promised=run.promised) as ticket,
            self._assets.held(assets),
            ExitStack() as files,
        ):
            run.ticket = ticket
            run.admitted.set()
            inputs = _Inputs(values, files)
            work = await self._with_room(run, partial(self._work, operation, inputs, run, room))
        progress.enter("encoding")
        answer = await self._in_thread(partial(self._answer, operation, work, publish))
        phases = _with_waits(progress.phases, work)
        return answer.model_copy(update={"phases": phases}).model_dump_json(exclude_none=True)

    def close(self) -> None:
        """Begin no decoding and no encoding any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _with_room(self, run: RunControl, work: Callable[[], Awaitable[_Work]]) -> _Work:
        """Let what was taken wait for room on the disk instead of refusing it."""
        while True:
            try:
                return await work()
            except HostNotReady:
                begun = run.progress.begun.is_set()
                if not run.taken or begun or self._queue.state != "ok":
                    raise
            if run.progress.phase != "queued":
                run.progress.enter("queued")
            await asyncio.sleep(ROOM_SECONDS)

    async def _work(
        self, operation: FaceOperation, inputs: _Inputs, run: RunControl, room: _Room
    ) -> _Work:
        """Bring the pictures here and let the engine work; begin neither without room."""
        room()
        assert run.ticket is not None  # noqa: S101 - it has its place
        for name, value in inputs.values.items():
            if name not in inputs.sources:
                inputs.sources[name] = await self._pictures.fetch(name, value, inputs.files)
        sources = list(inputs.sources.values())
        if operation.makes_picture:
            needed = LEAST_FREE_BYTES + _OUTPUT_BYTES_A_PIXEL * sources[-1].pixels
            room = partial(room, needed=needed)
            room()
        await self._queue.turn_to_decode(run.ticket, sum(source.pixels for source in sources))
        run.progress.enter("decoding")
        pictures = await self._in_thread(partial(_decoded, operation, sources))
        run.progress.enter("ready")
        call = partial(self._engage, operation, pictures, run.cancellation, _measuring(run))
        del pictures  # the call alone keeps them, as long as the engine needs them

        def begin() -> None:
            room()  # the disk may have filled while it waited
            run.progress.enter("engine")
            inputs.files.close()

        return await self._queue.run(run.ticket, call, begin)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _engage(
        self,
        operation: FaceOperation,
        pictures: Sequence[Picture],
        cancellation: Cancellation,
        measuring: Measuring,
    ) -> _Work:
        started = time.perf_counter()
        try:
            with cancellation.active(), measuring.active():
                cancellation.check()
                result = self._engine.run(operation, pictures)
        except FaceError:
            raise
        except Exception as error:
            _log.exception("the engine broke down over %s", operation.path)
            raise EngineFailed(
                f"The engine broke down over {operation.path}; the host's log has the cause."
            ) from error
        ended = time.perf_counter()
        measured_from = measuring.began_at or ended
        notes = _notes(operation, result, pictures)
        seconds, measure_seconds = measured_from - started, ended - measured_from
        return _Work(result, seconds, measure_seconds, datetime.now(UTC), notes)

    def _answer(self, operation: FaceOperation, work: _Work, publish: bool) -> OperationAnswer:
        detects = not operation.makes_picture
        faces = work.result.faces
        return OperationAnswer(
            output_path=None if detects else self._keep(operation, work.result.picture, publish),
            faces=faces if detects else None,
            total_faces=len(faces) if detects else None,
            faces_detected=len(faces),
            selected_faces=tuple(faces[place] for place in work.result.chosen),
            notes=work.notes,
            estimated_age=(work.result.estimated_age if operation.path in _ESTIMATES_AGE else None),
            likeness=work.result.likeness,
            likeness_not_measured=work.result.likeness_not_measured,
            processing_time_seconds=work.seconds,
            engine=self._engine.name,
            engine_version=self._engine.version,
            models=work.result.models,
            used=dict(work.result.used),
            stepped_down=work.result.reduced,
            engine_log=work.result.log,
            execution=work.result.execution,
            completed_at=work.completed_at,
        )

    def _keep(self, operation: FaceOperation, picture: Picture | None, publish: bool) -> str:
        if picture is None:
            raise EngineFailed(f"The engine gave no picture for {operation.path}.")
        written = encoded(operation, picture)
        path = self._outputs.keep(written, publish=publish)
        if is_asset(path) and written.extension == "png":
            self._pictures.remember(path, written.decoded())
        return path


def _measuring(run: RunControl) -> Measuring:
    """Let the engine's thread begin the phase; belongs to the event loop."""
    enter = run.progress.enter_measuring
    loop = asyncio.get_running_loop()
    return Measuring(wanted=run.measures, began=partial(loop.call_soon_threadsafe, enter))


def _with_waits(phases: Phases, work: _Work) -> Phases:
    """Count what the engine did not work of its time as waiting."""
    waited = max(0.0, phases.engine + phases.measure - work.seconds - work.measure_seconds)
    return phases.model_copy(
        update={
            "engine": work.seconds,
            "measure": work.measure_seconds,
            "queue": phases.queue + waited,
        }
    )


def _decoded(operation: FaceOperation, sources: Sequence[Source]) -> list[Picture]:
    pictures = [source.read() for source in sources]
    require_writable(operation, pictures[-1])
    return pictures


def _notes(
    operation: FaceOperation, result: EngineResult, pictures: Sequence[Picture]
) -> tuple[str, ...]:
    """Write what a person should know about the pictures, and who did not choose a face."""
    notes = [note for picture in pictures for note in picture.notes]
    if operation.makes_picture and not (operation.face_position or operation.face_box):
        notes.append(note_on_smaller(result.faces, result.chosen) or "")
    return tuple(note for note in notes if note)

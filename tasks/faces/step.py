"""A step of a plan: find it in the ledger, or guard, host, store; then record."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from db.ledger import OperationLedger, record_operation
from db.schema.documents.faces import OperationRecord, Output
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import HostStatus, OperationAnswer
from storycanvas.faces.errors import EngineChanged, NoFace
from storycanvas.faces.operation_key import KEY_VERSION, operation_key
from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.pictures.provenance import provenance, with_provenance
from storycanvas.faces.pictures.reading import Picture, read_picture
from storycanvas.faces.plan import Step
from storycanvas.faces.report import LEFT_TO_HOST, STOPPED, Outcome
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest, run_with_failover
from storycanvas.gpu.pool.selection import engine_of
from storycanvas.net.redact import redact_url
from tasks.faces.context import RunContext
from tasks.faces.effects import pending_effects
from tasks.retries import RunStopped, Stopping, retrying_task


@dataclass(frozen=True)
class RunRequest:
    """For whom a plan is run.

    Attributes:
        character_id: Whose history and gallery show the results.
        status: The host's status when the run began; engine and version are part of every key.
        force: Whether operations that were done before are done again.
        record: Whether results are recorded; not while the inputs may still be refused.
        priority: Larger goes first among all that wait for a GPU host.
        stopping: Whether the run is being stopped.
    """

    character_id: str
    status: HostStatus
    force: bool = False
    record: bool = True
    priority: int = 0
    stopping: Stopping = field(default_factory=Stopping, repr=False, compare=False)

    def proceed(self) -> None:
        """Raise `RunStopped` if the run is being stopped; asked before a step uploads or waits."""
        self.stopping.check()


@dataclass(frozen=True)
class StepOutput:
    """A picture that steps can take: fetched, made now, or made long ago.

    Attributes:
        name: What messages call it.
        url: What the app can show; for an unrecorded picture the reference it was fetched by.
        sha256: Pixel hash; empty for `detect`.
        path: Its path in the image store; None for a fetched picture.
        picture: The picture, where it is at hand.
        outcome: How it came about; None for a fetched picture.
        seconds: What the step took.
        record: Its record in the ledger; None for a fetched picture.
    """

    name: str
    url: str
    sha256: str
    path: str | None = None
    picture: Picture | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0
    record: OperationRecord | None = None


@retrying_task("{step.name}")
def run_step(
    context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
) -> StepOutput | State[Any]:
    """Perform a step, or take its result from the ledger; record it in either case.

    Returns:
        The result; the state Cancelled if the run was stopped before there was one.
    """
    with request.stopping.working():
        try:
            request.proceed()
            return _find_or_perform(context, request, step, inputs)
        except Exception as error:
            if not request.stopping.begun:
                raise
            # Whatever failed, a stopped run tries nothing again.
            reason = STOPPED if isinstance(error, RunStopped) else LEFT_TO_HOST
            return Cancelled(message=reason)


def _find_or_perform(
    context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
) -> StepOutput:
    started = time.monotonic()
    operation = _Operation(context, request, step, inputs)
    record = operation.find()
    outcome: Outcome = "done" if record is None else "reused"
    record = record or operation.perform()
    if request.record:
        effects = pending_effects(record, step, inputs, request.character_id)
        record = record.model_copy(update={"effects": effects})
        record_operation(context.database, record, datetime.now(UTC))
    seconds = time.monotonic() - started
    get_run_logger().info(
        "%s in %.2f s (engine %.2f s)", outcome, seconds, record.processing_time_seconds
    )
    return _step_output(step, record, outcome, seconds)


class _Operation:
    """A step on given pictures: its key in the ledger, and how a host performs it."""

    def __init__(
        self, context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
    ) -> None:
        self._context = context
        self._step = step
        self._inputs = inputs
        self._hashes = [picture.sha256 for picture in inputs]
        self._engine = engine_of(request.status)
        self._key = operation_key(step.operation, self._hashes, *self._engine)
        self._ledger = OperationLedger(context.database)
        self._force = request.force
        self._priority = request.priority
        self._proceed = request.proceed

    def find(self) -> OperationRecord | None:
        """Look it up, unless its picture is gone or a forced run must redo it."""
        record = self._ledger.find(self._key)
        return record if record is not None and self._is_usable(record) else None

    def _is_usable(self, record: OperationRecord) -> bool:
        gone = record.output is not None and not self._context.store.holds(record.output.path)
        return not gone and (not self._force or record.repeat == self._context.run_id)

    def perform(self) -> OperationRecord:
        """Perform it on a host, unless another run has performed it while this one waited."""
        context = self._context
        operation = OperationRequest(
            operation=self._step.operation,
            engine=self._engine,
            bring=self._upload,
            run=context.run_name,
            run_id=context.run_id,
            wait_seconds=context.environment.storycanvas_slot_wait_seconds,
            priority=self._priority,
            proceed=self._proceed,
        )
        return run_with_failover(context.hosts, operation, self._on_one_host)

    def _on_one_host(self, slot: HostAttempt) -> OperationRecord:
        self._require_room()
        with slot.held() as (host, assets):
            known = self._ledger.find(self._key)
            if known is not None and self._is_usable(known):
                return known
            self._require_room()  # again: the wait for the slot may have taken long
            # A result in the ledger is made again: by force, or because its picture is lost. The
            # host would answer the same key with its kept result, so the key gets a suffix.
            repeat = self._context.run_id if self._force or known is not None else None
            key = f"{self._key}:{repeat}" if repeat else self._key
            client = host.client
            answer = client.operate(
                self._step.operation, assets, key, upload_again=lambda: self._upload(client)
            )
        self._check(answer)
        _log_answer(answer)
        return self._record(answer, self._store(answer, client), repeat, client.url)

    def _require_room(self) -> None:
        """Send nothing to a host whose result could not be stored."""
        self._context.store.require_room(self._context.environment.storycanvas_store_min_free_mb)

    def _upload(self, client: FaceHostClient) -> list[str]:
        return [client.upload(picture) for picture in self._pictures]

    @cached_property
    def _pictures(self) -> list[Picture]:
        return [_picture(output, self._context) for output in self._inputs]

    def _check(self, answer: OperationAnswer) -> None:
        if answer.total_faces == 0:
            raise NoFace(
                f"No face was found in the {self._inputs[0].name} picture "
                f"{redact_url(self._inputs[0].url)}; choose one that shows a face from the front."
            )
        if (answer.engine, answer.engine_version) != self._engine:
            raise EngineChanged(
                f"The host's engine changed from {' '.join(self._engine)} to {answer.engine} "
                f"{answer.engine_version} during the run; start the run again."
            )

    def _store(self, answer: OperationAnswer, client: FaceHostClient) -> Output | None:
        if answer.output_path is None:
            return None
        picture = client.download(answer.output_path)
        origin = provenance(self._step.operation, self._hashes, answer)
        stored = self._context.store.put(
            with_provenance(picture, origin), Category.RESULT, "png", answer.completed_at
        )
        return Output(
            path=stored.path,
            url=stored.url,
            sha256=picture.sha256,
            width=picture.width,
            height=picture.height,
        )

    def _record(
        self, answer: OperationAnswer, output: Output | None, repeat: str | None, host: str
    ) -> OperationRecord:
        faces = [face.model_dump() for face in answer.faces] if answer.faces is not None else None
        parameters = self._step.operation.model_dump(mode="json", exclude_none=True)
        return OperationRecord(
            operation_key=self._key,
            key_version=KEY_VERSION,
            operation_type=parameters.pop("operation_type"),
            parameters=parameters,
            inputs=self._hashes,
            engine=answer.engine,
            engine_version=answer.engine_version,
            host=host,
            output=output,
            faces=faces,
            estimated_age=answer.estimated_age,
            processing_time_seconds=answer.processing_time_seconds,
            created_at=answer.completed_at,
            repeat=repeat,
        )


def _log_answer(answer: OperationAnswer) -> None:
    """Log the engine's own lines and where it deviated from what was asked."""
    log = get_run_logger()
    for line in answer.engine_log:
        log.info("%s: %s", answer.engine, line)
    if answer.used:
        log.info("really used: %s", answer.used)
    for reduction in answer.stepped_down:
        log.warning("for lack of memory on the host: %s", reduction)


def _picture(output: StepOutput, context: RunContext) -> Picture:
    if output.picture is not None or output.path is None:
        return output.picture or context.fetch(output.url)
    return read_picture(context.store.read(output.path), output.name)


def _step_output(
    step: Step, record: OperationRecord, outcome: Outcome, seconds: float
) -> StepOutput:
    output = record.output
    return StepOutput(
        name=step.name,
        url=output.url if output else "",
        sha256=output.sha256 if output else "",
        path=output.path if output else None,
        outcome=outcome,
        seconds=seconds,
        record=record,
    )

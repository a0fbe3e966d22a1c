"""A step of a plan: find it in the ledger, or guard, host, store; then record."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from db.ledger import OperationLedger, record_operation
from db.schema.documents.faces import OperationRecord, Output
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import HostStatus, OperationAnswer
from storycanvas.faces.errors import (
    EngineChanged,
    IdempotencyKeyReused,
    MeasuringFailed,
    NoFace,
    OperationCancelled,
)
from storycanvas.faces.measures.measure import LikenessScale, PictureMeasure
from storycanvas.faces.operation_key import KEY_VERSION, operation_key
from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.pictures.provenance import (
    provenance,
    with_provenance,
    without_provenance,
)
from storycanvas.faces.pictures.reading import Picture, decode, read_picture
from storycanvas.faces.plan import PlanPicture, Step
from storycanvas.faces.reports.steps import GIVEN_UP, LEFT_TO_HOST, Outcome
from storycanvas.faces.results.checks import Bounds
from storycanvas.faces.results.seen_faces import MeasuredPixels
from storycanvas.faces.sheets.contact_sheet import cut_out
from storycanvas.faces.sheets.layout import Views
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest, run_with_failover
from storycanvas.gpu.pool.selection import engine_of
from storycanvas.gpu.prefect_client import run_log
from storycanvas.net.redact import redact_url
from tasks.faces.context import RunContext
from tasks.faces.effects import pending_effects
from tasks.faces.failures import FailureLimit
from tasks.faces.fetched import FetchedPicture
from tasks.faces.measuring.baselines import compared_by
from tasks.faces.measuring.host_distances import compared_on_hosts
from tasks.faces.measuring.measuring import Measured
from tasks.faces.measuring.steps import (
    MeasureRules,
    bounds_of,
    is_measured,
    picture_to_measure,
    refuse,
)
from tasks.retries import FETCH_SECONDS, RunStopped, Stopping, retrying_task


@dataclass(frozen=True)
class RunRequest:
    """For whom a plan is run.

    Attributes:
        origin: Id of what the work is for: a flow run, a job or a task.
        character_id: Whose history and gallery show the results; None leaves both alone.
        status: The host's status when the run began; engine and version are part of every key.
        force: Whether operations that were done before are done again.
        label: What stands before the names of steps.
        record: Whether results are recorded; not while the inputs may still be refused.
        priority: Larger goes first among all that wait for a GPU host.
        stopping: Whether the run is being stopped.
        failures: How many failures the run takes before it begins nothing more.
        views: What the contact sheet shows, cut out while a picture's pixels are at hand.
        measuring: Whether pictures are measured, and what follows from it.
        character_name: What people call the character.
        review_hours: How long a person's decision is waited for before the character receives
            anything; None asks no person.
    """

    origin: str
    character_id: str | None
    status: HostStatus
    force: bool = False
    label: str = ""
    record: bool = True
    priority: int = 0
    stopping: Stopping = field(default_factory=Stopping, repr=False, compare=False)
    failures: FailureLimit = field(default_factory=FailureLimit, repr=False, compare=False)
    views: Views = field(default_factory=dict, repr=False, compare=False)
    measuring: MeasureRules = field(default_factory=MeasureRules)
    character_name: str = ""
    review_hours: int | None = None

    @property
    def subject(self) -> str:
        """What artifacts are named after: a character has one history of them over all runs."""
        return self.character_id or self.origin

    def proceed(self) -> None:
        """Raise `RunStopped` if the run is being stopped; asked as a step uploads or waits."""
        self.stopping.check()

    def fetch(self) -> None:
        """Raise `RunStopped` if a result takes too long for a run that is being stopped."""
        self.stopping.check(FETCH_SECONDS, LEFT_TO_HOST)


@dataclass(frozen=True)
class StepOutput:
    """A picture that steps can take: fetched, made now, or made long ago.

    Attributes:
        name: What messages call it.
        url: What the app can show; for an unrecorded picture the reference it was fetched by.
        sha256: Pixel hash; empty for `detect`.
        path: Its path in the image store; None for a fetched picture.
        picture: What was fetched; None for a result.
        outcome: How it came about; None for a fetched picture.
        seconds: What the step took.
        record: Its record in the ledger; None for a fetched picture.
        views: Small PNG files of what the contact sheet shows of it, by whether that is all of it;
            none where its pixels were not at hand.
        measured: What is measured of it, beside the steps that follow; None for nothing.
    """

    name: str
    url: str
    sha256: str
    path: str | None = None
    picture: FetchedPicture | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0
    record: OperationRecord | None = None
    views: Mapping[bool, bytes] = field(default_factory=dict, repr=False)
    measured: Future[Measured] | None = field(default=None, repr=False, compare=False)


ANOTHER_STEP_SECONDS, ASK_SECONDS = 30.0, 0.2
"""How long a result is waited for that another step is about to record."""


@retrying_task("{request.label}{step.name}")
def run_step(
    context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
) -> StepOutput | State[Any]:
    """Perform a step, or take its result from the ledger; record it in either case.

    Returns:
        The result; the state Cancelled if the run was stopped, or begins nothing more, before there
        was one.
    """
    if request.failures.reached:
        return Cancelled(message=request.failures.sentence())
    with request.stopping.working():
        try:
            request.proceed()
            return _find_or_perform(context, request, step, inputs)
        except Exception as error:
            if not request.stopping.begun:
                raise
            # Whatever failed, a stopped run tries nothing again.
            return Cancelled(message=_stopped_by(error))


def find_output(
    context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
) -> StepOutput | None:
    """Take the result of a step from the ledger as `run_step` does; None if there is none."""
    record = _Operation(context, request, step, inputs).find()
    return None if record is None else _step_output(step, record, "reused", 0.0, {})


def _stopped_by(error: Exception) -> str:
    """Explain what became of a step whose run was stopped."""
    match error:
        case RunStopped():
            return str(error)
        case OperationCancelled():
            return GIVEN_UP
    return LEFT_TO_HOST


def _find_or_perform(
    context: RunContext, request: RunRequest, step: Step, inputs: Sequence[StepOutput]
) -> StepOutput:
    started = time.monotonic()
    operation = _Operation(context, request, step, inputs)
    record = operation.find()
    outcome: Outcome = "done" if record is None else "reused"
    record = record or operation.perform()
    if outcome == "done":
        context.took.setdefault(record.operation_type, []).append(record.processing_time_seconds)
    measured = _recorded(operation, record) if request.record else None
    seconds = time.monotonic() - started
    get_run_logger().info(
        "%s in %.2f s (engine %.2f s)", outcome, seconds, record.processing_time_seconds
    )
    output = _step_output(step, record, outcome, seconds, operation.views)
    return replace(output, measured=measured)


def _recorded(operation: "_Operation", record: OperationRecord) -> Future[Measured] | None:
    """Record an operation and have its picture measured, beside the steps that follow."""
    if not operation.request.measuring.fails:
        operation.record(record)
        return operation.measured(record)
    operation.record(record, with_effects=False)  # no character gets a picture that is refused
    measured = operation.measured(record)
    refuse(measured)
    operation.record(record)
    return measured


def cut_views(request: RunRequest, name: str, picture: Picture) -> dict[bool, bytes]:
    """Cut out what the contact sheet shows of a picture."""
    views = request.views.get(name, {})
    return {whole: cut_out(picture.image, face) for whole, face in views.items()}


def look(
    context: RunContext,
    request: RunRequest,
    step: Step,
    pictures: Sequence[PlanPicture],
    anew: bool,
) -> OperationRecord:
    """Take a look at pictures from the ledger, or have a host do it and record it; not as a task.

    Returns:
        A record without faces where the host sees none in one of the pictures.

    Raises:
        RunStopped: The run is being stopped.
        FaceError: No host did it.
    """
    plain = replace(request, character_id=None, force=anew, views={})
    with request.stopping.working():
        request.proceed()
        inputs = [_fetched(context, picture) for picture in pictures]
        operation = _Operation(context, plain, step, inputs)
        known = operation.find()
        record = known or operation.look()
        if known is None:
            operation.record(record)
    return record


def _fetched(context: RunContext, picture: PlanPicture) -> StepOutput:
    fetched = FetchedPicture.of(picture, context.pictures)
    return StepOutput(picture.name, picture.reference, fetched.sha256, picture=fetched)


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
        self.request = request
        self.views: dict[bool, bytes] = {}
        self._pixels: MeasuredPixels | None = None

    def find(self) -> OperationRecord | None:
        """Look it up, unless its picture is gone or a forced run must redo it."""
        record = self._ledger.find(self._key)
        return record if record is not None and self._is_usable(record) else None

    def _is_usable(self, record: OperationRecord) -> bool:
        gone = record.output is not None and not self._context.store.holds(record.output.path)
        return not gone and (not self.request.force or record.repeat == self._context.run_id)

    def perform(self) -> OperationRecord:
        """Perform it on a host, unless another step has performed it while this one waited."""
        try:
            return self._perform()
        except IdempotencyKeyReused:
            # Another step sent another file of the same pixels under this key a moment ago: its
            # result is on its way into the ledger, unless it was killed.
            record = self._of_another_step() if self.request.record else None
            return record or self._perform(own_key=True)
        finally:
            # Attempts refer to themselves: they, and all that they lead to, stay in memory until
            # Python looks for such cycles, which may be dozens of pictures later.
            self.__dict__.pop("_pictures", None)

    def look(self) -> OperationRecord:
        """Perform what makes no picture; that the engine sees no face is a result like any other.

        It will see none the next time either, so the ledger keeps it.
        """
        try:
            return self.perform()
        except NoFace as error:
            run_log(__name__).info("%s: %s", self._step.name, error)
            return self._record_without_faces()

    def _of_another_step(self) -> OperationRecord | None:
        until = time.monotonic() + ANOTHER_STEP_SECONDS
        while time.monotonic() < until:
            self.request.proceed()
            record = self.find()
            if record is not None:
                return record
            time.sleep(ASK_SECONDS)
        return None

    def record(self, record: OperationRecord, *, with_effects: bool = True) -> None:
        """Record it; its effects are what it adds to a character, unless a person decides that."""
        character_id = self.request.character_id
        with_effects = with_effects and self.request.review_hours is None
        if character_id is not None:
            flow = self._context.flow_name
            found = pending_effects(record, self._step, self._inputs, character_id, flow)
            record = record.model_copy(update={"effects": found if with_effects else []})
        record_operation(self._context.database, record, datetime.now(UTC))

    def measured(self, record: OperationRecord) -> Future[Measured] | None:
        """Have the picture measured, beside the steps that follow."""
        rules, pixels = self.request.measuring, self._pixels
        self._pixels = None
        stopped = self.request.stopping.begun  # the next run that meets the entry measures it
        if stopped or not (rules.on and is_measured(self._step, record)):
            return None
        context, path = self._context, record.output.path if record.output else ""
        picture = picture_to_measure(
            context.measuring,
            self._ledger,
            self._step,
            record,
            self._inputs,
            read=lambda output: picture_of(output, context),
            made=lambda: decode(context.store.read(path), self._step.name),
            bounds=self._bounds,
        )
        return context.measuring.submit(picture, pixels)

    def _bounds(self, scale: LikenessScale) -> Bounds:
        context, request = self._context, self.request
        compare = compared_on_hosts(partial(look, context, request))
        if scale == "dlib":
            compare = compared_by(context.measuring.meters())
        own = partial(context.baselines.of, scale=scale, compare=compare)
        return bounds_of(request.measuring, request.character_id, scale, own)

    def _perform(self, *, own_key: bool = False) -> OperationRecord:
        context = self._context
        operation = OperationRequest(
            operation=self._step.operation,
            engine=self._engine,
            bring=self._upload,
            run=context.run_name,
            run_id=context.run_id,
            wait_seconds=context.environment.storycanvas_slot_wait_seconds,
            priority=self.request.priority,
            proceed=self.request.proceed,
            key=None if self.request.force else self._key,
        )
        work = partial(self._on_one_host, own_key=own_key)
        return run_with_failover(context.hosts, operation, work)

    def _on_one_host(self, slot: HostAttempt, *, own_key: bool) -> OperationRecord:
        self._require_room()
        with slot.held() as (host, assets):
            known = self._ledger.find(self._key)
            if known is not None and self._is_usable(known):
                return known
            self._require_room()  # again: the wait for the slot may have taken long
            # A result in the ledger is made again: by force, or because its picture is lost. The
            # host would answer the same key with its kept result, so the key gets a suffix.
            repeat = self._context.run_id if self.request.force or known is not None else None
            key = f"{self._key}:{repeat}" if repeat else self._key
            key = f"{key}:{_files_of(assets)}" if own_key else key
            client = host.client
            answer = slot.operate(
                host,
                assets,
                key,
                lambda: self._upload(client),
                measure=self.request.measuring.on,
            )
        self._check(answer)
        _log_answer(answer)
        return self._record(answer, self._store(answer, client), repeat, client.url)

    def _require_room(self) -> None:
        """Send nothing to a host whose result could not be stored."""
        self._context.store.require_room(self._context.environment.storycanvas_store_min_free_mb)

    def _upload(self, client: FaceHostClient) -> list[str]:
        proceed = self.request.proceed
        names = [self._context.upload(client, picture, proceed) for picture in self._pictures]
        if self.request.record:  # else the sheet's views are still to be cut out of its pixels
            for picture in self._pictures:
                self._see(picture)
                picture.compact()
        return names

    def _see(self, picture: Picture) -> None:
        """Find the faces that the result is compared with while the pixels are at hand."""
        wanted = self.request.measuring.on and self._step.operation.makes_picture
        if wanted and picture.has_pixels:
            with suppress(MeasuringFailed):  # told where the result is measured
                self._context.measuring.faces_of(
                    picture.sha256, lambda: MeasuredPixels.of(picture.image)
                )

    @cached_property
    def _pictures(self) -> list[Picture]:
        return [picture_of(output, self._context) for output in self._inputs]

    def _check(self, answer: OperationAnswer) -> None:
        if answer.total_faces == 0:
            raise NoFace(
                f"No face was found in the {self._inputs[-1].name} picture "
                f"{redact_url(self._inputs[-1].url)}; choose one that shows a face from the front."
            )
        if (answer.engine, answer.engine_version) != self._engine:
            raise EngineChanged(
                f"The host's engine changed from {' '.join(self._engine)} to {answer.engine} "
                f"{answer.engine_version} during the run; start the run again."
            )

    def _store(self, answer: OperationAnswer, client: FaceHostClient) -> Output | None:
        if answer.output_path is None:
            return None
        picture = client.download(answer.output_path, self.request.fetch)
        self.views = cut_views(self.request, self._step.name, picture)
        if self.request.record and self.request.measuring.on:
            self._pixels = MeasuredPixels.of(picture.image)
        picture.compact()
        origin = provenance(self._step.operation, self._hashes, answer)
        stored = self._context.store.put(
            with_provenance(picture, origin),
            Category.RESULT,
            picture.extension,
            answer.completed_at,
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
        selected = [face.model_dump() for face in answer.selected_faces]
        engine = (answer.engine, answer.engine_version)
        return OperationRecord(
            **self._identity(engine),
            host=host,
            output=output,
            faces=faces,
            faces_detected=answer.faces_detected,
            selected_faces=selected or None,
            estimated_age=answer.estimated_age,
            measure=_measured_by_host(answer) if self.request.measuring.on else None,
            processing_time_seconds=answer.processing_time_seconds,
            created_at=answer.completed_at,
            repeat=repeat,
        )

    def _record_without_faces(self) -> OperationRecord:
        return OperationRecord(
            **self._identity(self._engine),
            host="",  # a refusal does not name its host, nor what it took
            faces=[],
            faces_detected=0,
            processing_time_seconds=0.0,
            created_at=datetime.now(UTC),
            repeat=self._context.run_id if self.request.force else None,
        )

    def _identity(self, engine: tuple[str, str]) -> dict[str, Any]:
        """Describe in a record what was done, by which engine and version."""
        parameters = self._step.operation.model_dump(mode="json", exclude_none=True)
        return {
            "operation_key": self._key,
            "key_version": KEY_VERSION,
            "operation_type": parameters.pop("operation_type"),
            "parameters": parameters,
            "inputs": self._hashes,
            "engine": engine[0],
            "engine_version": engine[1],
        }


def _measured_by_host(answer: OperationAnswer) -> dict[str, Any] | None:
    """Keep the likeness that a host measured, or why it did not; the run measures the rest."""
    reason = answer.likeness_not_measured
    if answer.likeness is None and reason is None:
        return None
    told = () if reason is None else (reason,)
    measure = PictureMeasure(version=0, likeness=answer.likeness, not_measured=told)
    return measure.model_dump(mode="json")


def _files_of(assets: Sequence[str]) -> str:
    """Make of the names of files what tells them from others of the same pixels."""
    return hashlib.sha256("\n".join(assets).encode()).hexdigest()[:16]


def _log_answer(answer: OperationAnswer) -> None:
    """Log the engine's own lines and where it deviated from what was asked."""
    log = run_log(__name__)
    for line in answer.engine_log:
        log.info("%s: %s", answer.engine, line)
    if answer.used:
        log.info("really used: %s", answer.used)
    for note in answer.notes:
        log.warning("%s", note)
    for reduction in answer.stepped_down:
        log.warning("for lack of memory on the host: %s", reduction)


def picture_of(output: StepOutput, context: RunContext) -> Picture:
    """Read the picture of an output."""
    if output.picture is not None:
        return output.picture.content()
    path = output.path or ""
    file = context.store.read(path)
    made = output.record.output if output.record else None
    if made is None:
        return read_picture(file, output.name).compact()
    # The very file that the host made: it has it already, and nothing is decoded here.
    extension = path.rpartition(".")[2]
    plain = without_provenance(file, extension)
    return Picture(plain, made.width, made.height, made.sha256, extension)


def _step_output(
    step: Step,
    record: OperationRecord,
    outcome: Outcome,
    seconds: float,
    views: Mapping[bool, bytes],
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
        views=views,
    )

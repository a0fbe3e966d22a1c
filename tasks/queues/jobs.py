"""The jobs of the app: each is one of the face pipelines, or a batch (docs/jobs.md)."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from db.connection import Document, reading_anything, translated_errors
from db.errors import DatabaseError
from db.queues.claims import Claim
from db.queues.queue import JOBS
from storycanvas.faces.chain import CHAIN
from storycanvas.faces.jobs import JobRequest, job_label, read_job
from storycanvas.faces.recipes.job import ChainWork
from storycanvas.faces.recipes.pipeline import Pipeline
from storycanvas.faces.reports.batch import batch_report
from storycanvas.faces.reports.jobs import batch_output, pipeline_output
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.sources.trust import NamedBy
from tasks.faces.batch import BatchRules, PreparedBatch, item_results, prepare_batch
from tasks.faces.chains import saved_chain
from tasks.faces.context import RunContext
from tasks.faces.failures import FailureLimit
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult, record_failures, run_plans
from tasks.faces.reporting.report import plain_report, report_run
from tasks.faces.run import PreparedRun, RunOptions, prepare
from tasks.pictures.gallery import show_new_results
from tasks.queues.ends import decide
from tasks.queues.held import HeldClaim
from tasks.queues.work import WorkResult
from tasks.retries import tried_once

MAX_PRIORITY = 100
"""Of the guard; the app may write any number."""


class JobWork:
    """How documents of `facefusion_jobs` are worked on.

    Args:
        context: The run's context.
    """

    queue = JOBS

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._names: dict[str, str] = {}

    def label(self, claim: Claim) -> str:
        """Name a job: `job 3f9a · swap · Mara`."""
        document = claim.document
        kind, subject = document.get("job_type"), self._name_of(document.get("character_id"))
        return job_label(claim.id, kind if isinstance(kind, str) else None, subject)

    def do(self, held: HeldClaim) -> WorkResult:
        """Do what a job asks for."""
        tried_once.set(True)  # in this thread: a job that fails is claimed again
        claim = held.claim
        document = claim.document
        request = read_job(
            document.get("job_type"), document.get("input_data"), document.get("character_id")
        )
        context = self._context.for_job(claim.id, f"{self.label(claim)} · ", held.stopping)
        options = RunOptions(
            character_id=request.character_id,
            preset=request.preset,
            settings=request.settings,
            longest_side=request.longest_side,
            priority=_priority(document.get("priority")),
        )
        if isinstance(request.work, tuple):
            rules = BatchRules(named_by=NamedBy.DOCUMENT)
            return _do_batch(context, held, prepare_batch(context, options, request.work, rules))
        pipeline = _pipeline(context, request.work)
        return _do_pipeline(context, held, request, prepare(context, options, pipeline))

    def end_values(self, held: HeldClaim, status: str) -> Document:
        """Give the progress of a completed job; a failed one keeps its own."""
        del held
        return {"progress": 100.0} if status == "completed" else {}

    def after_end(self, claim: Claim) -> None:
        """Show what the job added to its character's gallery."""
        character_id, context = claim.document.get("character_id"), self._context
        makes_none = claim.document.get("job_type") == "detect"
        if isinstance(character_id, str) and character_id and not makes_none:
            show_new_results(context.database, context.store, character_id)

    def _name_of(self, character_id: object) -> str | None:
        """Find what people call a character; its id where that cannot be read."""
        if not isinstance(character_id, str):
            return None
        if character_id not in self._names:
            try:
                with translated_errors():
                    found = reading_anything(self._context.database)["characters"].find_one(
                        {"id": character_id}, {"name": True}
                    )
            except DatabaseError:
                return character_id
            self._names[character_id] = str((found or {}).get("name") or character_id)
        return self._names[character_id]


def _priority(written: object) -> int:
    if not isinstance(written, int | float) or math.isnan(written):
        return 0
    return round(max(-MAX_PRIORITY, min(MAX_PRIORITY, written)))


def _pipeline(context: RunContext, work: Pipeline | ChainWork) -> Pipeline:
    if isinstance(work, ChainWork):
        return work.pipeline(saved_chain(context, work.name))
    return work


def _do_pipeline(
    context: RunContext, held: HeldClaim, request: JobRequest, run: PreparedRun
) -> WorkResult:
    move = _progress(held, len(run.plan.steps), run.request.failures)
    (result,) = run_plans(context, [(run.request, run.plan)], move)
    came_to = _came_to(result.steps, result)
    sheet = None
    if not _is_final(held, came_to):
        return came_to
    if request.contact_sheet:
        report = report_run(context, run.request, run.inspection, result, run.preferences)
        sheet = report.contact_sheet
    elif result.errors:
        record_failures(context, run.request, result)
    if not came_to.done and not request.ages and request.job_type != CHAIN:
        return came_to
    records = (result.outputs[name].record for name in result.outputs)
    faces = next((record.faces for record in records if record and record.faces), None) or ()
    output = pipeline_output(request, result.plan, result.steps, faces, sheet)
    return _with_output(came_to, output)


def _do_batch(context: RunContext, held: HeldClaim, batch: PreparedBatch) -> WorkResult:
    total = len(batch.items)
    refused = len(batch.planned.refused)
    move = _progress(held, total, batch.request.failures, refused)
    result = batch.run(context, move)
    came_to = _came_to(result.steps, result, some_are_enough=True)
    if not _is_final(held, came_to):
        return came_to
    if result.errors:
        record_failures(context, batch.request, result)
    report = plain_report(context, batch.request, Inspection(), result)
    output = batch_output(batch_report(report, item_results(batch.items, result), 0))
    return _with_output(came_to, output)


def _progress(
    held: HeldClaim, total: int, failures: FailureLimit, refused: int = 0
) -> Callable[[float], None]:
    """Return what writes the share of finished steps into the document.

    Args:
        held: The claim.
        total: All operations.
        failures: Counts those that failed.
        refused: Those of them that are not begun, which the share does not know.
    """

    def move(share: float) -> None:
        failed = failures.count + refused
        done = round(share * (total - refused)) - failures.count
        held.advance(100.0 * (done + failed) / total, _counts(total, done, failed))

    move(0.0)
    return move


def _counts(total: int, done: int, failed: int) -> Document:
    return {
        "total_operations": total,
        "completed_operations": done,
        "failed_operations": failed,
    }


def _came_to(
    steps: Iterable[StepReport], result: PlanResult, *, some_are_enough: bool = False
) -> WorkResult:
    are_done = [step.is_done for step in steps]
    done = sum(are_done)
    return WorkResult(
        done=all(are_done),
        enough=some_are_enough and done > 0,
        errors=(*result.errors.values(), *result.missing.values()),
        values=_counts(len(are_done), done, len(are_done) - done),
        steps=f"{done} of {len(are_done)} done",
    )


def _is_final(held: HeldClaim, came_to: WorkResult) -> bool:
    """Check whether the job ends with this, so that history and document tell it."""
    stopped = held.stopping.begun
    return decide(came_to, stopped=stopped, is_last=held.claim.is_last).became in {
        "completed",
        "failed",
    }


def _with_output(came_to: WorkResult, output: Document) -> WorkResult:
    return replace(came_to, values={**came_to.values, "output_data": output})

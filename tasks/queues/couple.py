"""Tasks of the couple swap: each is one `couple-face-swap`.

The page is docs/pipelines/couple-face-swap.md.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from db.connection import Document
from db.couple_results import CoupleResults
from db.couple_rows import CoupleRows
from db.queues.claims import Claim
from db.queues.queue import COUPLE_TASKS
from db.schema.documents.faces import OperationRecord
from storycanvas.couple.placing import HusbandOn
from storycanvas.couple.swap import couple_pipeline
from storycanvas.faces.errors import PictureGone, PictureNotFound
from storycanvas.faces.sources.trust import NamedBy
from storycanvas.net.wording import counted
from tasks.couple.swap import first_names, swap_of_task
from tasks.faces.context import RunContext
from tasks.faces.failures import FailureLimit
from tasks.faces.plan import PlanResult, run_plans
from tasks.faces.run import RunOptions, prepare
from tasks.queues.held import HeldClaim
from tasks.queues.work import WorkResult
from tasks.retries import tried_once

_RESULTS = uuid5(NAMESPACE_URL, "storycanvas:couple-results")
ALL_BUT_THE_END = 99
"""Percent of a task whose swaps are done, and whose row is not written yet."""
TEMPORARY = "temporary"


class CoupleWork:
    """How documents of `faceswap_tasks` are worked on.

    Args:
        context: The run's context.
        husband: Where the husband is, where no mapping says it; None leaves it to the template.
    """

    queue = COUPLE_TASKS

    def __init__(self, context: RunContext, husband: HusbandOn | None = None) -> None:
        self._context = context
        self._husband = husband
        self._results = CoupleResults(context.database)
        self._rows = CoupleRows(context.database)

    def label(self, claim: Claim) -> str:
        """Name a task: `task 3f9a`."""
        return f"task {claim.id[:4]}"

    def do(self, held: HeldClaim) -> WorkResult:
        """Swap the faces that a task asks for, and write the row of the result."""
        tried_once.set(True)  # in this thread: a task that fails is claimed again
        started = time.monotonic()
        claim = held.claim
        task = first_names("faceswap_tasks", claim.document)
        context = self._context.for_job(claim.id, f"{self.label(claim)} · ", held.stopping)
        temporary = [row["id"] for row in self._temporary_photos(task)]
        try:
            result = self._swapped(context, held, task)
        except PictureNotFound as error:
            raise PictureGone("A picture of the task is not in its store any more.") from error
        finally:
            if temporary:
                context.remove_uploads()
        came_to = _came_to(result, temporary)
        if not came_to.done:
            return came_to
        row = self._row(task, result)
        values = {
            "result_image_id": self._results.add_image(row),
            "processing_time": round(time.monotonic() - started, 3),
        }
        return replace(came_to, values=values)

    def end_values(self, held: HeldClaim, status: str) -> Document:
        """Give the progress of a completed task; a failed one keeps its own."""
        del held
        return {"progress": 100} if status == "completed" else {"processing_time": None}

    def after_end(self, claim: Claim) -> None:
        """Count the task in its template's popularity, and the tasks of its batch."""
        template_id = claim.document.get("template_id")
        self._results.count_use(claim.id, template_id)
        batch_id = claim.document.get("batch_id")
        if isinstance(batch_id, str):
            self._results.recount_batch(batch_id)

    def _swapped(self, context: RunContext, held: HeldClaim, task: Mapping[str, Any]) -> PlanResult:
        swap = replace(swap_of_task(context, task), husband=self._husband)
        pipeline = replace(couple_pipeline(swap), named_by=NamedBy.DOCUMENT)
        run = prepare(context, RunOptions(), pipeline)
        move = _progress(held, len(run.plan.steps), run.request.failures)
        (result,) = run_plans(context, [(run.request, run.plan)], move)
        return result

    def _temporary_photos(self, task: Mapping[str, Any]) -> Iterator[Document]:
        for name in ("husband_image_id", "wife_image_id"):
            row = self._rows.image(str(task[name])) if task.get(name) else None
            if row and (row.get("storage_type") == TEMPORARY or row.get("expires_at")):
                yield row

    def _row(self, task: Mapping[str, Any], result: PlanResult) -> Document:
        """Make the row of a result; a second try of the task makes the same."""
        records = [
            record
            for step in result.plan.steps
            if (record := result.outputs[step.name].record) is not None
        ]
        last = records[-1]
        output = last.output
        if output is None:
            raise PictureGone("The last step of the task has left no picture.")
        keys = [record.operation_key for record in records]
        file = self._context.store.read(output.path)
        return {
            "id": str(uuid5(_RESULTS, "\n".join([str(task["id"]), *keys]))),
            "user_id": task.get("user_id"),
            "filename": output.path.rpartition("/")[2],
            "storage_path": output.path,
            "file_size": len(file),
            "width": output.width,
            "height": output.height,
            "image_type": "result",
            "storage_type": "permanent",
            "category": self._category(task.get("template_id")),
            "tags": [],
            "uploaded_at": last.created_at,
            "metadata": _metadata(task, keys, last),
        }

    def _category(self, template_id: object) -> str | None:
        """Take the template's own category, else that of its picture."""
        template = self._rows.template(str(template_id), deleted=True) or {}
        own: str | None = template.get("category")
        if own:
            return own
        named = first_names("templates", template)
        image = self._rows.image(str(named.get("image_id"))) or {}
        return image.get("category")


def _metadata(task: Mapping[str, Any], keys: list[str], last: OperationRecord) -> Document:
    return {
        "task_id": task["id"],
        "template_id": task.get("template_id"),
        "operation_keys": keys,
        "engine": last.engine,
        "engine_version": last.engine_version,
        "ai_edit": True,
    }


def _progress(held: HeldClaim, total: int, failures: FailureLimit) -> Callable[[float], None]:
    """Return what writes the share of done steps into the task; it never falls."""

    def move(share: float) -> None:
        done = round(share * total) - failures.count
        held.advance(ALL_BUT_THE_END * done // total, {})

    return move


def _came_to(result: PlanResult, temporary: list[str]) -> WorkResult:
    done = sum(step.is_done for step in result.steps)
    told = [f"{done} of {counted(len(result.steps), 'step')} done"]
    told += [f"temporary photo {name} not kept" for name in temporary]
    return WorkResult(
        done=done == len(result.steps),
        errors=(*result.errors.values(), *result.missing.values()),
        steps=", ".join(told),
    )

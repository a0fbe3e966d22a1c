"""What operations usually take, as the ledger tells it: by an index, and of the same kind only."""

from datetime import timedelta
from typing import Any

import pytest

from db.ledger import MAX_NEWEST, OperationLedger
from db.schema.documents.faces import OperationRecord, Output
from db.setup.apply import initialise
from storycanvas.faces.operations import EnhancementModel, EnhanceOperation, SwapOperation
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.reports.steps import StepReport
from tasks.faces.forecast.usual import UsualSeconds
from tasks.faces.plan import PlanResult
from tasks.faces.reporting.slow_steps import with_usual_seconds
from tasks.faces.step import StepOutput
from tests.support.db.database_state import Data
from tests.support.db.records import NOW, record

SIZE = (900, 700)
CODEFORMER = EnhanceOperation(enhancement_model=EnhancementModel.CODEFORMER)
GFPGAN = EnhanceOperation(enhancement_model=EnhancementModel.GFPGAN_1_4)
Kind = EnhanceOperation | SwapOperation


def made(
    number: int,
    operation: Kind = CODEFORMER,
    *,
    seconds: float = 4.0,
    size: tuple[int, int] = SIZE,
    minutes: int = 0,
    **fields: Any,
) -> OperationRecord:
    parameters = operation.model_dump(mode="json")
    kind = parameters.pop("operation_type")
    width, height = size
    picture = Output(path="p", url="u", sha256=f"{number:064x}", width=width, height=height)
    key = f"{kind}-{operation.model_dump_json()}-{number}-{size}-{minutes}-{fields.get('engine')}"
    return record(
        key,
        operation_type=kind,
        parameters=parameters,
        output=picture,
        processing_time_seconds=seconds,
        created_at=NOW - timedelta(minutes=minutes, seconds=number),
        effects=[],
        **fields,
    )


def stored(database: Data, *records: OperationRecord) -> None:
    database["facefusion_operations"].insert_many(r.model_dump(by_alias=True) for r in records)


def test_the_newest_of_the_same_kind_are_found_by_an_index_without_a_sort(database: Data) -> None:
    initialise(database)
    numbers = range(100)
    stored(
        database,
        *(made(n) for n in numbers),
        *(made(n, seconds=60.0, minutes=60) for n in numbers),
        *(made(n, seconds=0.0, size=(900, 701), faces_detected=0) for n in numbers),
        *(made(n, GFPGAN, seconds=1.0) for n in numbers),
        *(made(n, SwapOperation(), seconds=9.0) for n in numbers),
        *(made(n, seconds=30.0, engine="facefusion") for n in numbers),
    )

    usual = UsualSeconds(database, "preview", NOW + timedelta(seconds=1))

    assert usual.of(CODEFORMER, SIZE) == 4.0
    assert usual.of(GFPGAN, SIZE) == 1.0
    assert usual.of(SwapOperation(), SIZE) == 9.0
    which = {
        "operation_type": "enhance",
        "engine": "preview",
        "parameters.enhancement_model": "codeformer",
        "parameters.face_swapper_model": None,
    }
    found = OperationLedger(database).newest_seconds(which, (512, 1024), NOW)
    assert found == [4.0] * MAX_NEWEST
    explained = database.command(
        "explain",
        {
            "find": "facefusion_operations",
            "filter": {**which, "created_at": {"$lt": NOW}},
            "sort": {"created_at": -1},
            "limit": MAX_NEWEST,
        },
        verbosity="executionStats",
    )
    assert explained["executionStats"]["totalDocsExamined"] == MAX_NEWEST
    assert "'SORT'" not in str(explained["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize(
    ("size", "seconds"), [((512, 300), 1.0), ((100, 800), 4.0), ((5000, 600), 60.0)]
)
def test_only_pictures_of_the_same_size_class_count(
    database: Data, size: tuple[int, int], seconds: float
) -> None:
    for other, took in (((400, 512), 1.0), ((513, 400), 4.0), ((100, 4097), 60.0)):
        stored(database, *(made(n, seconds=took, size=other) for n in range(10)))

    usual = UsualSeconds(database, "preview", NOW + timedelta(seconds=1))

    assert usual.of(CODEFORMER, size) == seconds


def result(operation: EnhanceOperation, done: OperationRecord) -> PlanResult:
    step = Step(name="enhance face", operation=operation, inputs=("face",))
    plan = Plan(pictures=(PlanPicture(name="face", reference="face.png"),), steps=(step,))
    made_now = StepOutput("enhance face", "u", "s", outcome="done", record=done)
    report = StepReport(
        step="enhance face",
        operation_type="enhance",
        outcome="done",
        engine_seconds=done.processing_time_seconds,
    )
    return PlanResult(plan, {"enhance face": made_now}, (report,), {})


@pytest.mark.parametrize(("before", "usual"), [(10, 4.0), (9, None)])
def test_a_run_is_compared_with_what_was_done_before_it(
    database: Data, before: int, usual: float | None
) -> None:
    own = made(0, seconds=12.0)
    stored(database, own, *(made(n + 1, seconds=4.0) for n in range(before)))

    (step,) = with_usual_seconds(database, "preview", result(CODEFORMER, own))

    assert step.usual_seconds == usual

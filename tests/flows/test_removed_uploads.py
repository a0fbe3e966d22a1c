"""What was uploaded for a work can be removed from its hosts, and no other work misses it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prefect import flow

from flows.parameters import WORKERS
from storycanvas.faces.contract import API
from storycanvas.faces.operations import (
    DetectOperation,
    EnhanceOperation,
    FaceOperation,
    MaskOperation,
)
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.faces.plan import Plan, PlanPicture, Step
from tasks.faces.context import RunContext, open_run_context
from tasks.faces.plan import run_plans
from tasks.faces.step import RunRequest
from tasks.retries import Stopping
from tests.support.flows.world import World, unique_portrait
from tests.support.host.started_host import StartHost

Upload = tuple[str, str]


def job(context: RunContext, name: str) -> RunContext:
    return context.for_job(name, f"{name} · ", Stopping())


def do(context: RunContext, picture: str, operation: FaceOperation) -> None:
    """Perform one operation on one picture."""
    step = Step(name="step", operation=operation, inputs=("picture",))
    plan = Plan(pictures=(PlanPicture(name="picture", reference=picture),), steps=(step,))
    request = RunRequest(context.origin, None, context.hosts.status(), stopping=context.stopping)
    (result,) = run_plans(context, [(request, plan)])
    assert result.errors == {}
    assert [done.outcome for done in result.steps] == ["done"]


def asked(upload: Upload) -> int:
    host, asset = upload
    return httpx.head(f"{host}{API}/assets/{asset}").status_code


@pytest.fixture
def portrait(world: World) -> str:
    return unique_portrait(world.folder)


def test_what_was_uploaded_for_a_job_is_gone_and_the_next_job_uploads_it_again(
    portrait: str,
) -> None:
    @flow(task_runner=WORKERS)
    def two_jobs() -> None:
        with open_run_context() as context:
            first, second = job(context, "first"), job(context, "second")
            do(first, portrait, DetectOperation())
            (upload,) = first.uploads
            assert asked(upload) == 200

            first.remove_uploads()
            assert asked(upload) == 404
            assert first.uploads == second.uploads == context.uploads == set()

            do(second, portrait, MaskOperation())
            assert second.uploads == {upload}
            assert asked(upload) == 200

    two_jobs()


def test_a_run_that_knew_the_picture_there_goes_on_after_another_has_removed_it(
    portrait: str,
) -> None:
    @flow(task_runner=WORKERS)
    def two_runs() -> None:
        with open_run_context() as long, open_run_context() as short:
            do(long, portrait, DetectOperation())
            do(short, portrait, MaskOperation())
            short.remove_uploads()
            (upload,) = long.uploads
            assert asked(upload) == 404

            do(long, portrait, EnhanceOperation())

    two_runs()


def test_results_that_became_inputs_go_too(portrait: str) -> None:
    @flow(task_runner=WORKERS)
    def one_run() -> None:
        with open_run_context() as context:
            enhance = Step(name="first", operation=EnhanceOperation(), inputs=("picture",))
            look = Step(name="second", operation=DetectOperation(), inputs=("first",))
            given = PlanPicture(name="picture", reference=portrait)
            request = RunRequest(context.origin, None, context.hosts.status())
            run_plans(context, [(request, Plan(pictures=(given,), steps=(enhance, look)))])
            uploads = set(context.uploads)
            assert len(uploads) == 2

            context.remove_uploads()
            assert {asked(upload) for upload in uploads} == {404}

    one_run()


def test_a_picture_whose_upload_ends_after_the_removal_does_not_stay(portrait: str) -> None:
    with open_run_context() as context:
        (host,) = context.hosts.hosts.values()
        picture = read_picture(Path(portrait).read_bytes(), "portrait")

        # As `remove_uploads` does in another thread, before the upload has begun at the host.
        asset = context.upload(host.client, picture, context.uploads.clear)

        assert asked((host.name, asset)) == 404


def test_a_host_that_is_away_is_named_in_the_log_and_asked_again(
    portrait: str,
    start_host: StartHost,
    own_host: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = start_host()
    own_host(started.url)

    @flow(task_runner=WORKERS)
    def one_run() -> None:
        with open_run_context() as context:
            do(context, portrait, DetectOperation())
            uploads = set(context.uploads)
            started.kill()

            context.remove_uploads()
            assert context.uploads == uploads

    one_run()

    warnings = [
        record.getMessage() for record in caplog.records if "has not removed" in record.message
    ]
    assert len(warnings) == 1
    assert started.url in warnings[0]

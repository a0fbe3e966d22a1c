"""What a job asks for, as another program wrote it into a document."""

import json
from typing import Any

import pytest
from bson import BSON, Code

from storycanvas.faces.errors import (
    BadField,
    ChainInvalid,
    ChildAgeRefused,
    FaceError,
    OutOfRange,
)
from storycanvas.faces.jobs import JOB_TYPES, JobRequest, job_label, read_job
from storycanvas.faces.operations import KINDS, EditOperation, EnhanceOperation
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.batch import batch_plan
from storycanvas.faces.recipes.job import ChainWork
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.jobs import pipeline_output
from storycanvas.faces.reports.steps import Outcome, StepReport
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.trust import NamedBy

SINGLE: dict[str, dict[str, Any]] = {
    "enhance": {"image_url": "a.png", "enhancement_model": "codeformer"},
    "age_adjust": {"image_url": "a.png", "target_age": 40, "age_adjustment_blend": 0.5},
    "swap": {"source_face_url": "a.png", "target_image_url": "b.png"},
    "edit": {"image_url": "a.png", "mouth_smile": 30, "face_editor_head_yaw": 5},
    "mask": {"image_url": "a.png", "face_mask_types": ["region"]},
    "detect": {"image_url": "a.png", "face_detector_size": "640x640"},
}
STEPS = [
    {"name": "aged", "operation_type": "age_adjust", "target_age": 30},
    {"name": "fine", "operation_type": "enhance"},
]
WRITTEN: dict[str, dict[str, Any]] = {
    **SINGLE,
    "batch": {"operations": [{"operation_type": "enhance", "image_url": "a.png"}]},
    "chain": {"steps": STEPS, "pictures": {"start": "a.png"}},
}


def plan_of(request: JobRequest) -> Plan:
    assert isinstance(request.work, Pipeline)
    pictures = {name: found or "own.png" for name, found in request.work.pictures.items()}
    ages = dict.fromkeys(pictures, 30.0)
    plan = request.work.recipe(RecipeInput(pictures, Preferences(), ages))
    settings = request.settings or FaceSettings()
    return settings.apply(plan).written_by(request.work.named_by)


def step(name: str, outcome: Outcome = "done") -> StepReport:
    done = outcome != "failed"
    return StepReport(
        step=name,
        operation_type="enhance",
        outcome=outcome,
        engine_seconds=1.5 if done else None,
        output_url=f"http://store/{name}.png" if done else None,
        output_path=f"results/{name}.png" if done else None,
        operation_key="f" * 64 if done else None,
        error=None if done else "No face was found.",
        code=None if done else "no_face",
    )


@pytest.mark.parametrize("job_type", SINGLE)
def test_a_job_of_one_operation_is_a_pipeline_of_one_step(job_type: str) -> None:
    plan = plan_of(read_job(job_type, SINGLE[job_type]))

    (made,) = plan.steps
    assert isinstance(made.operation, KINDS[job_type])
    assert [picture.reference for picture in plan.pictures] == ["a.png", "b.png"][
        : len(made.inputs)
    ]


def test_values_are_read_by_every_name_that_items_of_a_batch_have() -> None:
    enhanced = plan_of(
        read_job("enhance", {"image_url": "a", "parameters": {"face_enhancer_model": "codeformer"}})
    )
    edited = plan_of(read_job("edit", SINGLE["edit"]))

    assert enhanced.steps[0].operation == EnhanceOperation(face_enhancer_model="codeformer")
    assert edited.steps[0].operation == EditOperation(
        face_editor_mouth_smile=30, face_editor_head_yaw=5
    )


def test_several_ages_are_made_as_the_flow_makes_them_and_told_by_age() -> None:
    request = read_job(
        "age_adjust", {"image_url": "a", "ages": [30, 90], "base_age": 25, "enhance": "none"}
    )
    plan = plan_of(request)
    output = pipeline_output(request, plan, [step(made.name) for made in plan.steps])

    assert [made.age for made in plan.steps if made.age] == [30, 90]
    assert len(plan.steps) == 3
    assert [*output["results"]] == ["30", "90"]


def test_the_blend_of_several_ages_is_one_of_the_settings() -> None:
    request = read_job("age_adjust", {"image_url": "a", "ages": [30], "face_editor_blend": 0.4})

    assert request.settings == FaceSettings(age_adjustment_blend=0.4)


@pytest.mark.parametrize(
    "written",
    [
        {"chain": "enhance-then-swap", "pictures": {"source": "a", "target": "b"}},
        {"chain": "steps:\n- {name: fine, operation_type: enhance}", "pictures": {"picture": "a"}},
        {"chain": {"steps": STEPS}, "pictures": {"picture": "a"}},
        {"steps": "- {name: fine, operation_type: enhance}", "pictures": {"own": "a"}},
        WRITTEN["chain"],
    ],
)
def test_a_chain_is_named_or_written(written: dict[str, Any]) -> None:
    assert plan_of(read_job("chain", written)).steps


def test_a_chain_that_does_not_come_with_the_project_is_looked_up_later() -> None:
    written = {"chain": "my chain", "pictures": {"a": "a.png"}, "values": {"n": 1}}
    request = read_job("chain", written)

    assert request.work == ChainWork("my chain", {"a": "a.png"}, {"n": 1})


def test_a_job_without_a_type_is_a_batch() -> None:
    request = read_job(None, WRITTEN["batch"], "c-1")

    assert isinstance(request.work, tuple)
    assert (request.job_type, request.character_id, len(request.work)) == ("batch", "c-1", 1)


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_every_job_may_have_a_preset_settings_a_size_and_a_sheet(job_type: str) -> None:
    shared = {
        "preset": " soft ",
        "settings": {"face_position": 1},
        "longest_side": 512,
        "contact_sheet": True,
    }

    request = read_job(job_type, {**WRITTEN[job_type], **shared})

    assert (request.preset, request.settings) == ("soft", FaceSettings(face_position=1))
    assert (request.longest_side, request.contact_sheet) == (512, True)
    assert read_job(job_type, {**WRITTEN[job_type], "preset": None}).contact_sheet is False


@pytest.mark.parametrize("job_type", [*SINGLE, "chain"])
def test_no_picture_of_a_job_is_trusted_more_than_a_document(job_type: str) -> None:
    written = {**WRITTEN[job_type], "settings": {"reference_image": "/etc/hostname"}}
    own = {"image_url": None} if job_type == "mask" else {}
    plan = plan_of(read_job(job_type, {**written, **own}, "c-1"))

    assert "reference" in {picture.name for picture in plan.pictures}
    assert {picture.named_by for picture in plan.pictures} == {NamedBy.DOCUMENT}


def test_no_picture_of_a_batch_is_trusted_more_than_what_wrote_it() -> None:
    operations = [{"type": "enhance"}, {"type": "detect", "image_url": "a"}]
    items = read_job("batch", {"operations": operations})
    assert isinstance(items.work, tuple)
    settings = FaceSettings(reference_image="/etc/hostname")

    plan = batch_plan(
        items.work, reference_image="own", settings=settings, named_by=NamedBy.DOCUMENT
    ).plan

    assert len(plan.pictures) == 3
    assert {picture.named_by for picture in plan.pictures} == {NamedBy.DOCUMENT}


@pytest.mark.parametrize(
    ("job_type", "written", "sentence"),
    [
        ("video", {}, "job_type: 'video' is none of enhance, age_adjust"),
        (["swap"], {}, "job_type: a list is none of"),
        (Code("swap"), {}, "job_type: Code('swap', None) is none of"),
        ("enhance", "text", "input_data: 'text' is no object"),
        ("enhance", None, "input_data: None is no object"),
        ("enhance", {"image_url": "a", "face_enhancer_blent": 1}, "blent: enhance has"),
        ("enhance", {"image_url": "a", "x": 1, "y": 2}, "x: enhance has no such field; y: enhance"),
        ("enhance", {"image_url": "a", "contact_shet": True}, "nearest name is contact_sheet"),
        ("enhance", {"image_url": "a", "ages": [30]}, "ages: enhance has no such field"),
        ("enhance", {"image_url": "a", "type": "swap"}, "type: enhance has no such field"),
        ("enhance", {"image_url": "a", "character_id": "c"}, "character_id: enhance has no such"),
        ("age_adjust", {"image_url": "a", "target_age": 5, "allow_child_ages": 1}, "allow_child"),
        ("age_adjust", {"image_url": "a", "ages": [30], "target_age": 3}, "target_age: age_adjust"),
        ("age_adjust", {"image_url": "a", "ages": []}, "ages: a list cannot be used"),
        ("age_adjust", {"image_url": "a", "ages": [30, True]}, "ages.1: True cannot be used"),
        ("enhance", {"image_url": 5}, "image_url: 5 is no address"),
        ("enhance", {}, "does not name the picture 'picture'"),
        ("swap", {"source_face_url": "a"}, "target_image_url is missing"),
        ("enhance", {"image_url": "a", "settings": {"face": 1}}, "settings.face: there is no such"),
        ("enhance", {"image_url": "a", "settings": "x"}, "settings: 'x' cannot be used"),
        ("enhance", {"image_url": "a", "contact_sheet": "yes"}, "contact_sheet: 'yes' cannot"),
        ("enhance", {"image_url": "a", "longest_side": True}, "longest_side: True cannot be used"),
        ("enhance", {"image_url": "a", "preset": {}}, "preset: a mapping cannot be used"),
        ("batch", {}, "operations is missing"),
        ("batch", {"operations": "all"}, "operations: 'all' cannot be used"),
        ("batch", {"operations": []}, "a batch has 1 to 500"),
        ("batch", {"operations": [{}] * 501}, "501 are named"),
        ("chain", {}, "Name a chain"),
        ("chain", {"chain": "a", "steps": STEPS}, "one of the two"),
        ("chain", {"chain": "a", "pictures": {"face": 5}}, "pictures.face: 5 cannot be used"),
        ("chain", {"chain": "a", "values": {"age": [1]}}, "values.age: a list cannot be used"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    job_type: object, written: object, sentence: str
) -> None:
    with pytest.raises(BadField) as refused:
        read_job(job_type, written)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("job_type", "written", "error"),
    [
        ("enhance", {"image_url": "a", "longest_side": 100}, OutOfRange),
        ("enhance", {"image_url": "a", "settings": {"output_quality": 101}}, OutOfRange),
        ("enhance", {"image_url": "a", "face_enhancer_blend": 2}, OutOfRange),
        ("age_adjust", {"image_url": "a"}, OutOfRange),
        ("age_adjust", {"image_url": "a", "target_age": 9}, ChildAgeRefused),
        ("age_adjust", {"image_url": "a", "ages": [9, 30]}, ChildAgeRefused),
        ("age_adjust", {"image_url": "a", "ages": [101]}, OutOfRange),
        ("chain", {"steps": [{"name": "a"}], "pictures": {}}, ChainInvalid),
        ("chain", {"steps": [*STEPS, *STEPS]}, ChainInvalid),
        ("chain", {"chain": "enhance-and-age", "values": {"target_age": 5}}, ChildAgeRefused),
        ("chain", {"chain": "enhance-and-age", "values": {"nothing": 5}}, ChainInvalid),
        ("chain", {"chain": " "}, ChainInvalid),
    ],
)
def test_a_value_that_does_not_fit_has_its_own_error(
    job_type: str, written: dict[str, Any], error: type[FaceError]
) -> None:
    with pytest.raises(error):
        read_job(job_type, written, "c-1")


def test_a_chain_says_of_each_step_what_became_of_it() -> None:
    request = read_job("chain", WRITTEN["chain"])

    output = pipeline_output(
        request, plan_of(request), [step("aged", "reused"), step("fine", "failed")]
    )

    assert output["results"]["aged"] == {
        "output_url": "http://store/aged.png",
        "output_path": "results/aged.png",
        "operation_key": "f" * 64,
        "processing_time_seconds": 1.5,
        "reused": True,
    }
    assert output["results"]["fine"] == {"error": "No face was found.", "code": "no_face"}


def test_a_search_for_faces_tells_them_and_their_number() -> None:
    request = read_job("detect", SINGLE["detect"])
    face = {"x": 1, "y": 2, "width": 3, "height": 4, "score": 0.9}

    output = pipeline_output(request, plan_of(request), [step("detect")], [face])

    assert output == {"faces": [face], "total_faces": 1}


@pytest.mark.parametrize("job_type", [*SINGLE, "chain"])
def test_what_a_job_tells_can_be_stored_and_sent(job_type: str) -> None:
    request = read_job(job_type, WRITTEN[job_type])
    plan = plan_of(request)

    output = pipeline_output(
        request, plan, [step(made.name) for made in plan.steps], [], "http://s"
    )

    assert output["contact_sheet"] == "http://s"
    assert BSON.encode(output).decode() == json.loads(json.dumps(output)) == output


@pytest.mark.parametrize(
    ("job_type", "subject", "label"),
    [
        ("swap", "Mara", "job 3f9a · swap · Mara"),
        (None, None, "job 3f9a · batch"),
        ("swap", " a\nb " + "c" * 90, "job 3f9a · swap · a b " + "c" * 36),
    ],
)
def test_a_job_is_called_by_its_id_its_type_and_its_character(
    job_type: str | None, subject: str | None, label: str
) -> None:
    assert job_label("3f9a5d10-1111", job_type, subject) == label

"""A run that is reviewed: nothing reaches a gallery but what a person keeps, and nothing twice."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.input import keyset_from_paused_state
from prefect.states import Crashed, Running, Scheduled

from db.pictures.names import named_hashes
from deployments.run_flow import load_flow
from flows.age_progression import age_progression
from flows.audit_db import audit_db
from storycanvas.faces.errors import BadField
from tasks.faces import reviewing
from tasks.resuming import resume
from tests.support.flows.runs import artifacts_of
from tests.support.flows.world import CHARACTER, World, unique_portrait

PROGRESSION = {"character_id": CHARACTER, "ages": [25, 45], "enhance": "none", "review": True}
EMPTY: tuple[dict[str, str], list[str]] = ({}, [])


class Deployed:
    """A run of a deployment; the test is its worker."""

    def __init__(self, client: SyncPrefectClient, flow: str, **parameters: Any) -> None:
        self.client, self.flow, self.parameters = client, load_flow(flow), parameters
        made = client.create_deployment(client.create_flow(self.flow), f"review-{uuid4()}")
        self.id: UUID = client.create_flow_run_from_deployment(made, parameters=parameters).id

    @property
    def run(self) -> FlowRun:
        return self.client.read_flow_run(self.id)

    def work(self) -> str:
        """Work on it until it ends or ends its process; return the name of its state."""
        with suppress(Pause):
            run_flow(self.flow, self.run, self.parameters, return_type="state")
        return str(self.run.state_name)

    def form(self) -> tuple[dict[str, Any], str]:
        """The fields of the form by their names, and what stands above them."""
        state = self.run.state
        assert state
        keys = keyset_from_paused_state(state)
        schema = json.loads(self.client.read_flow_run_input(self.id, keys["schema"]))
        text = json.loads(self.client.read_flow_run_input(self.id, keys["description"]))
        return schema["properties"], text

    def answer(self, **fields: Any) -> None:
        answered = self.client.resume_flow_run(self.id, run_input=fields)
        assert answered.status == SetStateStatus.ACCEPT, answered.details

    def crash(self) -> None:
        """Its process is killed in the middle of its work, and an automation notices."""
        self.client.set_flow_run_state(self.id, Running(), force=True)
        self.client.set_flow_run_state(self.id, Crashed(), force=True)

    def steps(self) -> dict[str, tuple[str, str]]:
        """Outcome and reason of each step, as the newest table of the run has them."""
        tables = [a for a in artifacts_of(self.id) if str(a.key).endswith("-steps")]
        rows: list[dict[str, str]] = json.loads(str(tables[-1].data))
        return {row["step"]: (row["outcome"], row["reason"]) for row in rows}


@pytest.fixture
def deployed(world: World) -> Iterator[Callable[..., Deployed]]:  # noqa: ARG001 - it is there
    with get_client(sync_client=True) as client:
        yield lambda flow, **parameters: Deployed(client, flow, **parameters)


def entered(world: World, character_id: str = CHARACTER) -> tuple[dict[str, str], list[str]]:
    """The ages in the gallery with their pictures, and the pictures of the history."""
    character = world.database["characters"].find_one({"id": character_id}) or {}
    gallery = character.get("facefusion_output_gallery") or {}
    history = character.get("facefusion_processing_history") or []
    return gallery.get("age_variants") or {}, [each["output_image_url"] for each in history]


def outputs(world: World) -> dict[int, str]:
    """Address of the picture of each age, from the ledger."""
    found = world.database["facefusion_operations"].find({"operation_type": "age_adjust"})
    return {each["parameters"]["target_age"]: each["output"]["url"] for each in found}


def test_only_what_is_kept_reaches_the_character_and_nothing_is_done_twice(
    world: World, deployed: Callable[..., Deployed]
) -> None:
    run = deployed("age-progression", **PROGRESSION)

    assert run.work() == "Suspended"
    asked = entered(world)
    audit_db(fix=True)
    fields, text = run.form()
    operations = world.host.status().operations

    assert asked == entered(world) == EMPTY
    assert fields["reject"]["items"]["enum"] == ["all", "age 25", "age 45"]
    assert "2 pictures wait for your decision" in text
    assert "/artifacts/artifact/" in text or "[Contact sheet]" not in text
    stored = {url.rpartition("/")[2].partition(".")[0] for url in outputs(world).values()}
    assert named_hashes(world.database, stored) == stored, "tidy-pictures would take them"

    run.answer(reject=["age 45"], note="The eyes are off.")
    ended = run.work()

    assert ended == "Completed"
    assert world.host.status().operations == operations
    assert run.steps() == {
        "base (33)": ("input", ""),
        "age 25": ("reused", ""),
        "age 45": ("rejected", "The eyes are off."),
    }
    kept = outputs(world)[25]
    assert entered(world) == ({"25": kept}, [kept])


def test_a_run_that_is_killed_asks_again_until_there_is_an_answer_and_never_after(
    world: World, deployed: Callable[..., Deployed]
) -> None:
    run = deployed("age-progression", **PROGRESSION)
    run.work()

    run.crash()
    resume.fn(run.id)
    not_answered = run.work()
    before = entered(world)
    run.answer(keep=["age 45"])
    run.crash()
    run.client.set_flow_run_state(run.id, Scheduled())
    answered = run.work()

    assert (not_answered, before) == ("Suspended", EMPTY)
    assert answered == "Completed"
    kept = outputs(world)[45]
    assert entered(world) == ({"45": kept}, [kept])


def test_an_answer_is_not_taken_for_pictures_that_were_not_shown(
    world: World, deployed: Callable[..., Deployed]
) -> None:
    run = deployed("age-progression", **PROGRESSION)
    run.work()
    run.answer()
    changed = {"$set": {"reference_images": [unique_portrait(world.folder)]}}
    world.database["characters"].update_one({"id": CHARACTER}, changed)

    assert run.work() == "Suspended"
    assert entered(world) == EMPTY


def test_a_run_that_is_not_answered_fails_and_enters_nothing(
    world: World, deployed: Callable[..., Deployed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "SECONDS_OF_AN_HOUR", 1)
    run = deployed("age-progression", **PROGRESSION, review_hours=1)
    assert run.work() == "Suspended"

    time.sleep(1)  # the service of a server that looks for such runs does this by itself
    too_late = run.client.resume_flow_run(run.id, run_input={})

    assert too_late.status == SetStateStatus.REJECT
    assert run.run.state_name == "Failed"
    assert "never resumed" in str(run.run.state and run.run.state.message)
    assert entered(world) == EMPTY
    monkeypatch.setattr(reviewing, "SECONDS_OF_AN_HOUR", 60)
    run.client.set_flow_run_state(run.id, Scheduled())
    assert run.work() == "Suspended", "Retry asks anew"


def test_one_form_is_for_all_characters_of_a_run(
    world: World, deployed: Callable[..., Deployed], target: str
) -> None:
    other = {"id": "ben", "name": "Ben", "reference_images": [target]}
    world.database["characters"].insert_one(other)
    parameters = {"ages": [45], "enhance": "none"}
    asked = {"characters": [CHARACTER, "ben"], "parameters": parameters, "review": True}
    run = deployed("for-characters", **asked)

    assert run.work() == "Suspended"
    assert run.form()[0]["keep"]["items"]["enum"] == ["all", "Mira · age 45", "Ben · age 45"]
    run.answer(keep=["Ben · age 45"])

    assert run.work() == "Completed"
    assert entered(world) == EMPTY
    assert {*entered(world, "ben")[0]} == {"45"}


def test_items_of_a_batch_are_reviewed(
    world: World, deployed: Callable[..., Deployed], target: str
) -> None:
    operations = [{"type": "enhance", "image_url": target}, {"type": "enhance"}]
    run = deployed("batch-process", character_id=CHARACTER, operations=operations, review=True)

    assert run.work() == "Suspended"
    first, second = run.form()[0]["keep"]["items"]["enum"][1:]
    run.answer(reject=[second])

    assert run.work() == "Completed"
    assert "2 items: 2 done, 1 of them earlier, 1 of them rejected." in str(run.run.state)
    assert [run.steps()[name][0] for name in (first, second)] == ["reused", "rejected"]
    assert len(entered(world)[1]) == 1


@pytest.mark.usefixtures("world")
def test_a_review_that_no_person_can_answer_is_refused_before_anything_is_done(
    deployed: Callable[..., Deployed],
) -> None:
    with pytest.raises(BadField, match="review needs a run of a deployment"):
        age_progression(**PROGRESSION)
    run = deployed("enhance-faces", pictures=["face.png"], review=True)

    assert run.work() == "Failed"
    assert "name a character_id, or leave review off" in str(run.run.state)
    assert age_progression(**PROGRESSION, dry_run=True).steps

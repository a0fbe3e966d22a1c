"""A dry run of a face flow shows the plan and what is known of it, and does nothing else."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from prefect.client.schemas.objects import State
from pymongo.database import Database

from deployments.run_flow import load_flow
from flows.age_progression import age_progression
from flows.enhance_faces import enhance_faces
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from storycanvas.host.engines.preview import PreviewEngine
from tasks.artifacts import DRY_RUN_NOTE
from tests.support.db.fixtures import empty_database
from tests.support.flows.fixtures import open_world
from tests.support.flows.runs import shown_by
from tests.support.flows.world import CHARACTER, World, unique_portrait
from tests.support.paths import ROOT

AGES = {"ages": [25, 45], "enhance_base": "codeformer"}
SELF = {"character_id": CHARACTER}
OPERATIONS = [{"type": "enhance"}, {"type": "age_adjust", "target_age": 45}]
CHAIN = {"chain": "enhance-and-age", "values": {"target_age": 70}}
EVERY_FACE_FLOW: dict[str, dict[str, Any]] = {
    "age-progression": {**SELF, **AGES},
    "enhance-faces": SELF,
    "compare-enhancers": SELF,
    "edit-expression": {**SELF, "face_editor_mouth_smile": 60},
    "mask-face": SELF,
    "detect-faces": SELF,
    "enhance-then-swap": {**SELF, "target_image": "{target}"},
    "face-chain": {**SELF, **CHAIN},
    "batch-process": {**SELF, "operations": OPERATIONS, "pictures": ["{target}"]},
    "for-characters": {"characters": [CHARACTER], "parameters": {"ages": [45]}},
    "couple-face-swap": {
        "template_image": "{target}",
        "husband_picture": "{target}",
        "face_mappings": [{"source_photo": "husband", "target_face_index": 0}],
    },
}


def stored(world: World) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """All documents, and all files of the image store."""
    files = [str(path) for path in sorted(world.folder.rglob("*")) if path.is_file()]
    return world.everything(), files


def operations(world: World) -> int:
    return world.host.status().operations


def filled(value: Any, target: str) -> Any:  # noqa: ANN401 - any parameter
    if isinstance(value, str):
        return value.replace("{target}", target)
    return [filled(each, target) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def unseen(
    replica_set: Database[dict[str, Any]],
    urls: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A world of which nothing was done, shared: no dry run changes it."""
    folder = tmp_path_factory.mktemp("unseen")
    with (
        empty_database(replica_set) as database,
        pytest.MonkeyPatch.context() as patch,
        open_world(folder, database, urls, patch) as world,
    ):
        yield world


def rows_of(state: State[Any]) -> list[dict[str, Any]]:
    _, shown = shown_by(state)
    (table,) = [found for key, found in shown.items() if key.endswith("-plan")]
    data = table[0].data
    return json.loads(data) if isinstance(data, str) else data


@pytest.mark.parametrize("name", sorted(EVERY_FACE_FLOW))
def test_a_dry_run_writes_nothing_but_its_table_and_gives_no_host_work(
    unseen: World, name: str, target: str
) -> None:
    given = {key: filled(value, target) for key, value in EVERY_FACE_FLOW[name].items()}
    before, done = stored(unseen), operations(unseen)

    state = load_flow(name)(**given, dry_run=True, return_state=True)

    assert state.is_completed(), state.message
    assert (state.message or "").endswith(DRY_RUN_NOTE)
    assert stored(unseen) == before
    assert operations(unseen) == done
    assert any(row.get("what") in {"to do", "open"} for row in rows_of(state))
    assert shown_by(state)[0].endswith("(dry run)")


def test_every_face_flow_is_among_them() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    tagged = {d["name"] for d in deployments if d["tags"] == ["faces"]}

    assert tagged == EVERY_FACE_FLOW.keys()


def outcomes(report: FaceRunReport) -> dict[str, str]:
    return {step.step: step.outcome for step in report.steps}


@pytest.mark.usefixtures("world")
def test_what_an_age_decides_stays_open_until_it_is_known() -> None:
    unknown = age_progression(CHARACTER, **AGES, dry_run=True)
    named = age_progression(CHARACTER, **AGES, base_age=30, dry_run=True)
    age_progression(CHARACTER, ages=[25])
    seen = age_progression(CHARACTER, **AGES, dry_run=True)

    assert outcomes(unknown) == {"detect base": "planned", "enhance base": "planned"}
    assert unknown.notes[-1] == "Further steps depend on the age that the host will see."
    assert outcomes(named)["age 45"] == "planned"
    assert named.base_age == 30
    assert set(outcomes(seen)) == {
        *("enhance base", "age 25", "enhance age 25", "age 45", "enhance age 45")
    }
    assert seen.notes == ()


def test_a_dry_run_tells_exactly_what_the_run_then_reuses(world: World, target: str) -> None:
    own = unique_portrait(world.folder)
    enhance_faces(CHARACTER, pictures=(own,))

    dry = enhance_faces(CHARACTER, pictures=(own, target), dry_run=True)
    forced = enhance_faces(CHARACTER, pictures=(own, target), force=True, dry_run=True)
    done = enhance_faces(CHARACTER, pictures=(own, target))

    assert [step.outcome for step in dry.steps] == ["reused", "planned"]
    assert [step.outcome for step in forced.steps] == ["planned", "planned"]
    assert [step.outcome for step in done.steps] == ["reused", "done"]


def test_the_time_to_expect_is_that_of_the_newest_of_the_kind(world: World) -> None:
    own = unique_portrait(world.folder)
    enhance_faces(pictures=(own,))
    ledger = world.database["facefusion_operations"]
    document = ledger.find_one({"operation_type": "enhance"})
    assert document
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    ledger.insert_many(
        {**document, "_id": f"made-{n}", "processing_time_seconds": 4.0, "created_at": long_ago}
        for n in range(20)
    )

    state = enhance_faces(pictures=(own,), force=True, dry_run=True, return_state=True)

    (row,) = rows_of(state)
    assert row["GPU seconds"] == "4.0"
    assert "about 4 s" in (state.message or "")
    assert "Nothing waits for the GPU before it now." in (state.message or "")


@pytest.mark.usefixtures("world")
def test_a_face_that_a_host_has_still_to_choose_stays_open() -> None:
    chosen = FaceSettings(face_of="character")

    unknown = enhance_faces(CHARACTER, settings=chosen, dry_run=True)
    enhance_faces(CHARACTER, settings=chosen)
    known = enhance_faces(CHARACTER, settings=chosen, dry_run=True)

    assert outcomes(unknown) == {"find picture": "planned"}
    assert unknown.notes == ("Further steps depend on the faces that the host will see.",)
    assert outcomes(known) == {"enhance picture": "reused"}


AWAY = "http://127.0.0.1:9"


def test_without_a_host_the_ledger_tells_what_is_done_and_for_which_engine(
    world: World, own_host: Callable[[str], str]
) -> None:
    age_progression(CHARACTER, ages=[25], enhance_base="codeformer")
    own_host(AWAY)

    state = age_progression(CHARACTER, **AGES, dry_run=True, return_state=True)
    named = enhance_faces(pictures=(unique_portrait(world.folder),), dry_run=True)

    found = outcomes(state.result())
    assert (found["age 25"], found["age 45"]) == ("reused", "planned")
    engine = f"preview {PreviewEngine().version}"
    assert state.result().engine == engine
    assert f"so this is planned for {engine}, as the newest operation: " in (state.message or "")
    assert outcomes(named) == {"enhance picture": "planned"}


def test_without_a_host_and_a_ledger_what_a_base_age_tells_is_planned(
    world: World, own_host: Callable[[str], str]
) -> None:
    own_host(AWAY)

    state = age_progression(CHARACTER, ages=[45], base_age=30, dry_run=True, return_state=True)

    assert outcomes(state.result())["age 45"] == "planned"
    assert "so this is planned for any engine: " in (state.message or "")
    assert world.database["facefusion_operations"].count_documents({}) == 0


@pytest.mark.usefixtures("world")
def test_what_refining_may_add_is_shown_until_the_ages_are_read() -> None:
    given = {"ages": [65], "enhance": None, "refine": True, "base_age": 30}

    before = age_progression(CHARACTER, **given, dry_run=True, return_state=True)
    age_progression(CHARACTER, **{**given, "refine": False})
    off = age_progression(CHARACTER, **given, dry_run=True, return_state=True)

    for state in (before, off):
        row = rows_of(state)[-1]
        assert (row["step"], row["what"]) == ("age 65 again", "may be added")
        assert "1 step may be added by refine" in " ".join(state.result().notes)

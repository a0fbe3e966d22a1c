"""The flow face-chain: shipped, saved and written chains, for real."""

from typing import Any

import pytest

from flows.enhance_then_swap import enhance_then_swap
from flows.face_chain import face_chain
from storycanvas.faces.chain import shipped_chains
from storycanvas.faces.errors import ChainInvalid, ChildAgeRefused
from tests.support.flows.world import CHARACTER, World

GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"
ONE_STEP = {
    "steps": [{"name": "restored", "operation_type": "enhance", "face_enhancer_blend": "$blend"}],
    "parameters": {"blend": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}},
}


@pytest.mark.parametrize(
    ("name", "gallery"),
    [
        ("enhance-and-age", "age_variants"),
        ("age-then-swap", "swapped_faces"),
        ("swap-then-edit", "edited_expressions"),
    ],
)
def test_a_chain_that_comes_with_the_project_fills_its_list(
    world: World, target: str, name: str, gallery: str
) -> None:
    pictures = {"target": target} if "target" in shipped_chains()[name].pictures else {}
    report = face_chain(CHARACTER, name, pictures=pictures)

    shown = world.character()[GALLERY]
    assert {step.outcome for step in report.steps} == {"done"}
    assert [name for name, pictures in shown.items() if pictures] == [gallery]


def test_chain_and_flow_of_enhance_then_swap_make_the_same(world: World, target: str) -> None:
    enhance_then_swap(CHARACTER, target)
    before, operations = world.everything(), world.host.status().operations
    report = face_chain(CHARACTER, "enhance-then-swap", pictures={"target": target})

    assert {step.outcome for step in report.steps} == {"reused"}
    assert world.host.status().operations == operations
    assert world.everything() == before


def test_a_saved_chain_is_found_by_its_name_and_takes_values_from_lines(world: World) -> None:
    world.database["facefusion_presets"].insert_one(
        {"id": "chain-1", "name": "mine", "operation_type": "chain", "parameters": ONE_STEP}
    )

    face_chain(CHARACTER, "mine", values="blend: 0.25")  # type: ignore[arg-type]

    (entry,) = world.character()[HISTORY]
    assert entry["parameters"]["face_enhancer_blend"] == 0.25
    assert len(world.character()[GALLERY]["enhanced_faces"]) == 1


def test_a_written_chain_is_carried_out_as_one_that_has_a_name(world: World) -> None:
    face_chain(
        CHARACTER,
        steps="""
        steps:
          - {name: restored, operation_type: enhance}
        """,
    )

    assert len(world.character()[GALLERY]["enhanced_faces"]) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "Name a chain .age-then-swap"),
        ({"chain": "a", "steps": "steps: []"}, "one of the two"),
        ({"chain": "enhance-and-age", "values": {"target_age": 140}}, "140 is more than 100"),
        ({"chain": "enhance-then-swap"}, "needs the picture 'target'"),
        ({"steps": "steps: [{name: a, operation_type: magic}]"}, "step 'a', operation_type"),
    ],
)
def test_a_chain_that_does_not_fit_is_refused_before_a_host_is_asked(
    world: World, asked: dict[str, Any], sentence: str
) -> None:
    before = world.everything()

    with pytest.raises(ChainInvalid, match=sentence):
        face_chain(CHARACTER, **asked)

    assert world.everything() == before


def test_ages_of_children_need_to_be_allowed(world: World) -> None:
    with pytest.raises(ChildAgeRefused):
        face_chain(CHARACTER, "enhance-and-age", values={"target_age": 9})

    face_chain(CHARACTER, "enhance-and-age", values={"target_age": 9}, allow_child_ages=True)

    assert [*world.character()[GALLERY]["age_variants"]] == ["9"]

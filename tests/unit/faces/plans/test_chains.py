"""Chains are data: read, checked by step and field, and planned."""

import json
import re
import time
from typing import Any

import pytest

from storycanvas.faces.chain import Chain, chain_of, read_chain, saved_chain_of, shipped_chains
from storycanvas.faces.errors import ChainInvalid, ChildAgeRefused
from storycanvas.faces.operation_key import operation_key
from storycanvas.faces.plan import Gallery, Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.chain import chain_plan
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from tests.support.paths import ROOT

AGES = shipped_chains()["enhance-and-age"]
START = {"start": "a.png"}


def chain(*steps: dict[str, Any], **parts: Any) -> Chain:
    return chain_of({"pictures": ["a", "b"], "steps": list(steps), **parts})


def step(name: str, kind: str = "enhance", **fields: Any) -> dict[str, Any]:
    return {"name": name, "operation_type": kind, **fields}


def galleries(plan: Plan) -> dict[str, tuple[Gallery | None, int | None]]:
    return {made.name: (made.gallery, made.age) for made in plan.steps}


PICTURES = {"a": "a.png", "b": "b.png"}


def test_every_shipped_chain_is_planned_with_its_defaults() -> None:
    assert sorted(shipped_chains()) == [
        "age-then-swap",
        "enhance-and-age",
        "enhance-then-swap",
        "swap-then-edit",
    ]
    for shipped in shipped_chains().values():
        plan = chain_plan(shipped, {name: f"{name}.png" for name in shipped.pictures})
        assert [made.gallery is not None for made in plan.steps].count(True) >= 1
        assert shipped.description.endswith(".")


def test_the_page_of_chains_shows_each_as_it_is() -> None:
    page = (ROOT / "docs/pipelines/face-chain.md").read_text()
    written = [
        read_chain(block) for block in re.findall(r"```yaml\n(name: .*?)```", page, re.DOTALL)
    ]

    assert {chain.name: chain for chain in written} == dict(shipped_chains())


def test_a_step_takes_the_one_before_and_the_first_takes_the_first_picture() -> None:
    plan = chain_plan(AGES, START)

    assert [made.inputs for made in plan.steps] == [("start",), ("enhanced",), ("aged",)]
    assert galleries(plan)["result"] == (Gallery.AGE_VARIANTS, 45)
    assert galleries(plan)["aged"] == (None, None)


def test_a_step_that_is_left_out_lets_its_readers_take_its_input() -> None:
    plan = chain_plan(AGES, START, {"finish": False, "target_age": 60})

    assert galleries(plan) == {"enhanced": (None, None), "aged": (Gallery.AGE_VARIANTS, 60)}


def test_chain_and_recipe_of_enhance_then_swap_mean_the_same() -> None:
    mine = Preferences(character={"face_enhancer_blend": 0.8})
    by_recipe = enhance_then_swap("a.png", "b.png", preferences=mine)
    pictures = {"source": "a.png", "target": "b.png"}
    by_chain = chain_plan(shipped_chains()["enhance-then-swap"], pictures, preferences=mine)

    def meaning(plan: Plan) -> list[tuple[Any, ...]]:
        return [
            (
                made.name,
                made.inputs,
                made.gallery,
                operation_key(made.operation, ["a" * 64] * len(made.inputs), "preview", "1"),
            )
            for made in plan.steps
        ]

    assert meaning(by_chain) == meaning(by_recipe)


@pytest.mark.parametrize(
    ("steps", "gallery"),
    [
        ([step("one")], Gallery.ENHANCED_FACES),
        ([step("one"), step("two", "edit", face_editor_head_yaw=9)], Gallery.EDITED_EXPRESSIONS),
        ([step("one", "swap", inputs=["a", "b"]), step("two")], Gallery.SWAPPED_FACES),
        ([step("one", "age_adjust", target_age=50), step("two")], Gallery.AGE_VARIANTS),
        ([step("one", "mask")], None),
    ],
)
def test_a_result_without_a_named_list_goes_to_that_of_its_last_other_operation(
    steps: list[dict[str, Any]], gallery: Gallery | None
) -> None:
    plan = chain_plan(chain(*steps), PICTURES)

    assert [made.gallery for made in plan.steps[:-1]] == [None] * (len(steps) - 1)
    assert plan.steps[-1].gallery is gallery


def test_none_is_a_list_too() -> None:
    assert galleries(chain_plan(chain(step("one"), gallery={"one": "none"}), PICTURES)) == {
        "one": (None, None)
    }


AGE = {"type": "integer", "minimum": 0, "maximum": 100}
WRONG = [
    (
        [step("aged", "age_adjust", target_age=140)],
        {},
        "step 'aged', target_age: 140 is more than 100",
    ),
    ([step("aged", "age_adjust", target_age=-1)], {}, "step 'aged', target_age: -1 is less than 0"),
    (
        [step("aged", "age_adjust", target_agee=4)],
        {},
        "target_agee: age_adjust has no such field; the nearest name is target_age",
    ),
    ([step("aged", "age_adjust", target_age=True)], {}, "target_age: it takes neither true nor"),
    (
        [step("aged", "age_adjust", target_age=10**5000)],
        {},
        "step 'aged', target_age: ",
    ),
    ([step("one", magic=1, when=False), step("two")], {}, "step 'one', magic: enhance has no such"),
    (
        [step("one")],
        {"parameters": {"on": {"type": "boolean", "minimum": 1}}},
        "parameters, on: minimum and maximum are for numbers, the type is boolean",
    ),
    (
        [step("one")],
        {"parameters": {"on": {"type": "integer", "choices": ["a"]}}},
        "parameters, on: choices are for texts, the type is integer",
    ),
    (
        [step("one")],
        {"parameters": {"on": {"type": "number", "minimum": float("nan")}}},
        "parameters, on, minimum: ",
    ),
    ([step("aged", "age_adjust")], {}, "step 'aged', target_age: Field required"),
    ([step("one", enhancement_model="magic")], {}, "step 'one', enhancement_model: "),
    (
        [step("one", face_enhancer_blend="$blend")],
        {},
        "step 'one', face_enhancer_blend: there is no parameter 'blend'",
    ),
    (
        [step("one", inputs=["two"]), step("two", inputs=["one"])],
        {},
        "step 'one', inputs: 'two' is neither a picture nor a step before it",
    ),
    ([step("one", inputs=["one"])], {}, "step 'one', inputs: 'one' is neither"),
    ([step("one", "swap")], {}, "step 'one', inputs: swap takes 2, not 0"),
    ([step("one", inputs=["a", "b"])], {}, "step 'one', inputs: enhance takes 1, not 2"),
    (
        [step("one", when="$age")],
        {"parameters": {"age": {**AGE, "default": 4}}},
        "step 'one', when: 4 is no boolean",
    ),
    ([step("one")], {"parameters": {"age": AGE}}, "The parameter 'age' has no value"),
    ([step("one", when=False)], {}, "No step of the chain is done"),
    (
        [step("one")],
        {"gallery": {"one": "age_variants"}},
        "step 'one', gallery: age_variants needs an age",
    ),
    (
        [step("one")],
        {"gallery": {"one": "pinned"}},
        "enhanced_faces.*age_variants.*swapped_faces.*edited_expressions.*custom_outputs.*none",
    ),
    ([step("one")], {"gallery": {"two": "none"}}, "gallery names 'two', which is no step"),
    ([step("a")], {}, "the name 'a' is taken"),
    ([step("reference")], {}, "the name 'reference' is taken"),
    ([step("one"), step("one")], {}, "the name 'one' is taken"),
    ([step("one", "detect")], {}, "step 'one', operation_type"),
    ([step("$where")], {}, "step '.where', name"),
    ([step("a.b")], {}, "step 'a.b', name"),
    ([step("__proto__")], {}, "step '__proto__', name"),
    ([step("{0.__class__}")], {}, "name"),
    ([step(f"s{n}") for n in range(51)], {}, "at most 50"),
    ([], {}, "at least 1"),
    (
        [step("one")],
        {"parameters": {"age": {**AGE, "default": 101}}},
        "parameter 'age', default: 101 is more than 100",
    ),
    ([step("one")], {"parameters": {"age": {"type": "date"}}}, "parameters, age, type"),
    ([step("one")], {"surprise": 1}, "surprise: Extra inputs"),
]


@pytest.mark.parametrize(("steps", "parts", "sentence"), WRONG)
def test_a_chain_that_cannot_be_run_is_refused_by_step_and_field(
    steps: list[dict[str, Any]], parts: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ChainInvalid, match=sentence):
        chain_plan(chain(*steps, **parts), PICTURES)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"target_age": 140}, "parameter 'target_age': 140 is more than 100"),
        ({"target_age": True}, "parameter 'target_age': True is no integer"),
        (
            {"target_age": 10**5000},
            "parameter 'target_age': a number of more than 64 bits is more than 100",
        ),
        ({"target_age": {"$gt": 10**5000}}, "parameter 'target_age': a mapping is no integer"),
        ({"target_age": "x" * 90_000}, "parameter 'target_age': 'x{59}… is no integer$"),
        ({"target_age": "45"}, "parameter 'target_age': '45' is no integer"),
        ({"finish": 1}, "parameter 'finish': 1 is no boolean"),
        ({"age": 4}, "no parameter 'age'; it has target_age, finish"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(
    values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ChainInvalid, match=sentence):
        chain_plan(AGES, START, values)


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [({}, "needs the picture 'start'"), ({**START, "b": "b"}, "has no picture 'b'")],
)
def test_pictures_are_named_as_the_chain_names_them(
    pictures: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ChainInvalid, match=sentence):
        chain_plan(AGES, pictures)


HOSTILE = {
    "aliases": "steps: &a [1]\nmore: [" + "*a, " * 15_000 + "]",
    "large": "#" * 70_000,
    "many steps": json.dumps({"steps": [{"name": f"s{n}"} for n in range(4_000)]}),
    "flat": "[" + "1," * 32_000 + "1]",
    "deep": "[" * 60_000,
    "deep objects": "{a: " * 15_000,
    "tag": "!!python/object/apply:os.system ['true']",
    "twice": "steps: []\nsteps: []",
    "broken": "steps: [",
    "date": "name: 2026-99-99",
    "number": "steps: " + "9" * 5_000,
    "control": "name: \x00",
    "text": "just a text",
    "empty": "",
    "two documents": "a: 1\n---\nb: 2",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_refused_in_a_second(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ChainInvalid):
        read_chain(text)
    assert time.perf_counter() - began < 10  # ten times the bound: machines are shared


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_as_well(indent: int | str | None) -> None:
    assert read_chain(json.dumps({"steps": [step("one")]}, indent=indent)).steps[0].name == "one"


@pytest.mark.parametrize(
    ("by_value", "written"),
    [
        ({"target_age": 9}, AGES),
        ({}, chain(step("a", "age_adjust", target_age=9), pictures=["start"])),
    ],
)
def test_ages_of_children_are_made_only_where_they_are_allowed(
    by_value: dict[str, object], written: Chain
) -> None:
    with pytest.raises(ChildAgeRefused):
        chain_plan(written, START, by_value)

    assert chain_plan(written, START, by_value, allow_child_ages=True)


def test_a_saved_chain_has_a_name_of_its_own() -> None:
    parts = {"steps": [step("one")]}

    assert saved_chain_of("mine", parts).name == "mine"
    with pytest.raises(ChainInvalid, match="save it under another name"):
        saved_chain_of("enhance-and-age", parts)

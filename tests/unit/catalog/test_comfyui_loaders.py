"""Loader nodes in both of their forms, and what looks like one."""

import pytest

from storycanvas.catalog.comfyui.loaders import read_loaders
from storycanvas.catalog.entries import Problems

NAMES = ["a.safetensors", "b/c.safetensors"]

FORMS: dict[str, object] = {
    "a list": [NAMES],
    "a list with options": [NAMES, {"tooltip": "Which one."}],
    "the third schema": ["COMBO", {"options": NAMES, "multiselect": False}],
    "the third schema with several": ["COMBO", {"multiselect": True, "options": NAMES}],
}

NO_CHOICES: dict[str, object] = {
    "null": None,
    "nothing": [],
    "a type": ["MODEL"],
    "an object": {"options": NAMES},
    "text": "a.safetensors",
    "no options": ["COMBO", {}],
    "options of a route": ["COMBO", {"remote": {"route": "/models"}}],
    "options in an object": ["COMBO", {"options": {"a.safetensors": 1}}],
    "options missing": ["COMBO"],
}

NO_NODES: dict[str, object] = {
    "null": None,
    "text": "LoraLoader",
    "a list": [],
    "no inputs": {},
    "null inputs": {"input": None},
    "null required": {"input": {"required": None}},
    "a list of inputs": {"input": {"required": [["lora_name", [NAMES]]]}},
}


def node(field: object, *, name: str = "lora_name", need: str = "required") -> dict[str, object]:
    return {"input": {need: {name: field}}}


def read(told: object) -> tuple[set[str], bool, list[str]]:
    """Ids, whether the listing is complete, and what was a problem."""
    problems = Problems()
    entries, complete, _ = read_loaders(told, problems)
    ids = {f"{entry.folder}/{entry.path}" for entry in entries}
    return ids, complete, [problem.subject for problem in problems.all()]


@pytest.mark.parametrize("need", ["required", "optional"])
@pytest.mark.parametrize("field", FORMS.values(), ids=FORMS)
def test_each_form_of_choices_is_read(field: object, need: str) -> None:
    told = {"LoraLoader": node(field, need=need)}

    assert read(told) == ({"loras/a.safetensors", "loras/b/c.safetensors"}, True, [])


@pytest.mark.parametrize("field", NO_CHOICES.values(), ids=NO_CHOICES)
def test_a_loader_without_choices_leaves_its_folder_unread(field: object) -> None:
    told = {"LoraLoader": node(field), "VAELoader": node([["v.pt"]], name="vae_name")}

    assert read(told) == ({"vae/v.pt"}, False, ["LoraLoader.lora_name"])


@pytest.mark.parametrize("broken", NO_NODES.values(), ids=NO_NODES)
def test_a_broken_node_costs_no_other_one(broken: object) -> None:
    told = {"LoraLoader": broken, "VAELoader": node([["v.pt"]], name="vae_name")}

    assert read(told) == ({"vae/v.pt"}, False, ["LoraLoader.lora_name"])


def test_a_folder_is_complete_if_one_of_its_loaders_is() -> None:
    told = {"LoraLoader": None, "LoraLoaderModelOnly": node([["a.pt"]])}

    assert read(told) == ({"loras/a.pt"}, True, ["LoraLoader.lora_name"])


def test_what_several_loaders_tell_is_one_model_and_no_problem() -> None:
    told = {"LoraLoader": node([["a.pt"]]), "LoraLoaderModelOnly": node([["a.pt", "b.pt"]])}

    assert read(told) == ({"loras/a.pt", "loras/b.pt"}, True, [])


def test_one_name_in_two_folders_is_two_models() -> None:
    told = {
        "LoraLoader": node([["a.pt"]]),
        "CheckpointLoaderSimple": node([["a.pt"]], name="ckpt_name"),
    }

    assert read(told)[0] == {"loras/a.pt", "checkpoints/a.pt"}


def test_lists_of_unknown_nodes_and_inputs_are_not_read() -> None:
    told = {
        "SomeLoader": node([["a.pt"]]),
        "LoraLoader": {"input": {"required": {"lora_name": [[]], "other": [["b.pt"]]}}},
    }

    assert read(told) == (set(), True, [])


def test_only_folders_whose_loaders_were_read_are_told_of() -> None:
    told = {"LoraLoader": node([[]]), "VAELoader": None, "SomeLoader": node([["a.pt"]])}

    assert read_loaders(told, Problems())[2] == {"loras"}


@pytest.mark.parametrize("told", [None, [], "LoraLoader", {}, {"SomeLoader": {}}], ids=repr)
def test_an_answer_without_a_known_loader_is_no_listing(told: object) -> None:
    assert read(told) == (set(), False, ["/object_info"])

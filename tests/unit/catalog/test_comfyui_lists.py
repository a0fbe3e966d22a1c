"""Names, loader nodes and metadata as servers list them, and the models among them."""

import pytest

from storycanvas.catalog.comfyui.files import MAX_NAME_LENGTH, FileFacts, read_names
from storycanvas.catalog.comfyui.folders import read_facts
from storycanvas.catalog.comfyui.loaders import read_loaders
from storycanvas.catalog.comfyui.metadata import MAX_PAIRS, MAX_VALUE_LENGTH, kept_pairs
from storycanvas.catalog.entries import MAX_PROBLEMS, Problems, shown

NO_PATHS = {
    "upwards": "../a.ckpt",
    "from the root": "/a.ckpt",
    "upwards on Windows": r"..\a.ckpt",
    "a control character": "a\0.ckpt",
    "nothing": "",
    "too long": "a" * MAX_NAME_LENGTH + ".ckpt",
    "half a letter": "a\ufffd.ckpt",
}

NO_TEXTS = {
    "null": None,
    "a number": 2**64,
    "an object": {"name": "a.ckpt"},
    "a list": ["a.ckpt"],
    "a truth": True,
}

FACTS: dict[str, tuple[object, FileFacts]] = {
    "as listed": ({"size": 7, "modified": 1.5}, FileFacts(7, 1.5)),
    "whole seconds": ({"size": 7, "modified": 2}, FileFacts(7, 2.0)),
    "a size with a point": ({"size": 7.0, "modified": 0}, FileFacts(7, 0.0)),
    "half a byte": ({"size": 7.5}, FileFacts()),
    "beyond 64 bits": ({"size": 2**63, "modified": 10**299}, FileFacts()),
    "below nothing": ({"size": -1, "modified": -1}, FileFacts()),
    "a truth": ({"size": True, "modified": True}, FileFacts()),
    "text": ({"size": "7", "modified": "1"}, FileFacts()),
    "nothing": ({}, FileFacts()),
    "nulls": ({"size": None, "modified": None}, FileFacts()),
}


def read(*names: object) -> tuple[list[str], bool, int]:
    """Paths, whether the list is complete, and how many problems there were."""
    problems = Problems()
    files = read_names("loras", names, {}, problems)
    return [entry.path for entry in files.entries], files.complete, len(problems.all())


@pytest.mark.parametrize("name", NO_PATHS.values(), ids=NO_PATHS)
def test_a_text_that_is_no_path_is_a_problem_and_hides_no_model(name: str) -> None:
    assert read("good.ckpt", name, "fine.ckpt") == (["good.ckpt", "fine.ckpt"], True, 1)


@pytest.mark.parametrize("name", NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_is_no_text_may_hide_a_model(name: object) -> None:
    assert read("good.ckpt", name, "fine.ckpt") == (["good.ckpt", "fine.ckpt"], False, 1)


def test_entries_that_are_no_files_are_left_out_silently() -> None:
    assert read("None", "pixel_space", "taesd", "a.yaml", "a.ckpt") == (["a.ckpt"], True, 0)


def test_of_two_spellings_of_one_path_the_first_is_kept() -> None:
    problems = Problems()
    files = read_names("loras", [r"b\a.ckpt", "b/a.ckpt"], {}, problems)

    assert [(entry.path, entry.raw_name) for entry in files.entries] == [("b/a.ckpt", r"b\a.ckpt")]
    assert [problem.subject for problem in problems.all()] == ["loras: 'b/a.ckpt'"]


def test_names_that_differ_in_case_are_two() -> None:
    assert read("a.ckpt", "A.ckpt") == (["a.ckpt", "A.ckpt"], True, 0)


def test_facts_are_found_by_the_servers_own_spelling() -> None:
    files = read_names("loras", [r"b\a.ckpt"], {r"b\a.ckpt": FileFacts(7, 1.5)}, Problems())

    assert [(entry.size, entry.modified) for entry in files.entries] == [(7, 1.5)]


@pytest.mark.parametrize("case", FACTS.values(), ids=FACTS)
def test_facts_are_read_or_unknown(case: tuple[dict[str, object], FileFacts]) -> None:
    row, facts = case
    assert read_facts([None, {"name": 5}, {"name": "a", **row}, []]) == {"a": facts}


def test_of_a_name_in_two_places_the_first_one_counts() -> None:
    rows = [{"name": "a", "pathIndex": n, "size": 10 + n} for n in range(2)]

    assert read_facts(rows) == {"a": FileFacts(10, None)}


@pytest.mark.parametrize(
    "value", ["x" * 10_000, ["x" * 100] * 100, {"x" * 100: [[[[["deep"]]]]]}, 10**299, None]
)
def test_anything_is_shown_shortly(value: object) -> None:
    assert 0 < len(shown(value)) <= 80


def test_problems_beyond_the_limit_are_counted_only() -> None:
    problems = Problems()
    for number in range(MAX_PROBLEMS + 5):
        problems.add(str(number), "It is bad.")

    assert len(problems.all()) == MAX_PROBLEMS + 1
    assert problems.all()[-1].reason == "5 more could not be read."


CHOICES = ["a.safetensors", "b/c.safetensors"]

FORMS: dict[str, object] = {
    "a list": [CHOICES],
    "a list with options": [CHOICES, {"tooltip": "Which one."}],
    "the third schema": ["COMBO", {"options": CHOICES, "multiselect": False}],
    "the third schema with several": ["COMBO", {"multiselect": True, "options": CHOICES}],
}

NO_CHOICES: dict[str, object] = {
    "null": None,
    "nothing": [],
    "a type": ["MODEL"],
    "an object": {"options": CHOICES},
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
    "a list of inputs": {"input": {"required": [["lora_name", [CHOICES]]]}},
}


def node(field: object, *, name: str = "lora_name", need: str = "required") -> dict[str, object]:
    return {"input": {need: {name: field}}}


def read_nodes(nodes: object) -> tuple[set[str], bool, list[str]]:
    """Ids, whether the listing is complete, and what was a problem."""
    problems = Problems()
    entries, complete, _ = read_loaders(nodes, problems)
    ids = {f"{entry.folder}/{entry.path}" for entry in entries}
    return ids, complete, [problem.subject for problem in problems.all()]


@pytest.mark.parametrize("need", ["required", "optional"])
@pytest.mark.parametrize("field", FORMS.values(), ids=FORMS)
def test_each_form_of_choices_is_read(field: object, need: str) -> None:
    nodes = {"LoraLoader": node(field, need=need)}

    assert read_nodes(nodes) == ({"loras/a.safetensors", "loras/b/c.safetensors"}, True, [])


@pytest.mark.parametrize("field", NO_CHOICES.values(), ids=NO_CHOICES)
def test_a_loader_without_choices_leaves_its_own_folder_unread(field: object) -> None:
    nodes = {"LoraLoader": node(field), "VAELoader": node([["v.pt"]], name="vae_name")}

    assert read_nodes(nodes) == ({"vae/v.pt"}, True, ["LoraLoader.lora_name"])
    assert read_loaders(nodes, Problems())[2] == {"vae"}


@pytest.mark.parametrize("broken", NO_NODES.values(), ids=NO_NODES)
def test_a_broken_node_costs_no_other_one(broken: object) -> None:
    nodes = {"LoraLoader": broken, "VAELoader": node([["v.pt"]], name="vae_name")}

    assert read_nodes(nodes) == ({"vae/v.pt"}, True, ["LoraLoader.lora_name"])
    assert read_loaders(nodes, Problems())[2] == {"vae"}


def test_a_choice_that_is_no_text_leaves_its_own_folder_uncovered() -> None:
    nodes = {
        "LoraLoader": node([["a.pt", None]]),
        "VAELoader": node([["v.pt"]], name="vae_name"),
    }

    assert read_nodes(nodes) == ({"loras/a.pt", "vae/v.pt"}, True, ["loras: None"])
    assert read_loaders(nodes, Problems())[2] == {"vae"}


def test_a_folder_is_complete_if_one_of_its_loaders_is() -> None:
    nodes = {"LoraLoader": None, "LoraLoaderModelOnly": node([["a.pt"]])}

    assert read_nodes(nodes) == ({"loras/a.pt"}, True, ["LoraLoader.lora_name"])


def test_what_several_loaders_list_is_one_model_and_no_problem() -> None:
    nodes = {"LoraLoader": node([["a.pt"]]), "LoraLoaderModelOnly": node([["a.pt", "b.pt"]])}

    assert read_nodes(nodes) == ({"loras/a.pt", "loras/b.pt"}, True, [])


def test_one_name_in_two_folders_is_two_models() -> None:
    nodes = {
        "LoraLoader": node([["a.pt"]]),
        "CheckpointLoaderSimple": node([["a.pt"]], name="ckpt_name"),
    }

    assert read_nodes(nodes)[0] == {"loras/a.pt", "checkpoints/a.pt"}


def test_lists_of_unknown_nodes_and_inputs_are_not_read() -> None:
    nodes = {
        "SomeLoader": node([["a.pt"]]),
        "LoraLoader": {"input": {"required": {"lora_name": [[]], "other": [["b.pt"]]}}},
    }

    assert read_nodes(nodes) == (set(), True, ["SomeLoader.lora_name", "LoraLoader.other"])


UNKNOWN: dict[str, tuple[object, list[str]]] = {
    "files that no known loader lists": ([["b.pt", "c.pt", "None"]], ["SomeLoader.lora_name"]),
    "in the third schema": (["COMBO", {"options": ["b.gguf"]}], ["SomeLoader.lora_name"]),
    "files of a known loader": ([["a.pt"]], []),
    "samplers": ([["euler", "ddim"]], []),
    "a type": (["MODEL"], []),
    "anything": ([[None, 5, {}]], []),
}


@pytest.mark.parametrize("case", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_loader_is_told_by_name_if_only_it_lists_a_file(
    case: tuple[object, list[str]],
) -> None:
    field, subjects = case
    nodes = {"SomeLoader": node(field), "LoraLoader": node([["a.pt"]])}

    assert read_nodes(nodes) == ({"loras/a.pt"}, True, subjects)


def test_a_server_with_unknown_loaders_only_is_told_their_names() -> None:
    nodes = {"SomeLoader": node([["b.pt"]])}

    assert read_nodes(nodes) == (set(), False, ["/object_info", "SomeLoader.lora_name"])


def test_only_folders_whose_loaders_were_read_are_covered() -> None:
    nodes = {"LoraLoader": node([[]]), "VAELoader": None, "SomeLoader": node([["a.pt"]])}

    assert read_loaders(nodes, Problems())[2] == {"loras"}


@pytest.mark.parametrize("nodes", [None, [], "LoraLoader", {}, {"SomeLoader": {}}], ids=repr)
def test_an_answer_without_a_known_loader_is_no_listing(nodes: object) -> None:
    assert read_nodes(nodes) == (set(), False, ["/object_info"])


KEPT = {
    "sshs_model_hash": "ab",
    "sshs_legacy_hash": "cd",
    "ss_base_model_version": "sdxl",
    "ss_output_name": "a",
    "modelspec.title": "A",
    "modelspec.architecture": "lora",
}

LEFT_OUT: dict[str, dict[str, object]] = {
    "of the training": {"ss_tag_frequency": "{}", "ss_datasets": "[]"},
    "a picture": {"modelspec.thumbnail": "data:image/jpeg;base64,AAAA"},
    "null": {"ss_output_name": None},
    "a number": {"ss_output_name": 2**64},
    "an object": {"ss_output_name": {"a": "b"}},
    "empty text": {"ss_output_name": ""},
    "a key that no document holds": {"modelspec.\0": "a"},
    "a key without end": {"modelspec." + "x" * 1_000_000: "a"},
}


def test_what_shows_the_origin_is_kept() -> None:
    assert kept_pairs(KEPT) == KEPT


@pytest.mark.parametrize("metadata", LEFT_OUT.values(), ids=LEFT_OUT)
def test_the_rest_is_left_out(metadata: dict[str, object]) -> None:
    assert kept_pairs(metadata) == {}


def test_a_long_value_is_cut() -> None:
    kept = kept_pairs({"ss_output_name": "x" * 10_000})

    assert kept == {"ss_output_name": "x" * MAX_VALUE_LENGTH}


def test_of_too_many_pairs_the_hash_stays() -> None:
    many = {f"modelspec.{number}": "x" for number in range(MAX_PAIRS * 2)}
    many |= {f"modelspec.x{'x' * number}\0": "x" for number in range(MAX_PAIRS)}

    kept = kept_pairs(many | KEPT)

    assert len(kept) == MAX_PAIRS
    assert kept["sshs_model_hash"] == "ab"

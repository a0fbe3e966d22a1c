"""Names as servers list them, and which of them are models."""

import pytest

from storycanvas.catalog.comfyui.files import MAX_NAME_LENGTH, FileFacts, read_names
from storycanvas.catalog.comfyui.folders import read_facts
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
    "as told": ({"size": 7, "modified": 1.5}, FileFacts(7, 1.5)),
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

"""The tree above a picture: complete, bounded, and safe to show whatever a file claims."""

from datetime import UTC, datetime
from typing import Any

import pytest

from storycanvas.faces.lineage.listing import summary, tree_lines, tree_markdown, tree_rows
from storycanvas.faces.lineage.tree import (
    MAX_DEPTH,
    SEEN,
    TOO_FAR,
    MadeBy,
    TracedPicture,
    made_by_statement,
    trace,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Known = dict[str, MadeBy]


def made(*inputs: str, operation: str = "enhance", **fields: Any) -> MadeBy:
    usual: dict[str, Any] = {
        "known_from": "ledger",
        "operation_type": operation,
        "settings": {"face_enhancer_blend": 0.5, "enhancement_model": "codeformer"},
        "inputs": inputs,
        "engine": "facefusion",
        "engine_version": "3.8.1",
        "made_at": NOW,
        "operation_key": "k" * 64,
    }
    return MadeBy(**usual | fields)


def traced(sha256: str, known: Known) -> TracedPicture:
    return trace(sha256, "", lambda found, address: (address or f"{found}.png", known.get(found)))


SWAPPED: Known = {"swapped": made("old", "scene", operation="swap"), "old": made("face")}


def test_a_tree_goes_up_to_the_originals_and_names_their_roles() -> None:
    tree = traced("swapped", SWAPPED)

    assert [(each.role, each.sha256) for each in tree.pictures()] == [
        ("picture", "swapped"),
        ("source face", "old"),
        ("input", "face"),
        ("target", "scene"),
    ]
    assert summary(tree) == (
        "swapped.png was made by swap with facefusion 3.8.1 on 2026-11-21 12:00 UTC. The tree "
        "above it has 2 operations and 2 originals."
    )


def test_every_setting_is_in_the_lines_and_in_the_table() -> None:
    tree = traced("swapped", SWAPPED)

    lines, [row, *_] = tree_lines(tree), tree_rows(tree)
    settings = "enhancement_model=codeformer, face_enhancer_blend=0.5"
    assert lines[0] == "picture swapped.png: swap with facefusion 3.8.1 on 2026-11-21 12:00 UTC"
    assert lines[1] == f"│  settings: {settings}"
    assert "├─ source face old.png: enhance with facefusion" in "\n".join(lines)
    assert lines[-1] == "└─ target scene.png: original"
    assert row["settings"] == settings
    assert row["made from"] == "old, scene"


def test_a_ring_and_a_long_row_of_operations_end() -> None:
    ring = traced("a", {"a": made("b"), "b": made("a")})
    row = traced("0", {str(n): made(str(n + 1)) for n in range(MAX_DEPTH + 9)})

    assert [each.note for each in ring.pictures()] == ["", "", SEEN]
    assert [each.note for each in row.pictures()] == [*[""] * MAX_DEPTH, TOO_FAR]


def test_a_picture_that_stands_in_many_places_is_followed_once() -> None:
    """Each step swaps a picture with itself: followed each time it would be 2^50 pictures."""
    known = {str(n): made(str(n + 1), str(n + 1), operation="swap") for n in range(50)}

    assert len([*traced("0", known).pictures()]) == 101


STATEMENT: dict[str, Any] = {
    "operation": "age_adjust",
    "parameters": {"target_age": 45},
    "input_sha256": ["a"],
    "engine": "preview",
    "engine_version": "1",
    "created_at": "2026-11-21T12:00:00+00:00",
    "models": ["fran"],
}


def test_the_provenance_of_a_file_tells_the_operation() -> None:
    found = made_by_statement(STATEMENT)

    assert found is not None
    assert (found.known_from, found.inputs, found.models) == ("file", ("a",), ("fran",))
    assert found.settings == {"target_age": 45}


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "[free](javascript:alert(1))"},
        {"operation": "x\ny"},
        {"input_sha256": 5},
        {"created_at": "yesterday"},
        {"parameters": None},
        {"models": {"a": 1}},
    ],
)
def test_what_is_no_provenance_counts_as_none(wrong: dict[str, Any]) -> None:
    assert made_by_statement({**STATEMENT, **wrong}) is None


def test_no_text_of_a_file_leaves_the_block_that_shows_it() -> None:
    told = {"note": "``` <img src=x onerror=alert(1)>\n# big", "turned": "\u202egnp.exe"}
    tree = traced("a", {"a": made("b", settings=told)})

    text = tree_markdown(tree, lambda address: f"http://127.0.0.1:1/{address}")
    fence, *inside, end = text.split("\n\n")[1].split("\n")
    assert fence == end == "````"
    assert "``` <img src=x onerror=alert(1)> # big" in "\n".join(inside)
    assert "\u202e" not in text
    assert "[picture 1](<http://127.0.0.1:1/a.png>)" in text

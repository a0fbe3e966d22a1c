"""An input that an earlier operation has made is named in a note."""

import pytest

from storycanvas.faces.sources.earlier_results import earlier_result_notes

IS_OUTPUT = "The base picture is the output of an earlier "
RESTORED = f"{IS_OUTPUT}enhance: its face has been restored already."
SWAPPED = f"{IS_OUTPUT}swap: its face has been swapped already."


@pytest.mark.parametrize(
    ("made_by", "notes"),
    [
        ({}, ()),
        ({"other": {"enhance"}}, ()),
        ({"hash": {"age_adjust"}}, ()),
        ({"hash": {"enhance"}}, (RESTORED,)),
        ({"hash": {"swap", "enhance"}}, (RESTORED, SWAPPED)),
    ],
)
def test_each_earlier_operation_that_matters_is_a_sentence(
    made_by: dict[str, set[str]], notes: tuple[str, ...]
) -> None:
    assert earlier_result_notes({"base": "hash"}, made_by) == notes


def test_pictures_are_named_in_their_order() -> None:
    pictures = {"source": "1", "target": "2", "again": "1"}

    notes = earlier_result_notes(pictures, {"2": {"swap"}, "1": {"enhance"}})

    assert [note.split()[1] for note in notes] == ["source", "target", "again"]

"""Answers of servers: unpacked, and cut to what a document can hold."""

import gzip

import pytest

from storycanvas.catalog.answers import unpacked
from storycanvas.catalog.storable import DEEPEST, MAX_PARTS, MAX_TEXT_LENGTH, cut_answer

VALUES: dict[str, tuple[object, object]] = {
    "text": ("linux", "linux"),
    "null": (None, None),
    "a truth": (True, True),
    "a number": (1.5, 1.5),
    "the largest": (2**63 - 1, 2**63 - 1),
    "beyond 64 bits": (2**63, str(2**63)),
    "below 64 bits": (-(2**63) - 1, str(-(2**63) - 1)),
    "long text": ("x" * (MAX_TEXT_LENGTH + 1), "x" * MAX_TEXT_LENGTH),
    "a long list": ([1] * (MAX_PARTS + 1), [1] * MAX_PARTS),
    "keys that no document holds": ({"": 1, "a\0": 2, "$set": 3, "a.b": 4}, {"a.b": 4}),
    "a password": ("--database-url=sqlite://me:secret@box/a", "--database-url=sqlite://box/a"),
    "a password at the end": (f"{'x' * 1970}http://me:{'p' * 20}@box", f"{'x' * 1970}http://box"),
    "objects in lists": ([{"seed": 2**64}], [{"seed": str(2**64)}]),
}


def nested(levels: int) -> object:
    value: object = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES)
def test_a_value_is_cut_to_what_a_document_holds(case: tuple[object, object]) -> None:
    value, kept = case
    assert cut_answer(value) == kept


def test_a_large_object_keeps_its_first_parts() -> None:
    large = {str(number): number for number in range(MAX_PARTS + 1)}

    assert cut_answer(large) == dict(list(large.items())[:MAX_PARTS])


@pytest.mark.parametrize(("levels", "is_kept"), [(DEEPEST, True), (DEEPEST + 1, False)])
def test_nesting_is_bounded(levels: int, is_kept: bool) -> None:
    assert ("end" in repr(cut_answer(nested(levels)))) is is_kept


ONE, TWO = gzip.compress(b"one"), gzip.compress(b"two")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([ONE + b"\0\0\0"], b"one"),
        ([ONE, b"\0", b"\0\0"], b"one"),
        ([ONE + b"\0\0" + TWO], b"onetwo"),
        ([ONE + b"\0", b"\0" + TWO], b"onetwo"),
    ],
    ids=["at the end", "at the end, in parts", "between two", "between two, in parts"],
)
def test_padding_after_a_member_is_passed_over(parts: list[bytes], text: bytes) -> None:
    assert b"".join(unpacked(parts)) == text

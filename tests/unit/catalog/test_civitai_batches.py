from pathlib import Path

import pytest

from storycanvas.catalog.civitai.files import (
    MAX_BATCH_LENGTH,
    MAX_ITEMS,
    RawItem,
    batches,
    read_file,
)
from storycanvas.catalog.entries import Problem


def test_batches_hold_all_in_its_order() -> None:
    found: list[RawItem | Problem] = [RawItem(n, {}) for n in range(500)]
    found[1] = Problem("item 2", "Bad.")

    gathered = list(batches(found))

    assert [entry for batch in gathered for entry in batch] == found
    assert [len(batch) for batch in gathered] == [MAX_ITEMS, MAX_ITEMS, 100]


@pytest.mark.parametrize("between", ["\n", ",\n"], ids=["lines", "list"])
def test_long_items_come_in_small_batches(tmp_path: Path, between: str) -> None:
    long = '{"id": 1, "description": "' + "x" * (MAX_BATCH_LENGTH // 2) + '"}'
    text = between.join([long] * 5)
    path = tmp_path / "items.json"
    path.write_text(text if between == "\n" else f"[{text}]")

    assert [len(batch) for batch in batches(read_file(path))] == [2, 2, 1]


def test_nothing_is_no_batch() -> None:
    assert list(batches([])) == []

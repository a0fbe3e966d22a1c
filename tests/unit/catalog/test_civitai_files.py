"""Items out of files of any shape and size, whole, cut off or damaged, and batches of them."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storycanvas.catalog.civitai.files import (
    MAX_BATCH_LENGTH,
    MAX_ITEMS,
    RawItem,
    batches,
    read_file,
)
from storycanvas.catalog.civitai.items import ItemUnreadable, read_item
from storycanvas.catalog.civitai.json_items import MAX_ITEM_LENGTH
from storycanvas.catalog.entries import Problem

ITEMS: list[dict[str, Any]] = [
    {"id": n, "name": f"é ☃ 🎨 {n}", "stats": {}, "modelVersions": [{"files": [{"id": -n}]}]}
    for n in range(1, 8)
]
PAGE = {"items": ITEMS, "metadata": {"nextCursor": "1|2"}}
LINES = "\n".join(json.dumps(item) for item in ITEMS)
MEBIBYTE = 2**20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.json"


@contextmanager
def peak_below(mebibytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * MEBIBYTE
    finally:
        tracemalloc.stop()


def ids(found: list[RawItem | Problem]) -> list[Any]:
    """Ids of items, and None for each problem."""
    return [entry.raw["id"] if isinstance(entry, RawItem) else None for entry in found]  # type: ignore[index]


def read(path: Path, text: str | bytes) -> list[RawItem | Problem]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_file(path))


SHAPES = {
    "page": json.dumps(PAGE),
    "page, metadata first": json.dumps({"metadata": {"a": [1]}, "items": ITEMS}),
    "pretty page": json.dumps(PAGE, indent=2),
    "page without indentation": json.dumps(PAGE, indent=0),
    "list": json.dumps(ITEMS),
    "pretty list": json.dumps(ITEMS, indent=4, ensure_ascii=False),
    "list with an item a line": f"[{LINES.replace(chr(10), ',' + chr(10))}]",
    "page with an item a line": f'{{"items":[{LINES.replace(chr(10), "," + chr(10))}]}}',
    "lines": LINES,
    "lines with an end": LINES + "\n",
    "lines with gaps": "\n\n" + LINES.replace("\n", "\r\n\r\n") + "\r\n",
    "lines of pages": "\n".join(json.dumps({"items": [item]}) for item in ITEMS),
    "pretty pages one after the other": "\n".join(
        json.dumps({"items": [item]}, indent=1) for item in ITEMS
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "with a byte order mark"])
@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_every_shape_gives_the_same_items(path: Path, text: str, mark: str, packed: bool) -> None:
    body = (mark + text).encode()

    found = read(path, gzip.compress(body) if packed else body)

    assert found == [RawItem(index, item) for index, item in enumerate(ITEMS)]


@pytest.mark.parametrize(
    "name",
    ["page", "pretty page", "page without indentation", "list", "pretty list", "lines"],
)
def test_a_file_that_is_cut_off_gives_what_is_whole_then_one_problem(path: Path, name: str) -> None:
    body = SHAPES[name].encode()

    for end in range(1, len(body) - 3, 7):
        *whole, last = read(path, body[:end])

        assert ids(whole) == list(range(1, len(whole) + 1))
        assert isinstance(last, Problem) or (name == "lines" and ids([last]) == [len(whole) + 1])


@pytest.mark.parametrize("name", ["list", "lines"])
def test_a_gzip_file_that_is_cut_off_gives_all_that_is_there(path: Path, name: str) -> None:
    packed = gzip.compress(SHAPES[name].encode(), 0)

    *whole, last = read(path, packed[:-200])

    assert ids(whole) == [1, 2, 3, 4, 5]
    assert isinstance(last, Problem)
    assert "gzip" in last.reason


def test_a_gzip_file_that_lacks_its_sum_gives_all_items_and_a_problem(path: Path) -> None:
    found = read(path, gzip.compress(LINES.encode())[:-4])

    assert ids(found) == [1, 2, 3, 4, 5, 6, 7, None]


def test_gzip_files_in_a_row_are_one(path: Path) -> None:
    body = b"".join(gzip.compress(f"{json.dumps(item)}\n".encode()) for item in ITEMS)

    assert ids(read(path, body)) == [1, 2, 3, 4, 5, 6, 7]


def test_a_damaged_gzip_file_is_a_problem(path: Path) -> None:
    assert ids(read(path, gzip.compress(LINES.encode())[:20] + b"\xff" * 50)) == [None]


@pytest.mark.parametrize(
    "broken",
    [
        '{"id": 2, "na',
        '{"id": 2, "name": ',
        '{"id": 2, "name": tru}',
        '{"id": 2, "name": "a"b"}',
        "null",
        "<html>",
        '{"id": 2}}',
        '{"a": ' * 5000,
    ],
    ids=lambda value: value[:24],
)
@pytest.mark.parametrize("at", [0, 1, 3], ids=["first", "second", "last"])
def test_a_broken_line_costs_no_other(path: Path, broken: str, at: int) -> None:
    lines = ['{"id": 1}', '{"id": 3}', '{"id": 4}']
    lines.insert(at, broken)

    found = read(path, "\n".join(lines))

    assert [number for number in ids(found) if number not in {None, 2}] == [1, 3, 4]
    (problem,) = (entry for entry in found if isinstance(entry, Problem))
    assert problem.subject.endswith(f"line {at + 1}")


def test_an_item_nested_too_deeply_to_be_stored_costs_no_other(path: Path) -> None:
    deep = '{"id": 2, "a": ' + "[" * 400 + "]" * 400 + "}"

    _, nested, last = read(path, f'[{{"id": 1}}, {deep}, {{"id": 3}}]')

    assert isinstance(nested, RawItem)
    with pytest.raises(ItemUnreadable):
        read_item(nested.raw)
    assert ids([last]) == [3]


@pytest.mark.parametrize(
    "part", ["[", '{"' + "x" * 100_000 + '": '], ids=["brackets", "long names"]
)
def test_nesting_without_end_is_one_problem_and_takes_little_memory(path: Path, part: str) -> None:
    with peak_below(64):
        found = read(path, '[{"id": 1}, ' + part * (8 * MEBIBYTE // len(part)))

    assert ids(found) == [1, None]


BROKEN_ITEMS = {
    "a word": '{"id": 2, "name": tru}',
    "a comma too much": '{"id": 2,, "modelVersions": [{"id": 9, "files": [{"id": 8}]}]}',
    "a comma missing": '{"id": 2 "modelVersions": [{"id": 9, "files": [{"id": 8}]}]}',
    "quotes of another kind": "{'id': 2, 'modelVersions': [{'id': 9}]}",
    "no name": '{"id": 2, 5: [{"id": 9}]}',
    "None": "None",
    "a quotation mark missing": '{"id": 2, "name": "a, "files": [{"id": 9}]}',
    "a quotation mark missing before a bracket in a text": '{"id": 2, "name": "a, "b": "}, 9, "}',
    "brackets that do not fit": '{"id": 2]',
    "not JSON": "?",
}


@pytest.mark.parametrize("broken", BROKEN_ITEMS.values(), ids=BROKEN_ITEMS)
@pytest.mark.parametrize("between", [", ", ",\n", ",\n  "], ids=["one line", "lines", "indented"])
def test_a_list_that_is_broken_gives_what_comes_before_then_one_problem(
    path: Path, broken: str, between: str
) -> None:
    items = ['{"id": 1}', broken, '{"id": 3, "files": [{"id": 9}]}', '{"id": 4}']

    found = read(path, f"[{between[1:]}{between.join(items)}]")

    assert ids(found) == [1, None]
    assert isinstance(found[1], Problem)
    assert "not read" in found[1].reason


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_damage_anywhere_never_makes_an_item_of_a_part(path: Path, indent: int | None) -> None:
    text = json.dumps(ITEMS[:3], indent=indent)

    for at in range(1, len(text), 3):
        found = read(path, f"{text[:at]}?{text[at + 3 :]}")

        items = [entry.raw for entry in found if isinstance(entry, RawItem)]
        assert [raw for raw in items if isinstance(raw, dict) and set(raw) <= {"files", "id"}] == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"<!DOCTYPE html>\n<html>\n</html>", "neither"),
        (b"PK\x03\x04", "neither"),
        (b"nul", "neither"),
        ('{"id": 1}'.encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b", "gzip"),
    ],
    ids=["empty", "blank", "HTML", "zip", "word", "UTF-16", "gzip without content"],
)
def test_a_file_of_another_kind_is_one_problem(path: Path, body: bytes, reason: str) -> None:
    (problem,) = read(path, body)

    assert isinstance(problem, Problem)
    assert reason in problem.reason


def test_an_empty_list_has_neither_items_nor_problems(path: Path) -> None:
    assert read(path, "[]") == read(path, '{"items": [], "metadata": {}}') == []


def test_what_is_no_object_is_left_to_the_reader_of_items(path: Path) -> None:
    found = read(path, '[null, 3, "x", [], 9223372036854775807]')

    assert [entry.raw for entry in found if isinstance(entry, RawItem)] == [
        None,
        3,
        "x",
        [],
        2**63 - 1,
    ]


@pytest.mark.parametrize("text", ["[%s]", "%s", '{"items": [%s]}'], ids=["list", "line", "page"])
def test_bytes_that_are_not_utf_8_become_replacement_characters(path: Path, text: str) -> None:
    body = b'{"id": 1, "type": "VAE", "name": "\xff\xfe"}'

    (found,) = read(path, text.encode() % body)

    assert isinstance(found, RawItem)
    assert read_item(found.raw).document["name"] == "\ufffd\ufffd"


NUMBERS = {"endless": "9" * 5000, "beyond a float": "1e999", "not a number": "NaN"}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_no_database_holds_costs_no_line(path: Path, number: str) -> None:
    (found,) = read(path, '{"id": 1, "type": "VAE", "name": "x", "a": ' + number + "}")

    assert isinstance(found, RawItem)
    assert read_item(found.raw).document["name"] == "x"


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_no_database_holds_ends_a_list_with_a_problem(
    path: Path, number: str
) -> None:
    assert ids(read(path, '[{"id": 1}, {"id": 2, "a": ' + number + "}]")) == [1, None]


def test_reading_can_go_on_where_it_was_stopped(path: Path) -> None:
    lines = ['{"id": 1}', "{", '{"id": 3}', '{"id": 4}']
    whole = read(path, "\n".join(lines))

    for start in range(5):
        assert list(read_file(path, start)) == whole[start:]


def test_the_index_counts_items_and_problems(path: Path) -> None:
    found = read(path, '{"id": 1}\n{\n{"id": 3}')

    assert [entry.index for entry in found if isinstance(entry, RawItem)] == [0, 2]


def test_an_item_that_is_too_long_is_a_problem(path: Path) -> None:
    long = json.dumps({"id": 2, "name": "x" * (MAX_ITEM_LENGTH + 300_000)})

    assert ids(read(path, f'{{"id": 1}}\n{long}\n{{"id": 3}}')) == [1, None, 3]
    assert ids(read(path, f'[{{"id": 1}}, {long}, {{"id": 3}}]')) == [1, None]


def write_many(path: Path, name: str) -> None:
    item = {"name": "x" * 1500, "modelVersions": [{"files": [{"id": 1}]}]}
    with gzip.open(path, "wt") if "gzip" in name else path.open("w") as file:
        file.write("" if name == "lines" else '{"items": [')
        for number in range(20_000):
            file.write(
                (", " if number and name != "lines" else "") + json.dumps({"id": number} | item)
            )
            file.write("\n" if name == "lines" else "")
        file.write("" if name == "lines" else "]}")


@pytest.mark.parametrize("name", ["page", "gzip page", "lines"])
def test_a_large_file_is_read_with_little_memory(path: Path, name: str) -> None:
    write_many(path, name)

    with peak_below(64):
        assert sum(isinstance(entry, RawItem) for entry in read_file(path)) == 20_000


@pytest.mark.parametrize("inside", ["%s", '"%s"'], ids=["blanks", "a text"])
def test_a_file_that_unpacks_to_much_more_is_read_with_little_memory(
    path: Path, inside: str
) -> None:
    end = inside.encode() % (b" " * 100 * MEBIBYTE)
    body = gzip.compress(b'[{"id": 1}, ' + end + b"]", 1)
    del end

    with peak_below(80):
        assert ids(read(path, body)) == [1, None]


def test_a_missing_file_is_an_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_file(path))


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

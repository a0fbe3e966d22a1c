"""Which hashes a document names: those in any text, and not what its own repetition replaced."""

from datetime import UTC, datetime
from typing import Any

import bson
import pytest

from db.pictures.names import hashes_in, only_replaced

FIRST, SECOND, THIRD = (f"{number:064x}" for number in (10, 11, 12))
WANTED = {FIRST, SECOND, THIRD}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def url(digest: str) -> str:
    return f"http://127.0.0.1:1/local/result/2026/11/{digest}.png"


@pytest.mark.parametrize(
    "value",
    [
        url(FIRST),
        FIRST.upper(),
        [{"deep": [{"er": f"file:///{FIRST}?x=1"}]}],
        {url(FIRST).replace(".", "_"): 1},
        f"ab{FIRST}cd",
        bson.Binary(FIRST.encode()),
        bson.Regex(FIRST),
        bson.Code(f"show('{FIRST}')"),
        f'{{"text": "{FIRST}"}}',
    ],
)
def test_a_hash_is_found_wherever_it_stands(value: object) -> None:
    assert hashes_in(bson.encode({"any": value}), WANTED) == {FIRST}


def effect(digest: str, *, applied: bool = True, source: str = "a.png") -> dict[str, Any]:
    entry = {"output_image_url": url(digest), "input_image_url": source}
    return {"url": url(digest), "entry": entry, "applied_at": NOW if applied else None}


def replaced_of(record: dict[str, Any]) -> set[str]:
    return only_replaced(record, bson.encode(record), WANTED)


def test_an_output_that_was_replaced_is_not_needed_by_its_own_operation() -> None:
    record = {
        "_id": "k",
        "output": {"url": url(SECOND)},
        "earlier_outputs": [{"url": url(FIRST), "path": url(FIRST)}],
        "effects": [effect(FIRST), effect(SECOND)],
    }

    assert replaced_of(record) == {FIRST}


@pytest.mark.parametrize(
    "changed",
    [
        {"effects": [effect(FIRST, applied=False)]},
        {"effects": [effect(SECOND, source=url(FIRST))]},
        {"output": {"url": url(FIRST)}},
        {"note": url(FIRST)},
        {"effects": url(FIRST)},
        {"effects": [[url(FIRST)]]},
    ],
)
def test_what_the_operation_still_needs_is_needed(changed: dict[str, Any]) -> None:
    """A pending effect, an input, the output itself, a field that is not known."""
    record = {"_id": "k", "earlier_outputs": [{"url": url(FIRST)}], **changed}

    assert replaced_of(record) == set()


def test_a_record_with_a_field_twice_counts_as_a_whole() -> None:
    once = bson.encode({"note": url(SECOND), "earlier_outputs": [{"url": url(FIRST)}]})
    twice = once.replace(b"note", b"xxxx")[4:-1] + bson.encode({"xxxx": "x"})[4:]
    raw = (len(twice) + 4).to_bytes(4, "little") + twice

    record = bson.decode(raw)
    assert record["xxxx"] == "x"
    assert only_replaced(record, raw, WANTED) == set()

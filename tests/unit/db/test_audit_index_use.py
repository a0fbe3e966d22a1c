"""Which indexes an audit calls unused."""

from typing import Any

import pytest

from db.audit.indexes import is_unused

INDEX: dict[str, Any] = {"_id": "name_1", "uses": 0, "unique": None, "expires": None}


def test_an_index_that_no_query_used_is_unused() -> None:
    assert is_unused(INDEX)


@pytest.mark.parametrize(
    "at_work", [{"uses": 1}, {"unique": True}, {"expires": 0}, {"_id": "_id_"}], ids=str
)
def test_an_index_at_work_is_not_unused(at_work: dict[str, Any]) -> None:
    assert not is_unused(INDEX | at_work)

from typing import Any

import pytest

from storycanvas.catalog.civitai.items import with_other_versions


def version(number: int, base_model: str | None = "Pony", **told: Any) -> dict[str, Any]:
    return {"id": number, "baseModel": base_model, **told}


STORED = [version(3, "SDXL 1.0"), version(2, name="old"), version(1, None)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([version(2, name="old")], STORED),
        ([version(2, name="new")], [STORED[0], version(2, name="new"), STORED[2]]),
        ([version(4)], [version(4), STORED[0], STORED[2]]),
        ([None, version(2, name="old")], STORED),
    ],
    ids=["as stored", "changed", "new, and one is gone", "no object"],
)
def test_versions_that_a_filter_left_out_stay(told: list[Any], expected: list[Any]) -> None:
    made = with_other_versions({"id": 7, "modelVersions": told}, STORED, ["Pony"])

    assert made == {"id": 7, "modelVersions": expected}


@pytest.mark.parametrize("raw", [None, [], {"id": 7}, {"id": 7, "modelVersions": None}])
def test_what_has_no_versions_stays_as_it_is(raw: object) -> None:
    assert with_other_versions(raw, STORED, ["Pony"]) == raw

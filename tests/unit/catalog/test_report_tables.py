"""Tables of models: as CSV that is safe to open, and as the database reads a listing."""

import csv
import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from db.catalog.listing.compare import ListedModel
from storycanvas.catalog.entries import ModelEntry
from storycanvas.catalog.reporting.files import as_csv
from storycanvas.catalog.reporting.models_frame import listed_frame, models_frame


def cell(value: object) -> str:
    text = as_csv(pd.DataFrame({"name": [value]})).decode()
    return list(csv.reader(io.StringIO(text, newline="")))[1][0]


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "  =", "\uff1d", "\uff20"], ids=repr
)
def test_a_formula_gets_an_apostrophe(start: str) -> None:
    assert cell(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("sdxl_vae.safetensors", "sdxl_vae.safetensors"),
        ('a,"b"\nc', 'a,"b"\nc'),
        ("夏=1", "夏=1"),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (datetime(2026, 3, 1, 2, tzinfo=UTC), "2026-03-01T02:00:00+00:00"),
        (True, "True"),
        ("\ud800", "?"),
    ],
    ids=repr,
)
def test_everything_else_stays_as_it_is(value: object, text: str) -> None:
    assert cell(value) == text


def test_what_is_unknown_is_an_empty_cell() -> None:
    row = as_csv(models_frame([{"id": "a"}])).decode().splitlines()[1]

    assert row == "a,,a,,,,,,,,,,,,True,,,,,"


def test_a_whole_number_stays_one_beside_what_is_unknown() -> None:
    assert as_csv(pd.DataFrame({"a": [7, None, 2**53 + 1]}, dtype=object)) == (
        b'a\r\n7\r\n""\r\n9007199254740993\r\n'
    )


def test_an_empty_table_has_its_header() -> None:
    assert as_csv(pd.DataFrame(columns=["a", "b"])) == b"a,b\r\n"


def test_a_listing_has_the_columns_that_the_database_reads() -> None:
    entry = ModelEntry(
        "loras",
        "sub/a.pt",
        "sub\\a.pt",
        size=2**60 + 1,
        hashes={"SHA256": "A"},
        metadata={"k": "v"},
    )

    [row] = listed_frame([entry]).itertuples(index=False)

    assert ListedModel(**row._asdict()) == ListedModel(
        folder="loras",
        path="sub/a.pt",
        raw_name="sub\\a.pt",
        size=2**60 + 1,
        modified=None,
        hashes={"SHA256": "A"},
        metadata=[["k", "v"]],
        model_type="lora",
    )


def test_nothing_listed_is_a_frame_without_rows() -> None:
    frame = listed_frame([])

    assert (len(frame), tuple(frame.columns)) == (0, ListedModel._fields)

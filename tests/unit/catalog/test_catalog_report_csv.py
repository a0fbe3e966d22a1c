"""A table as CSV can be opened by anybody without harm."""

import csv
import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from storycanvas.catalog.reporting.files import as_csv
from storycanvas.catalog.reporting.models_frame import models_frame


def cell(value: object) -> str:
    text = as_csv(pd.DataFrame({"name": [value]})).decode()
    return list(csv.reader(io.StringIO(text, newline="")))[1][0]


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "  =", "\uff1d", "\uff20"], ids=repr
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(start: str) -> None:
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

"""The page of troubleshooting: its errors exist, and what it quotes is what the code says."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ROOMS = ("blocks", "db", "deployments", "storycanvas", "tasks")
ERROR = re.compile(r"[A-Z][a-z]+[A-Z]\w+")
HOLE = "…"
"""Stands for a name or a number, on the page and in the texts of the code."""
FACEFUSION = (
    *("Connection refused", "401", "404", "500", "503", "Timeout", "GPU out of memory", "Slow"),
    *("Format not supported", "CORS", "Mixed content", "does not answer any more"),
)
DATABASE = ("**Connection.**", "**Permissions.**", "**Index conflicts.**", "**When to run what.**")


@cache
def sources() -> tuple[str, ...]:
    return tuple(path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@cache
def texts() -> str:
    """Every text of the code, a line each, with a hole for each value that is put in."""
    return "\n".join(text for source in sources() for text in _texts(ast.parse(source)))


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                yield re.sub(r"\{\w+\}", HOLE, text)
            case ast.JoinedStr(values=parts):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else HOLE for part in parts
                )


def symptoms() -> list[list[str]]:
    """Rows of the tables by symptom: symptom, command, what it says, remedy."""
    rows = [re.split(r" \| ", row.strip("| ")) for row in PAGE.splitlines() if row.startswith("|")]
    return [row for row in rows if len(row) == 4 and row[0] not in {"symptom", "---"}]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def quoted(row: list[str]) -> list[str]:
    return [text for text in re.findall(r"`([^`]+)`", row[2]) if not ERROR.fullmatch(text)]


@pytest.mark.parametrize("row", symptoms(), ids=lambda row: row[0][:40])
def test_what_the_page_quotes_is_what_the_code_says(row: list[str]) -> None:
    said = quoted(row)

    assert said or row[2] == "nothing of ours"
    assert [text for text in said if text not in texts()] == []


@pytest.mark.parametrize("symptom", FACEFUSION)
def test_the_page_has_the_symptoms_of_facefusion(symptom: str) -> None:
    assert symptom in section("FaceFusion, by symptom")


@pytest.mark.parametrize("topic", DATABASE)
def test_the_page_has_the_topics_of_the_database(topic: str) -> None:
    assert topic in section("The database, by symptom")


def test_every_error_of_the_page_exists() -> None:
    defined = {
        name for source in sources() for name in re.findall(r"^class (\w+)", source, re.MULTILINE)
    }
    first_cells = re.findall(r"^\| ([^|]*`[^|]*) \|", PAGE, re.MULTILINE)
    cells = [*first_cells, *(row[2] for row in symptoms())]
    named = {name for cell in cells for name in re.findall(rf"`({ERROR.pattern})`", cell)}

    assert len(named) > 40
    assert named - defined == set()


def test_a_sentence_that_the_code_does_not_say_is_noticed() -> None:
    assert "MongoDB is on holiday" not in texts()
    assert len(symptoms()) > 25

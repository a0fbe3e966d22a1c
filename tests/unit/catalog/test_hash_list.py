"""Hashes of local files that a scan or sidecar files give."""

import json
import os
from pathlib import Path

import pytest

from storycanvas.catalog.entries import Listing, ModelEntry
from storycanvas.catalog.errors import AnswerUnreadable
from storycanvas.catalog.hashes import read_hash_list, with_hashes

SHA256 = "ab" * 32


def row(**told: object) -> dict[str, object]:
    return {"folder": "loras", "name": "a.safetensors", "sha256": SHA256, **told}


def listed(folder: Path, value: object) -> Path:
    path = folder / "hashes.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_hashes_are_found_by_folder_and_normalised_path(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(name="SDXL\\a.safetensors")]))

    assert found.of_server(()) == {("loras", "SDXL/a.safetensors"): SHA256.upper()}


def test_a_null_says_that_a_hash_is_not_known(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(sha256=None)]))

    assert (found.of_server(()), found.problems) == ({}, ())


BAD_ROWS = {
    "no object": 7,
    "no folder": row(folder=None),
    "a path that leaves its folder": row(name="../a.safetensors"),
    "a hash that is too short": row(sha256="abc"),
    "a list for a hash": row(sha256=[SHA256]),
    "a number for a server": row(server=7),
}


@pytest.mark.parametrize("bad", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_problem_and_the_others_stay(tmp_path: Path, bad: object) -> None:
    found = read_hash_list(listed(tmp_path, [bad, row()]))

    assert len(found.of_server(())) == 1
    assert [problem.subject for problem in found.problems] == ["row 0"]


def test_a_file_with_two_hashes_has_none(tmp_path: Path) -> None:
    other = "cd" * 32
    rows = [row(), row(name="b.pt"), row(sha256=other), row(sha256=other)]

    found = read_hash_list(listed(tmp_path, rows))

    assert found.of_server(()) == {("loras", "b.pt"): SHA256.upper()}
    assert [problem.subject for problem in found.problems] == ["row 2", "row 3"]


def test_the_same_row_twice_is_one(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(), row(sha256=SHA256.upper())]))

    assert found.of_server(()) == {("loras", "a.safetensors"): SHA256.upper()}
    assert found.problems == ()


def test_a_hash_of_one_server_is_not_another_one_s(tmp_path: Path) -> None:
    other = "cd" * 32
    found = read_hash_list(listed(tmp_path, [row(), row(server="box", sha256=other)]))

    place = ("loras", "a.safetensors")
    assert found.of_server({"box", "http://box:8188"}) == {place: other.upper()}
    assert found.of_server({"pod"}) == {place: SHA256.upper()}


def test_hashes_of_one_server_that_differ_are_not_made_good_by_one_of_all(tmp_path: Path) -> None:
    rows = [row(), row(server="box"), row(server="box", sha256="cd" * 32)]

    assert read_hash_list(listed(tmp_path, rows)).of_server({"box"}) == {}


@pytest.mark.parametrize("text", ["<html>", "{}", "[1", ""])
def test_a_file_without_a_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AnswerUnreadable, match=r"hashes\.json"):
        read_hash_list(listed(tmp_path, text))


def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(AnswerUnreadable, match="'pipe' is not a file"):
        read_hash_list(tmp_path / "pipe")


def test_what_a_server_tells_itself_is_stronger() -> None:
    own = ModelEntry("loras", "a.safetensors", "a.safetensors", hashes={"SHA256": "CD" * 32})
    silent = ModelEntry("loras", "b.safetensors", "b.safetensors", hashes={"BLAKE3": "EF" * 32})
    known = {("loras", entry.path): SHA256.upper() for entry in (own, silent)}

    listing = with_hashes(Listing((own, silent), complete=True), known)

    assert listing.entries[0].hashes == {"SHA256": "CD" * 32}
    assert listing.entries[1].hashes == {"SHA256": SHA256.upper(), "BLAKE3": "EF" * 32}

"""Hashes of model files in one spelling, and lists of them that a scan or sidecar files give."""

import json
import os
from pathlib import Path

import pytest

from storycanvas.catalog.entries import HashKind, Listing, ModelEntry
from storycanvas.catalog.errors import AnswerUnreadable
from storycanvas.catalog.hashes import (
    hashes_from_metadata,
    normal_hash,
    read_hash_list,
    with_auto_v2,
    with_hashes,
)

SHA256 = "befc694a296f75e996488ebf9f9db8a1493bd059b6e704b975829e87d5aeb4fa"
NOTHING_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NOTHING_BLAKE3 = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

NORMAL: dict[str, tuple[HashKind, object, str | None]] = {
    "lower case": ("SHA256", SHA256, SHA256.upper()),
    "with 0x": ("AutoV3", "0xb530b7e152e4", "B530B7E152E4"),
    "with its kind": ("BLAKE3", f"blake3:{SHA256}", SHA256.upper()),
    "with spaces": ("AutoV2", " BEFC694A29\n", "BEFC694A29"),
    "too short": ("SHA256", SHA256[:-1], None),
    "not hexadecimal": ("AutoV2", "GEFC694A29", None),
    "of nothing": ("SHA256", NOTHING_SHA256, None),
    "of nothing, BLAKE3": ("BLAKE3", NOTHING_BLAKE3, None),
    "the start of one of nothing": ("AutoV2", NOTHING_SHA256[:10], None),
    "only zeros": ("AutoV3", "000000000000", None),
    "null": ("SHA256", None, None),
    "a number": ("AutoV2", 1234567890, None),
}


@pytest.mark.parametrize("case", NORMAL.values(), ids=NORMAL)
def test_a_hash_has_one_spelling_or_is_none(case: tuple[HashKind, object, str | None]) -> None:
    kind, found, normal = case
    assert normal_hash(kind, found) == normal


def test_a_trainers_hash_of_the_tensors_begins_with_auto_v3() -> None:
    assert hashes_from_metadata({"sshs_model_hash": f"0x{SHA256}"}) == {"AutoV3": "BEFC694A296F"}


@pytest.mark.parametrize("metadata", [{}, {"sshs_model_hash": NOTHING_SHA256}])
def test_metadata_without_a_hash_of_something_has_none(metadata: dict[str, str]) -> None:
    assert hashes_from_metadata(metadata) == {}


def test_a_sha256_begins_with_auto_v2() -> None:
    known: dict[HashKind, str] = {"SHA256": SHA256.upper(), "AutoV3": "B530B7E152E4"}
    assert with_auto_v2(known) == {**known, "AutoV2": "BEFC694A29"}


SUM = "ab" * 32


def row(**fields: object) -> dict[str, object]:
    return {"folder": "loras", "name": "a.safetensors", "sha256": SUM, **fields}


def listed(folder: Path, value: object) -> Path:
    path = folder / "hashes.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_hashes_are_found_by_folder_and_normalised_path(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(name="SDXL\\a.safetensors")]))

    assert found.of_server(()) == {("loras", "SDXL/a.safetensors"): SUM.upper()}


def test_a_null_is_an_unknown_hash(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(sha256=None)]))

    assert (found.of_server(()), found.problems) == ({}, ())


BAD_ROWS = {
    "no object": 7,
    "no folder": row(folder=None),
    "a path that leaves its folder": row(name="../a.safetensors"),
    "a hash that is too short": row(sha256="abc"),
    "a list for a hash": row(sha256=[SUM]),
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

    assert found.of_server(()) == {("loras", "b.pt"): SUM.upper()}
    assert [problem.subject for problem in found.problems] == ["row 2", "row 3"]


def test_the_same_row_twice_is_one(tmp_path: Path) -> None:
    found = read_hash_list(listed(tmp_path, [row(), row(sha256=SUM.upper())]))

    assert found.of_server(()) == {("loras", "a.safetensors"): SUM.upper()}
    assert found.problems == ()


def test_a_hash_of_one_server_is_not_another_one_s(tmp_path: Path) -> None:
    other = "cd" * 32
    found = read_hash_list(listed(tmp_path, [row(), row(server="box", sha256=other)]))

    place = ("loras", "a.safetensors")
    assert found.of_server({"box", "http://box:8188"}) == {place: other.upper()}
    assert found.of_server({"pod"}) == {place: SUM.upper()}


def test_hashes_of_one_server_that_differ_are_not_made_good_by_one_of_all(tmp_path: Path) -> None:
    rows = [row(), row(server="box"), row(server="box", sha256="cd" * 32)]

    assert read_hash_list(listed(tmp_path, rows)).of_server({"box"}) == {}


@pytest.mark.parametrize("text", ["<html>", "{}", "[1", ""])
def test_a_file_without_a_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AnswerUnreadable, match=r"hashes\.json"):
        read_hash_list(listed(tmp_path, text))


def test_a_pipe_that_has_no_writer_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(AnswerUnreadable, match="'pipe' is not a file"):
        read_hash_list(tmp_path / "pipe")


def test_the_hash_of_a_server_itself_has_priority() -> None:
    own = ModelEntry("loras", "a.safetensors", "a.safetensors", hashes={"SHA256": "CD" * 32})
    silent = ModelEntry("loras", "b.safetensors", "b.safetensors", hashes={"BLAKE3": "EF" * 32})
    known = {("loras", entry.path): SUM.upper() for entry in (own, silent)}

    listing = with_hashes(Listing((own, silent), complete=True), known)

    assert listing.entries[0].hashes == {"SHA256": "CD" * 32}
    assert listing.entries[1].hashes == {"SHA256": SUM.upper(), "BLAKE3": "EF" * 32}

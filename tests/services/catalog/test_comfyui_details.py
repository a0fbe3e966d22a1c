"""Sizes and metadata of a server's files, which cost no model when they cannot be read."""

import pytest

from tests.support.catalog.comfyui_answers import (
    BROKEN,
    FILES,
    TWELVE,
    folder_answers,
    ids,
    listing_of,
    read,
)
from tests.support.catalog.comfyui_server import Answer

TENSORS = "b530b7e152e4a2d8bd7f485adcfbf8ecc4b9f62f2f4b3b211a47bd7b252dbdc3"


def test_sizes_are_told_by_newer_servers() -> None:
    rows = [{"name": "sdxl_vae.safetensors", "pathIndex": 0, "modified": 1.5, "size": 334641164}]
    listing = listing_of(folder_answers() | {"/experiment/models/vae": rows})

    # The first folder was not known to that route, so the others are not asked for.
    assert {entry.size for entry in listing.entries} == {None}

    every: dict[str, object] = {f"/experiment/models/{folder}": [] for folder in FILES}
    listing = listing_of(folder_answers() | every | {"/experiment/models/vae": rows})

    known = [entry for entry in listing.entries if entry.size is not None]
    assert [(row.path, row.size, row.modified) for row in known] == [
        ("sdxl_vae.safetensors", 334641164, 1.5)
    ]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_unknown_sizes_cost_no_model(broken: Answer) -> None:
    every = {f"/experiment/models/{folder}": broken for folder in FILES}
    listing = listing_of(folder_answers() | every)

    assert (ids(listing), listing.complete) == (TWELVE, True)


def test_a_trainers_hash_is_read_from_a_loras_metadata() -> None:
    pairs = {"sshs_model_hash": TENSORS, "ss_tag_frequency": "{}", "modelspec.title": "A"}
    path = "/view_metadata/loras?filename=renamed_by_user.safetensors"
    listing = listing_of(folder_answers() | {path: pairs})

    [known] = [entry for entry in listing.entries if entry.hashes]
    assert known.path == "renamed_by_user.safetensors"
    assert known.hashes == {"AutoV3": TENSORS[:12].upper()}
    assert known.metadata == {"sshs_model_hash": TENSORS, "modelspec.title": "A"}


def test_metadata_is_asked_for_by_the_servers_own_spelling() -> None:
    answers = folder_answers() | {"/models/loras": [r"w\a.safetensors", "b.pt"]}
    _, paths = read(answers)

    asked = [path for path in paths if path.startswith("/view_metadata")]
    assert asked == [r"/view_metadata/loras?filename=w\a.safetensors"]


@pytest.mark.parametrize(
    ("before", "is_asked"),
    [((7, 1.5), False), ((None, None), False), ((8, 1.5), True), ((7, 2.5), True)],
    ids=["same", "unknown then", "other size", "other time"],
)
def test_metadata_is_asked_for_again_only_if_the_file_changed(
    before: tuple[int | None, float | None], is_asked: bool
) -> None:
    every: dict[str, object] = {f"/experiment/models/{folder}": [] for folder in FILES}
    row = {"name": "a.safetensors", "size": 7, "modified": 1.5}
    answers = folder_answers() | every | {"/models/loras": ["a.safetensors"]}
    _, paths = read(
        answers | {"/experiment/models/loras": [row]},
        {("loras", "a.safetensors"): before},
    )

    assert ("/view_metadata/loras?filename=a.safetensors" in paths) is is_asked


def test_metadata_that_is_not_wanted_is_not_asked_for() -> None:
    _, paths = read(folder_answers(), read_metadata=False)

    assert [path for path in paths if path.startswith(("/view_metadata", "/api"))] == []


def test_a_server_that_keeps_failing_is_not_asked_for_all_metadata() -> None:
    names = [f"{number}.safetensors" for number in range(200)]
    broken = {"/models/loras": names, "/view_metadata/loras": Answer(status=500)}
    reading, paths = read(folder_answers() | broken)

    asked = [path for path in paths if path.startswith("/view_metadata")]
    listing = reading.listing
    assert listing is not None
    assert (len(listing.entries), listing.complete) == (209, True)
    assert len(asked) == 20
    assert len(listing.problems) == 21


def test_files_that_always_fail_keep_no_newer_one_out() -> None:
    names = [*(f"{number}.safetensors" for number in range(40)), "new.safetensors"]
    every: dict[str, object] = {f"/experiment/models/{folder}": [] for folder in FILES}
    facts = [{"name": name, "modified": 2 if name.startswith("new") else 1} for name in names]
    broken = {"/models/loras": names, "/view_metadata/loras": Answer(status=500)}
    fine = {"/view_metadata/loras?filename=new.safetensors": {"sshs_model_hash": TENSORS}}
    listing = listing_of(
        folder_answers() | every | {"/experiment/models/loras": facts} | broken | fine
    )

    assert [entry.path for entry in listing.entries if entry.hashes] == ["new.safetensors"]


def test_failures_between_answers_do_not_end_the_asking() -> None:
    names = [f"{number}.safetensors" for number in range(60)]
    fine: dict[str, object] = {f"/view_metadata/loras?filename={name}": {} for name in names[::10]}
    broken = {"/models/loras": names, "/view_metadata/loras": Answer(status=500)}
    _, paths = read(folder_answers() | broken | fine)

    assert len([path for path in paths if path.startswith("/view_metadata")]) == 60


@pytest.mark.parametrize("body", [None, [], "text", 5, {"sshs_model_hash": None}], ids=repr)
def test_metadata_of_another_shape_costs_no_model(body: object) -> None:
    answer = Answer(b"null") if body is None else body
    listing = listing_of(folder_answers() | {"/view_metadata/loras": answer})

    assert (ids(listing), listing.complete) == (TWELVE, True)

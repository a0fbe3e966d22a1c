"""Hashes of whole files, as servers with assets tell them."""

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

BLAKE3 = "1f" * 32


def tagged(folder: str) -> dict[str, object]:
    """Where newer servers say that an asset lies."""
    tags = ["models", None, f"model_type:{folder}"]
    return {"loader_path": "flux/flux1-dev.safetensors", "tags": tags}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ({"file_path": "models/unet/flux/flux1-dev.safetensors"}, ["flux/flux1-dev.safetensors"]),
        (tagged("diffusion_models"), ["flux/flux1-dev.safetensors"]),
        (tagged("loras"), []),
        ({"file_path": "input/flux/flux1-dev.safetensors"}, []),
    ],
    ids=["by directory", "by tag", "of another folder", "no model"],
)
def test_an_assets_hash_goes_to_the_file_at_its_place(
    place: dict[str, object], found: list[str]
) -> None:
    page = {"assets": [None, {"hash": None}, {"hash": f"blake3:{BLAKE3}", **place}], "total": 3}
    listing = listing_of(folder_answers() | {"/api/assets": page})

    hashes = {entry.path: dict(entry.hashes) for entry in listing.entries if entry.hashes}
    assert hashes == {path: {"BLAKE3": BLAKE3.upper()} for path in found}


def test_two_hashes_for_one_file_are_none() -> None:
    place = {"file_path": "models/vae/sdxl_vae.safetensors"}
    assets = [{"hash": f"blake3:{digit * 64}", **place} for digit in "12"]
    listing = listing_of(folder_answers() | {"/api/assets": {"assets": assets}})

    assert [entry for entry in listing.entries if entry.hashes] == []


def test_a_list_of_assets_that_repeats_itself_ends() -> None:
    row = {"hash": f"blake3:{BLAKE3}", "file_path": "models/vae/sdxl_vae.safetensors"}
    page = {"assets": [row] * 500, "has_more": True}
    _, paths = read(folder_answers() | {"/api/assets": page})

    assert len([path for path in paths if path.startswith("/api/assets")]) == 2


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_unknown_assets_cost_no_model(broken: Answer) -> None:
    listing = listing_of(folder_answers() | {"/api/assets": broken})

    assert (ids(listing), listing.complete) == (TWELVE, True)


@pytest.mark.parametrize("status", [404, 503], ids=["an older server", "not enabled"])
def test_a_server_without_assets_is_no_problem(status: int) -> None:
    listing = listing_of(folder_answers() | {"/api/assets": Answer(status=status)})

    assert listing.problems == ()


@pytest.mark.parametrize(
    ("size", "is_taken"), [(7, True), (None, True), (8, False)], ids=["same", "unknown", "other"]
)
def test_a_hash_of_a_file_of_another_size_is_none(size: int | None, is_taken: bool) -> None:
    every: dict[str, object] = {f"/experiment/models/{folder}": [] for folder in FILES}
    row = {"name": "sdxl_vae.safetensors", "size": 7}
    asset = {"hash": BLAKE3, "file_path": "models/vae/sdxl_vae.safetensors", "size": size}
    listing = listing_of(
        folder_answers()
        | every
        | {"/experiment/models/vae": [row], "/api/assets": {"assets": [asset]}}
    )

    assert any(entry.hashes for entry in listing.entries) is is_taken

"""Hashes, sizes and metadata of files: read once, and no model is lost when they cannot be read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from db.catalog.listing.stored import known_metadata
from db.catalog.servers import Server, record_server
from storycanvas.catalog.comfyui.server import read_server
from tasks.catalog.sync import update_models
from tests.support.catalog.comfyui_answers import (
    BROKEN,
    SYSTEM_STATS,
    TWELVE,
    folder_answers,
    ids,
    listing_of,
    read,
)
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer
from tests.support.catalog.sample_catalog import FILES

Data = Database[dict[str, Any]]
NO_SIZES: dict[str, object] = {f"/experiment/models/{folder}": [] for folder in FILES}
TENSORS = "b530b7e152e4a2d8bd7f485adcfbf8ecc4b9f62f2f4b3b211a47bd7b252dbdc3"


def test_sizes_are_listed_by_newer_servers() -> None:
    rows = [{"name": "sdxl_vae.safetensors", "pathIndex": 0, "modified": 1.5, "size": 334641164}]
    listing = listing_of(folder_answers() | {"/experiment/models/vae": rows})

    # The first folder was not known to that route, so the others are not asked for.
    assert {entry.size for entry in listing.entries} == {None}

    listing = listing_of(folder_answers() | NO_SIZES | {"/experiment/models/vae": rows})

    known = [entry for entry in listing.entries if entry.size is not None]
    assert [(row.path, row.size, row.modified) for row in known] == [
        ("sdxl_vae.safetensors", 334641164, 1.5)
    ]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_unknown_sizes_cost_no_model(broken: Answer) -> None:
    sizes = {f"/experiment/models/{folder}": broken for folder in FILES}
    listing = listing_of(folder_answers() | sizes)

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
    row = {"name": "a.safetensors", "size": 7, "modified": 1.5}
    answers = folder_answers() | NO_SIZES | {"/models/loras": ["a.safetensors"]}
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
    facts = [{"name": name, "modified": 2 if name.startswith("new") else 1} for name in names]
    broken = {"/models/loras": names, "/view_metadata/loras": Answer(status=500)}
    fine = {"/view_metadata/loras?filename=new.safetensors": {"sshs_model_hash": TENSORS}}
    listing = listing_of(
        folder_answers() | NO_SIZES | {"/experiment/models/loras": facts} | broken | fine
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
    row = {"name": "sdxl_vae.safetensors", "size": 7}
    asset = {"hash": BLAKE3, "file_path": "models/vae/sdxl_vae.safetensors", "size": size}
    listing = listing_of(
        folder_answers()
        | NO_SIZES
        | {"/experiment/models/vae": [row], "/api/assets": {"assets": [asset]}}
    )

    assert any(entry.hashes for entry in listing.entries) is is_taken


NOW = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
ASKED = "/view_metadata/loras?filename=a.safetensors"

NOTHING: dict[str, object] = {
    "not there": Answer(status=404),
    "null": Answer(b"null"),
    "an empty object": {},
    "nothing of use": {"format": "pt", "ss_tag_frequency": "{}"},
}


def with_lora(metadata: object, *, size: int = 7) -> dict[str, object]:
    """What a server with one LoRA answers."""
    return {
        "/system_stats": SYSTEM_STATS,
        "/models": ["loras"],
        "/models/loras": ["a.safetensors"],
        "/experiment/models/loras": [{"name": "a.safetensors", "size": size, "modified": 1.5}],
        "/view_metadata/loras": metadata,
    }


def times_asked(data: Data, *nights: dict[str, object]) -> list[int]:
    """Sync with what a server answers each night; count the requests for metadata."""
    asked = []
    with ComfyuiServer({}) as server:
        box = Server("box", "Box", server.url)
        for number, answered in enumerate(nights):
            server.answers = answered
            server.requests.clear()
            known = known_metadata(data, box.id)
            listing = read_server(server.url, known_metadata=known, listing_seconds=5).listing
            assert listing is not None
            now = NOW + timedelta(days=number)
            record_server(data, box, "online", None, None, 1, now)
            update_models(data, box.backend, listing, now)
            asked.append(server.paths.count(ASKED))
    return asked


@pytest.mark.parametrize("answered", NOTHING.values(), ids=NOTHING)
def test_useless_metadata_is_requested_once(database: Data, answered: object) -> None:
    assert times_asked(database, *[with_lora(answered)] * 3) == [1, 0, 0]


def test_metadata_that_could_not_be_read_is_requested_again(database: Data) -> None:
    broken, fine = with_lora(Answer(status=500)), with_lora({})

    assert times_asked(database, broken, fine, fine) == [1, 1, 0]


def test_metadata_of_a_changed_file_is_requested_again(database: Data) -> None:
    before, after = with_lora({}), with_lora({}, size=8)

    assert times_asked(database, before, after, after) == [1, 1, 0]


def test_metadata_of_a_file_that_was_gone_is_requested_again(database: Data) -> None:
    there, gone = with_lora({}), with_lora({}) | {"/models/loras": []}

    assert times_asked(database, there, gone, there, there) == [1, 0, 1, 0]

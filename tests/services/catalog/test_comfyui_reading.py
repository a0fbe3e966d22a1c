"""The models of a server, whichever way and however badly it tells them."""

import logging

import pytest

from storycanvas.catalog.comfyui.server import read_server
from tests.support.catalog.comfyui_answers import (
    BROKEN,
    SYSTEM_STATS,
    TWELVE,
    folder_answers,
    ids,
    listing_of,
    loader_answers,
    read,
)
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer
from tests.support.catalog.sample_catalog import FILES

WAYS = {
    "folders": folder_answers(),
    "loaders": loader_answers(),
    "loaders of the third schema": loader_answers(third_schema=True),
}


@pytest.mark.parametrize("answers", WAYS.values(), ids=WAYS)
def test_the_sample_has_twelve_models_whichever_way_it_lists_them(
    answers: dict[str, object],
) -> None:
    reading, _ = read(answers)

    assert (reading.status, reading.error) == ("online", None)
    assert reading.capabilities == SYSTEM_STATS
    assert reading.listing is not None
    assert (ids(reading.listing), reading.listing.complete) == (TWELVE, True)
    assert reading.listing.problems == ()


def test_a_listing_by_loaders_covers_their_folders_only() -> None:
    assert listing_of(loader_answers()).folders == {*FILES}
    assert listing_of(folder_answers()).folders is None


def test_folders_without_models_are_not_listed() -> None:
    _, paths = read(folder_answers())

    assert not {"/models/configs", "/models/custom_nodes"} & {*paths}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_folder_that_fails_costs_no_other_one(broken: Answer) -> None:
    listing = listing_of(folder_answers() | {"/models/loras": broken})

    assert ids(listing) == [name for name in TWELVE if not name.startswith("loras/")]
    assert not listing.complete
    assert listing.folders == {*FILES, "embeddings"} - {"loras"}
    assert [problem.subject for problem in listing.problems] == ["loras"]


def test_a_folder_that_the_server_does_not_know_is_empty() -> None:
    listing = listing_of(folder_answers() | {"/models/loras": Answer(status=404)})

    assert (len(listing.entries), listing.complete) == (9, True)


def test_a_server_that_knows_none_of_its_folders_is_not_empty() -> None:
    answers = {"/system_stats": SYSTEM_STATS, "/models": ["loras", "vae", "configs"]}

    assert not listing_of(answers).complete


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_without_folders_the_loaders_list_a_part(broken: Answer) -> None:
    listing = listing_of(loader_answers() | {"/models": broken})

    if broken is BROKEN["cut off"]:
        assert listing.entries == ()
    else:
        assert ids(listing) == TWELVE
    assert not listing.complete


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_without_folders_and_loaders_the_listing_is_incomplete(broken: Answer) -> None:
    listing = listing_of({"/system_stats": SYSTEM_STATS, "/object_info": broken})

    assert (listing.entries, listing.complete) == ((), False)
    assert len(listing.problems) == 1


@pytest.mark.parametrize("folders", [[], ["configs"], [None, 5], ["../vae", "a/b"]], ids=repr)
def test_invalid_folders_show_nothing_about_models(folders: list[object]) -> None:
    listing = listing_of({"/system_stats": SYSTEM_STATS, "/models": folders})

    assert (listing.entries, listing.complete) == ((), False)


def test_hostile_names_cost_no_good_one() -> None:
    names: list[object] = [
        "a.pt",
        None,
        {},
        "../b.pt",
        r"w\c.pt",
        "ü/模.pt",
        2**64,
        "w/c.pt",
        "None",
    ]
    answers = folder_answers() | {"/models/loras": names, "/models/vae": ["a.pt"]}
    listing = listing_of(answers)

    found = [id_ for id_ in ids(listing) if id_.startswith(("loras/", "vae/"))]
    assert found == ["loras/a.pt", "loras/w/c.pt", "loras/ü/模.pt", "vae/a.pt"]
    assert [problem.subject for problem in listing.problems] == [
        "loras: None",
        "loras: {}",
        "loras: '../b.pt'",
        "loras: 18446744073709551616",
        "loras: 'w/c.pt'",
    ]


def test_a_folders_name_is_quoted() -> None:
    answers = {"/system_stats": SYSTEM_STATS, "/models": ["my models?#%"]}
    listing = listing_of(answers | {"/models/my models?#%": ["a.pt"]})

    assert ids(listing) == ["my models?#%/a.pt"]


def test_a_server_that_falls_silent_is_asked_twice_more_at_most() -> None:
    silent = {f"/models/{folder}": Answer(is_held_back=True) for folder in FILES}
    with ComfyuiServer(folder_answers() | silent) as server:
        listing = read_server(server.url, listing_seconds=0.2).listing

    assert listing is not None
    assert (listing.entries, listing.complete) == ((), False)
    assert len([path for path in server.paths if path.startswith("/models/")]) == 2


def test_a_name_that_is_no_text_leaves_only_its_folder_uncovered() -> None:
    listing = listing_of(folder_answers() | {"/models/loras": ["a.pt", None]})

    assert (listing.complete, listing.folders) == (False, {*FILES, "embeddings"} - {"loras"})


def test_a_token_in_the_query_of_an_address_reaches_every_route_and_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with ComfyuiServer(folder_answers()) as server:
        reading = read_server(f"{server.url}?token=s3cr3t&a=b%20c")
        paths = server.paths

    assert reading.listing is not None
    assert ids(reading.listing) == TWELVE
    assert {path for path in paths if not path.endswith("token=s3cr3t&a=b c")} == set()
    assert "HTTP Request" in caplog.text
    assert "s3cr3t" not in f"{caplog.text}{reading}"

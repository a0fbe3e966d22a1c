"""A hash says what a file is, as far as it is long and no other hash contradicts it."""

from dataclasses import replace

import pytest

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.matching.decide import match
from storycanvas.catalog.matching.outcomes import Match
from tests.support.catalog.catalog_samples import (
    digits,
    local_model,
    sample_files,
    sample_models,
    version_file,
)
from tests.support.catalog.sample_catalog import MATCHED

SHA = digits("hero")
BLAKE = digits("hero", "BLAKE3")
V3 = digits("hero", "AutoV3")


def link(found: Match) -> tuple[str | None, int | None]:
    method = found.method if found.chosen else None
    return method, found.chosen.version_id if found.chosen else None


def by_sha(name: str, version_id: int, published_at: str | None) -> VersionFile:
    return version_file(name, version_id, hashes={"SHA256": SHA}, published_at=published_at)


def test_the_sample_is_matched_as_a_person_would() -> None:
    found = {local.model_id: link(match(local, sample_files())) for local in sample_models()}

    assert len(found) == 12
    assert found == {**dict.fromkeys(found, (None, None)), **MATCHED}


@pytest.mark.parametrize("local", sample_models(), ids=lambda local: str(local.file_name))
def test_the_order_of_candidates_decides_nothing(local: object) -> None:
    [model] = [row for row in sample_models() if row == local]

    assert match(model, sample_files()) == match(model, sample_files()[::-1])


@pytest.mark.parametrize(
    ("hashes", "method"),
    [
        ({"SHA256": SHA, "BLAKE3": BLAKE, "AutoV3": V3}, "sha256"),
        ({"BLAKE3": BLAKE, "AutoV3": V3}, "blake3"),
        ({"AutoV2": SHA[:10], "AutoV3": V3}, "autov2"),
        ({"AutoV3": V3}, "autov3"),
    ],
    ids=["SHA256", "BLAKE3", "AutoV2", "AutoV3"],
)
def test_the_surest_hash_comes_first(hashes: dict[str, str], method: str) -> None:
    file = version_file(
        "other.safetensors", 1, hashes={"SHA256": SHA, "BLAKE3": BLAKE, "AutoV3": V3}
    )

    found = match(local_model("loras/renamed.safetensors", **hashes), [file])

    assert (found.method, found.quality, found.score) == (method, "exact_hash", 1.0)


def test_a_whole_hash_links_whatever_folder_the_file_is_in() -> None:
    file = version_file("hero.safetensors", 1, hashes={"SHA256": SHA})

    assert link(match(local_model("strange_folder/x.bin", SHA256=SHA), [file])) == ("sha256", 1)


@pytest.mark.parametrize(
    ("left", "right", "first"),
    [
        (by_sha("a.pt", 5, "2025-03-01T08:00:00.5Z"), by_sha("a.pt", 4, "2025-03-01T08:00:01Z"), 5),
        (by_sha("a.pt", 5, "2025-03-01T08:00:00Z"), by_sha("a.pt", 4, "2025-03-01T08:00:00Z"), 4),
        (by_sha("a.pt", 5, "2025-03-01T08:00:00Z"), by_sha("a.pt", 4, None), 5),
        (by_sha("a.pt", 5, "2025-03-01"), by_sha("a.pt", 4, "soon"), 5),
    ],
    ids=["earlier", "same moment", "never published", "no moment"],
)
def test_of_versions_with_the_same_bytes_the_earliest_is_linked(
    left: VersionFile, right: VersionFile, first: int
) -> None:
    found = match(local_model("loras/hero.safetensors", SHA256=SHA), [right, left])

    assert link(found) == ("sha256", first)
    assert len(found.candidates) == 2


SAME_BYTES: dict[str, tuple[list[str], int]] = {
    "its name": (["old.safetensors", "Hero_v2.safetensors"], 1),
    "its name with spaces": (["old.safetensors", "hero_v2.safetensors "], 1),
    "its words": (["old.safetensors", "Hero V2.pt"], 1),
    "its name before its words": (["hero v2.pt", "hero_v2.safetensors"], 1),
    "none of them": (["old.safetensors", "new.safetensors"], 0),
}


@pytest.mark.parametrize("case", SAME_BYTES.values(), ids=SAME_BYTES)
@pytest.mark.parametrize("kind", ["SHA256", "BLAKE3"])
def test_of_versions_with_the_same_bytes_the_name_decides_before_the_time(
    case: tuple[list[str], int], kind: HashKind
) -> None:
    names, expected = case
    files = [
        version_file(name, year, hashes={kind: SHA}, published_at=f"{year}-01-01T00:00:00Z")
        for year, name in enumerate(names, 2024)
    ]

    found = match(local_model("loras/hero_v2.safetensors", **{kind: SHA}), files)

    assert found.chosen == files[expected]


def test_of_a_versions_files_with_the_same_bytes_the_one_of_its_kind_and_name_is_linked() -> None:
    files = [
        version_file("a.pt", 1, (1, "Hero", "Checkpoint"), hashes={"SHA256": SHA}),
        version_file("b.pt", 1, hashes={"SHA256": SHA}),
        version_file("hero.pt", 1, hashes={"SHA256": SHA}),
    ]

    chosen = match(local_model("loras/hero.pt", SHA256=SHA), files).chosen

    assert chosen == files[2]
    assert match(local_model("loras/x.pt", SHA256=SHA), files).chosen == files[1]


@pytest.mark.parametrize("kind", ["AutoV2", "AutoV3"])
def test_a_short_hash_of_several_versions_links_none(kind: str) -> None:
    short = V3 if kind == "AutoV3" else SHA[:10]
    files = [version_file(f"{n}.pt", n, hashes={kind: short}) for n in (1, 2)]  # type: ignore[dict-item]  # a keyword

    found = match(local_model("loras/hero.safetensors", **{kind: short}), files)

    assert (found.chosen, found.quality) == (None, None)
    assert [candidate.file.version_id for candidate in found.candidates] == [1, 2]
    assert found.reason == f"Its {kind} is that of 2 versions."


def test_a_short_hash_of_another_kind_of_file_links_nothing() -> None:
    file = version_file("hero.pt", 1, (1, "Hero", "Checkpoint"), hashes={"AutoV3": V3})

    found = match(local_model("loras/hero.pt", AutoV3=V3), [file])

    assert found.chosen is None
    assert found.reason == "Its AutoV3 is that of a file of kind checkpoint, not lora."


def test_a_short_hash_gives_way_to_a_surer_one_that_differs() -> None:
    file = version_file("hero_v1.pt", 1, hashes={"SHA256": digits("other"), "AutoV3": V3})

    found = match(local_model("loras/hero_v1.pt", SHA256=SHA, AutoV3=V3), [file])

    assert found.chosen is None
    assert [candidate.file for candidate in found.candidates] == [file]


def test_servers_with_two_hashes_of_one_model_leave_it_without_a_link() -> None:
    file = version_file("hero_v1.safetensors", 1, hashes={"SHA256": SHA})
    local = local_model("loras/hero_v1.safetensors", SHA256={SHA, digits("other")})

    found = match(local, [file])

    assert (found.chosen, found.method) == (None, "suggestion")
    assert [candidate.method for candidate in found.candidates] == ["sha256"]
    assert found.reason == "Servers report 2 different SHA256 hashes for this model."


def test_a_hash_of_files_of_several_sizes_links_none() -> None:
    file = version_file("hero_v1.safetensors", 1, hashes={"SHA256": SHA})
    local = local_model("loras/hero_v1.safetensors", SHA256=SHA)

    found = match(replace(local, sizes=frozenset({1000, 2000})), [file])

    assert (found.chosen, found.method) == (None, "suggestion")
    assert match(replace(local, sizes=frozenset({1000})), [file]).chosen == file


@pytest.mark.parametrize(
    "nothing",
    ["E3B0C44298FC", "000000000000", "none", ""],
    ids=["of nothing", "0", "text", "empty"],
)
def test_an_invalid_hash_never_links(nothing: str) -> None:
    file = version_file("hero.safetensors", 1, hashes={"AutoV3": nothing})

    assert match(local_model("loras/other.safetensors", AutoV3=nothing), [file]).chosen is None

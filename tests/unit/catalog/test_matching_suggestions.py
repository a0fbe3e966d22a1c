"""What has a similar name is suggested to a person, and never linked."""

import pytest

from storycanvas.catalog.matching.candidate_index import CandidateIndex
from storycanvas.catalog.matching.decide import match
from storycanvas.catalog.matching.likeness import Likeness, suggestions
from storycanvas.catalog.matching.local_models import lookup_keys
from tests.support.catalog.catalog_samples import (
    PONY,
    digits,
    local_model,
    sample_files,
    version_file,
)

HERO = local_model("loras/hero_of_the_north_v2.safetensors")


def numbered(count: int) -> list[int]:
    files = [version_file(f"hero_of_the_north_v{n}.safetensors", n) for n in range(3, 3 + count)]
    return [candidate.file.version_id for candidate in suggestions(HERO, files[::-1])]


def test_a_name_is_found_by_the_name_of_its_item() -> None:
    file = version_file("ponyDiffusion.safetensors", 1, (1, "Pony Diffusion V6 XL", "Checkpoint"))

    [found] = match(
        local_model("checkpoints/ponyDiffusionV6XL_v6StartWithThisOne.safetensors"), [file]
    ).candidates

    assert (found.method, found.file) == ("suggestion", file)
    assert 0.5 < found.score < 1


def test_at_most_ten_are_suggested_in_an_order_of_their_own() -> None:
    assert numbered(30) == [12, *range(20, 29)]


def test_a_version_with_several_files_is_suggested_once() -> None:
    files = [version_file(f"hero_of_the_north_v1{ending}", 1) for ending in (".pt", ".ckpt")]

    assert [candidate.file.file_name for candidate in suggestions(HERO, files)] == [
        "hero_of_the_north_v1.ckpt"
    ]


@pytest.mark.parametrize(
    "name", ["quite_another_thing.pt", "xl.pt", "v2.pt", "the.pt", "", "___.pt", "…" * 5000]
)
def test_what_is_not_alike_is_not_suggested(name: str) -> None:
    assert suggestions(HERO, [version_file(name, 1, (1, name, "LORA"), version_name="")]) == []


LIKE: dict[str, tuple[str, str, float, float]] = {
    "same": ("sample detail v 1", "sample detail v 1", 1, 1),
    "part": ("sample detail v 1", "sample detail", 0.9, 0.99),
    "joined words": ("sampledetail", "sample detail", 0.9, 0.99),
    "other order": ("sample detail", "detail sample", 1, 1),
    "xl": ("hero xl", "villain xl", 0, 0.5),
    "none": ("hero", "villain", 0, 0),
    "no name": ("", "hero", 0, 0),
    "to none": ("hero", "", 0, 0),
    "endless": ("ab " * 100_000, "ab " * 100_000, 1, 1),
}


@pytest.mark.parametrize(("first", "second", "least", "most"), LIKE.values(), ids=LIKE)
def test_names_are_alike_by_their_characters_or_their_words(
    first: str, second: str, least: float, most: float
) -> None:
    assert least <= Likeness(first).to(second) <= most


def test_what_is_listed_already_is_not_suggested_again() -> None:
    files = [version_file("hero_of_the_north_v2.safetensors", n, hashes={}) for n in (1, 2)]

    found = match(HERO, files + files)

    assert [candidate.method for candidate in found.candidates] == ["file_name", "file_name"]


def test_a_database_is_asked_for_every_hash_in_one_spelling() -> None:
    keys = lookup_keys(
        local_model("loras/sub/Hero V1.pt", SHA256="0x" + digits("hero").lower(), AutoV3="nonsense")
    )

    assert (keys.sha256, keys.autov2) == ((digits("hero"),), (digits("hero")[:10],))
    assert (keys.blake3, keys.autov3) == ((), ())
    assert (keys.file_key, keys.name_key) == ("hero v1.pt", "hero v 1")


@pytest.mark.parametrize(
    "path", ["loras/model.safetensors", "text_encoders/t5xxl_fp16.safetensors"]
)
def test_a_database_is_not_asked_for_names_that_decide_nothing(path: str) -> None:
    keys = lookup_keys(local_model(path))

    assert (keys.file_key, keys.name_key) == (None, None)


VAES = [version_file(name, 1, PONY, "VAE") for name in ("sdxl_vae.safetensors", "kl-f8-anime.ckpt")]
SDXL, ANIME = ([file.file_name] for file in VAES)
LOOKUPS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "SHA256": ("loras/x.pt", {"SHA256": digits(*ANIME)}, ANIME),
    "BLAKE3": ("loras/x.pt", {"BLAKE3": digits(*SDXL, kind="BLAKE3")}, SDXL),
    "AutoV2": ("loras/x.pt", {"AutoV2": digits(*SDXL)[:10]}, SDXL),
    "AutoV3": ("vae/x.pt", {"AutoV3": digits(*SDXL, kind="AutoV3")}, SDXL),
    "file name": ("vae/SDXL_VAE.safetensors", {}, SDXL),
    "normalised name": ("vae/KL F8 Anime.pt", {}, ANIME),
    "nothing": ("loras/hero_v1.safetensors", {}, []),
}


@pytest.mark.parametrize(("path", "hashes", "names"), LOOKUPS.values(), ids=LOOKUPS)
def test_an_index_finds_files_by_each_key(
    path: str, hashes: dict[str, str], names: list[str]
) -> None:
    found = CandidateIndex(VAES).for_local(local_model(path, **hashes))

    assert [file.file_name for file in found] == names


def test_an_index_decides_as_all_files_do() -> None:
    index = CandidateIndex(sample_files())
    local = local_model("vae/sdxl_vae.safetensors")

    assert match(local, index.for_local(local)).chosen == match(local, sample_files()).chosen


def test_an_index_finds_what_shares_rare_words_first() -> None:
    files = [
        version_file(f"wonderful_{n}.safetensors", n, (n, f"Thing {n}", "Checkpoint"))
        for n in range(100, 110)
    ]
    index = CandidateIndex([*files, version_file("pony.safetensors", 1, PONY)])

    near = index.near(local_model("checkpoints/wonderful_pony.safetensors"), limit=3)

    assert [file.version_id for file in near] == [1, 100, 101]


def test_an_index_finds_no_other_kind_to_suggest() -> None:
    index = CandidateIndex([version_file("pony.safetensors", 1, PONY)])

    assert index.near(local_model("loras/pony.safetensors")) == []

"""A name links only if it can show which model it is, and nothing contradicts it."""

from dataclasses import replace

import pytest

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.matching.decide import match
from storycanvas.catalog.matching.local_models import is_telling
from tests.support.catalog.catalog_samples import SLIDER, digits, local_model, version_file

CHECKPOINT = (910000005, "Hero", "Checkpoint")


def hero(version_id: int = 1, name: str = "hero_v1.safetensors") -> VersionFile:
    return version_file(name, version_id, (910000005, "Hero", "LORA"))


def test_the_exact_name_of_one_version_links_with_high_confidence() -> None:
    found = match(local_model("loras/sub/HERO_v1.safetensors"), [hero()])

    assert found.chosen == hero()
    assert (found.method, found.score, found.quality) == ("file_name", 0.95, "high_confidence")


def test_another_spelling_of_the_name_links_with_low_confidence() -> None:
    found = match(local_model("loras/Hero V1.pt"), [hero()])

    assert found.chosen == hero()
    assert (found.method, found.score, found.quality) == ("normal_name", 0.8, "low_confidence")


def test_the_exact_name_comes_before_another_spelling() -> None:
    found = match(local_model("loras/hero_v1.safetensors"), [hero(), hero(2, "Hero V1.pt")])

    assert (found.method, found.chosen) == ("file_name", hero())


@pytest.mark.parametrize(
    ("other", "method"),
    [("hero_v1.safetensors", "file_name"), ("hero-V1.ckpt", "normal_name")],
)
def test_a_name_of_several_versions_links_none(other: str, method: str) -> None:
    local = local_model(
        "loras/hero v1.pt" if method == "normal_name" else "loras/hero_v1.safetensors"
    )

    found = match(local, [hero(2, other), hero(1)])

    assert (found.chosen, found.quality, found.method) == (None, None, "suggestion")
    assert [(candidate.file.version_id, candidate.method) for candidate in found.candidates] == [
        (1, method),
        (2, method),
    ]
    assert "2 versions" in found.reason


def test_at_most_ten_candidates_are_listed_without_a_link() -> None:
    found = match(local_model("loras/hero_v1.safetensors"), [hero(n) for n in range(1, 31)])

    assert [candidate.file.version_id for candidate in found.candidates] == list(range(1, 11))


def test_other_versions_of_a_model_are_other_names() -> None:
    found = match(local_model("loras/hero_v14.safetensors"), [hero(1, "hero_v15.safetensors")])

    assert (found.chosen, found.method) == (None, "suggestion")


def test_the_same_name_with_another_hash_is_a_suggestion_only() -> None:
    found = match(local_model("loras/hero_v1.safetensors", SHA256=digits("another")), [hero()])

    assert (found.chosen, found.method) == (None, "suggestion")
    assert [candidate.file for candidate in found.candidates] == [hero()]
    assert found.reason == "It has the file name of hero_v1.safetensors of Hero, but another hash."


def test_a_namesake_that_the_hash_rules_out_still_makes_the_name_ambiguous() -> None:
    unknown = version_file("hero_v1.safetensors", 2, hashes={})

    found = match(local_model("loras/hero_v1.safetensors", SHA256=digits("x")), [hero(), unknown])

    assert found.chosen is None


def test_a_name_of_files_of_several_sizes_links_none() -> None:
    local = replace(local_model("loras/hero_v1.safetensors"), sizes=frozenset({1000, 2000}))

    found = match(local, [hero()])

    assert (found.chosen, found.quality, found.method) == (None, None, "suggestion")
    assert [candidate.file for candidate in found.candidates] == [hero()]
    assert found.reason == "Servers report 2 different sizes of this model."


SIZES: dict[str, tuple[set[int], int | None, bool]] = {
    "the same": ({2000}, 2000, True),
    "another": ({2000}, 2001, False),
    "unknown here": (set(), 2001, True),
    "unknown at Civitai": ({2000}, None, True),
}


@pytest.mark.parametrize("case", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["hero_v1.safetensors", "Hero V1.pt"])
def test_a_name_of_a_file_of_another_size_links_none(
    case: tuple[set[int], int | None, bool], name: str
) -> None:
    here, there, links = case
    file = replace(hero(), size=there)

    found = match(replace(local_model(f"loras/{name}"), sizes=frozenset(here)), [file])

    assert (found.chosen == file) is links
    assert [candidate.file for candidate in found.candidates] == [file]
    assert ("but another size." in found.reason) is not links


def test_a_hash_links_whatever_the_size_is() -> None:
    file = replace(hero(), size=1)
    local = replace(local_model("loras/x.pt", SHA256=file.hashes["SHA256"]), sizes=frozenset({2}))

    assert match(local, [file]).chosen == file


def test_what_a_search_for_like_names_finds_is_never_linked() -> None:
    found = match(local_model("loras/hero_v1.safetensors"), [], alike=[hero()])

    assert (found.chosen, found.method) == (None, "suggestion")
    assert [candidate.file for candidate in found.candidates] == [hero()]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("loras/hero_v1.safetensors", version_file("hero_v1.safetensors", 1, CHECKPOINT)),
        ("vae/hero_v1.safetensors", version_file("hero_v1.safetensors", 1, CHECKPOINT)),
        (
            "checkpoints/hero_v1.safetensors",
            version_file("hero_v1.safetensors", 1, CHECKPOINT, "VAE"),
        ),
        (
            "text_encoders/hero_v1.safetensors",
            version_file("hero_v1.safetensors", 1, CHECKPOINT, "CLIP"),
        ),
    ],
    ids=["lora", "vae", "vae in a checkpoint's item", "two of no known kind"],
)
def test_a_name_links_only_files_of_the_same_known_kind(path: str, file: VersionFile) -> None:
    found = match(local_model(path), [file])

    assert (found.method, found.chosen, found.candidates) == (None, None, ())


COMMON = """
model.safetensors diffusion_pytorch_model.fp16.safetensors pytorch_lora_weights.safetensors
diffusion_pytorch_model-00001-of-00002.safetensors lora.safetensors checkpoint-1000.ckpt vae.pt
ae.safetensors clip_l.safetensors last.safetensors final.safetensors xl.safetensors
sdxl.safetensors 00012345.safetensors abc_123.safetensors .safetensors
"""
TELLING = """
hero.safetensors sdxl_vae.safetensors sd_xl_base_1.0.safetensors flux1-dev.safetensors
夏目友人帳.safetensors
"""


@pytest.mark.parametrize("name", ["", *COMMON.split()])
def test_a_name_that_half_of_all_files_have_decides_nothing(name: str) -> None:
    assert not is_telling(name)


@pytest.mark.parametrize("name", TELLING.split())
def test_a_name_of_its_own_decides(name: str) -> None:
    assert is_telling(name)


def test_a_common_name_never_links() -> None:
    file = version_file("pytorch_lora_weights.safetensors", 1)

    found = match(local_model("loras/pytorch_lora_weights.safetensors"), [file])

    assert found.chosen is None
    assert "is too common a name to decide" in found.reason


@pytest.mark.parametrize(
    "name", ["(a+)+$.pt", ".*.pt", "[hero", "\\x00.pt", "a/../b.pt", "%s{0}.pt"]
)
def test_a_name_is_never_a_pattern(name: str) -> None:
    assert (
        match(local_model(f"loras/{name}"), [hero(), version_file("aaaa.pt", 3, SLIDER)]).chosen
        is None
    )

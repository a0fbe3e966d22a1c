from typing import Any

import pytest

from storycanvas.catalog.civitai.version_files import (
    VersionFile,
    bytes_of,
    version_files,
    version_files_of_answer,
)
from tests.support.catalog.civitai_items import SHA256, file, item, version


def test_a_file_knows_its_version_and_its_model() -> None:
    raw = item(version(file("a_v6.safetensors", downloadUrl="https://civitai.com/x")))

    assert version_files(raw) == [
        VersionFile(
            model_id=257749,
            model_name="Sample Model XL",
            item_type="Checkpoint",
            version_id=290640,
            version_name="V6",
            base_model="Pony",
            published_at="2024-01-08T04:48:43.529Z",
            trained_words=("sample word",),
            nsfw=False,
            tags=("western art", "base model"),
            file_name="a_v6.safetensors",
            file_type="Model",
            kind="checkpoint",
            hashes={"SHA256": SHA256, "AutoV2": SHA256[:10]},
            download_url="https://civitai.com/x",
        )
    ]


def test_a_file_is_of_its_own_kind_not_of_its_items() -> None:
    files = (file("a.safetensors"), file("sdxl_vae.safetensors", "VAE"), file("a.yaml", "Config"))

    kinds = [found.kind for found in version_files(item(version(*files)))]

    assert kinds == ["checkpoint", "vae", "other"]


NO_FILES: dict[str, dict[str, Any]] = {
    "empty": {},
    "id a text": {"id": "1", "modelVersions": [version(file("a"))]},
    "id a bool": {"id": True, "modelVersions": [version(file("a"))]},
    "version without id": item(version(file("a"), id=None)),
    "no files": item(version(None, "a", [])),
    "no versions": item(None, [], "a"),
    "versions an object": item(modelVersions={"files": [file("a")]}),
    "files an object": item(version(files={"name": "a"})),
}


@pytest.mark.parametrize("raw", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_of_a_version_is_left_out(raw: dict[str, Any]) -> None:
    assert version_files(raw) == []


def test_a_file_without_facts_is_of_no_kind() -> None:
    (found,) = version_files(
        {
            "id": 1,
            "nsfw": "yes",
            "tags": [None, {"name": "a"}],
            "modelVersions": [
                {"id": 2, "trainedWords": [None, "b"], "baseModel": 5, "files": [{"hashes": []}]}
            ],
        }
    )

    assert (found.kind, found.file_name, found.hashes, found.base_model) == ("other", "", {}, None)
    assert (found.nsfw, found.tags, found.trained_words) == (False, ("a",), ("b",))


def test_an_answer_to_a_lookup_gives_its_files() -> None:
    answer = version(
        file("a.safetensors"),
        file("b.yaml", "Config"),
        modelId=7,
        model={"name": "Some LoRA", "type": "LoCon", "nsfw": True},
    )

    first, second = version_files_of_answer(answer)

    assert (first.model_id, first.version_id, first.model_name) == (7, 290640, "Some LoRA")
    assert (first.kind, first.nsfw, second.kind) == ("lora", True, "other")


@pytest.mark.parametrize(
    "raw",
    [None, [], "<html>", {}, version(file("a")), version(file("a"), modelId=[])],
    ids=["null", "list", "text", "empty", "no model", "model a list"],
)
def test_an_answer_of_another_shape_gives_nothing(raw: object) -> None:
    assert version_files_of_answer(raw) == []


REAL_SIZES = {
    6775430.712890625: 6_938_041_050,
    326798.009765625: 334_641_162,
    2082642.022460938: 2_132_625_431,
    1: 1024,
}
NO_SIZES = [6775430.7, 0, -1, 2.0**60, True, "326798.009765625", None]


@pytest.mark.parametrize(("size_kb", "size"), REAL_SIZES.items())
def test_the_size_of_a_file_is_in_whole_bytes(size_kb: float, size: int) -> None:
    assert bytes_of(size_kb) == size


@pytest.mark.parametrize("size_kb", NO_SIZES)
def test_a_rounded_size_is_unknown(size_kb: object) -> None:
    assert bytes_of(size_kb) is None

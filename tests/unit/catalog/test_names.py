"""One spelling of a path, the words of a name, and the types of models, which no name decides."""

import unicodedata
from typing import get_args

import pytest

from db.schema.documents.models import LocalModelType
from storycanvas.catalog.kinds import LocalType, type_of_file, type_of_folder, type_of_item
from storycanvas.catalog.names import file_key, is_model_file, normal_name, normal_path

DECOMPOSED = unicodedata.normalize("NFD", "héro.safetensors")

PATHS: dict[str, tuple[str, str | None]] = {
    "a name": ("a.ckpt", "a.ckpt"),
    "Windows": (r"SDXL\a.ckpt", "SDXL/a.ckpt"),
    "both separators": (r"SDXL\b/a.ckpt", "SDXL/b/a.ckpt"),
    "decomposed letters": (DECOMPOSED, "héro.safetensors"),
    "other letters": ("模型/ü.pt", "模型/ü.pt"),
    "a space inside": ("my models/a b.ckpt", "my models/a b.ckpt"),
    "a dot in front": (".a.ckpt", ".a.ckpt"),
    "a colon inside": ("a/b:c.ckpt", "a/b:c.ckpt"),
    "a letter without a picture": ("a\u200bb.ckpt", "a\u200bb.ckpt"),
    "nothing": ("", None),
    "from the root": ("/models/a.ckpt", None),
    "a drive": (r"C:\models\a.ckpt", None),
    "a network place": (r"\\box\a.ckpt", None),
    "upwards": ("../a.ckpt", None),
    "upwards inside": ("b/../a.ckpt", None),
    "upwards on Windows": (r"b\..\..\a.ckpt", None),
    "here": ("./a.ckpt", None),
    "an empty part": ("b//a.ckpt", None),
    "a folder": ("b/", None),
    "space around a part": ("b / a.ckpt", "b / a.ckpt"),
    "nothing but space": ("b/ /a.ckpt", None),
    "upwards with space": ("b/.. /a.ckpt", None),
    "a line break": ("a\nb.ckpt", None),
    "NUL": ("a\0.ckpt", None),
    "a control character of Latin-1": ("a\x85b.ckpt", None),
}

MODELS = ("a.safetensors", "A.SAFETENSORS", "a.sft", "a.gguf", "a.pth")
OTHERS = ("None", "taesd", "pixel_space", "a.safetensors.part", "a.yaml", "safetensors")

NAMES = {
    "Pony Diffusion V6 XL": "pony diffusion v 6 xl",
    "ponyDiffusionV6XL.safetensors": "pony diffusion v 6 xl",
    "a/b/foo_v14.ckpt": "foo v 14",
    "foo-v15.pt": "foo v 15",
    "___.pth": "",
}


@pytest.mark.parametrize("case", PATHS.values(), ids=PATHS)
def test_a_path_has_one_spelling_or_is_none(case: tuple[str, str | None]) -> None:
    raw, path = case
    assert normal_path(raw) == path


@pytest.mark.parametrize("name", [*MODELS, *OTHERS])
def test_the_ending_decides_whether_a_name_is_a_model(name: str) -> None:
    assert is_model_file(name) is (name in MODELS)


@pytest.mark.parametrize("name", ["Foo.safetensors ", " foo.safetensors", "sub/ foo.safetensors\t"])
def test_space_around_a_name_makes_no_other_name(name: str) -> None:
    assert file_key(name) == "foo.safetensors"
    assert normal_name(name) == "foo"


def test_the_key_of_a_file_knows_no_case_and_no_folder() -> None:
    assert file_key(r"SDXL\Foo.SafeTensors") == file_key("foo.safetensors")


@pytest.mark.parametrize(("name", "words"), NAMES.items(), ids=NAMES)
def test_a_name_is_reduced_to_its_words(name: str, words: str) -> None:
    assert normal_name(name) == words


FOLDERS = {
    "checkpoints": "checkpoint",
    "diffusion_models": "checkpoint",
    "Loras": "lora",
    "upscale_models": "upscale",
    "text_encoders": "other",
    "": "other",
}
CIVITAI_FILES = {
    ("Checkpoint", "Model"): "checkpoint",
    ("Checkpoint", "Pruned Model"): "checkpoint",
    ("Checkpoint", "VAE"): "vae",
    ("Checkpoint", "Training Data"): "other",
    ("LoCon", "Model"): "lora",
    ("DoRA", "Model"): "lora",
    ("TextualInversion", "Model"): "embedding",
    ("Workflows", "Archive"): "other",
}


@pytest.mark.parametrize(("folder", "kind"), FOLDERS.items())
def test_a_folder_decides_the_type_of_its_files(folder: str, kind: str) -> None:
    assert type_of_folder(folder) == kind


@pytest.mark.parametrize(("types", "kind"), CIVITAI_FILES.items(), ids=map(" ".join, CIVITAI_FILES))
def test_a_file_of_civitai_has_its_own_type(types: tuple[str, str], kind: str) -> None:
    assert type_of_file(*types) == kind


def test_an_item_has_the_type_of_its_main_file() -> None:
    assert type_of_item("Upscaler") == "upscale"


def test_the_types_are_those_of_the_database() -> None:
    assert set(get_args(LocalType)) == set(get_args(LocalModelType))

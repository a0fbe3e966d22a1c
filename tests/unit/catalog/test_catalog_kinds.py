"""What a model file is good for follows from its folder or from Civitai, never from its name."""

from typing import get_args

import pytest

from db.schema.documents.models import LocalModelType
from storycanvas.catalog.kinds import LocalType, type_of_file, type_of_folder, type_of_item

FOLDERS = {
    "checkpoints": "checkpoint",
    "diffusion_models": "checkpoint",
    "Loras": "lora",
    "upscale_models": "upscale",
    "text_encoders": "other",
    "": "other",
}
FILES = {
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
def test_a_folder_tells_the_type_of_its_files(folder: str, kind: str) -> None:
    assert type_of_folder(folder) == kind


@pytest.mark.parametrize(("told", "kind"), FILES.items(), ids=map(" ".join, FILES))
def test_a_file_of_civitai_tells_its_own_type(told: tuple[str, str], kind: str) -> None:
    assert type_of_file(*told) == kind


def test_an_item_has_the_type_of_its_main_file() -> None:
    assert type_of_item("Upscaler") == "upscale"


def test_the_types_are_those_of_the_database() -> None:
    assert set(get_args(LocalType)) == set(get_args(LocalModelType))

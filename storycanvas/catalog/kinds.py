"""What a model file is used for, in the database's words (docs/catalog.md)."""

from typing import Literal

LocalType = Literal["checkpoint", "lora", "embedding", "controlnet", "vae", "upscale", "other"]
"""The types of `database_models`."""

_FOLDERS: dict[str, LocalType] = {
    "checkpoints": "checkpoint",
    "diffusion_models": "checkpoint",
    "unet": "checkpoint",
    "unet_gguf": "checkpoint",
    "loras": "lora",
    "embeddings": "embedding",
    "controlnet": "controlnet",
    "vae": "vae",
    "upscale_models": "upscale",
}

_CIVITAI: dict[str, LocalType] = {
    "checkpoint": "checkpoint",
    "lora": "lora",
    "locon": "lora",
    "dora": "lora",
    "controlnet": "controlnet",
    "vae": "vae",
    "upscaler": "upscale",
    "textualinversion": "embedding",
}

_MODEL_FILES = {"model", "pruned model"}
"""Types of a Civitai file that has the type of its item; others name their own."""


def type_of_folder(folder: str) -> LocalType:
    """The type of the files in a folder of ComfyUI; their names decide nothing."""
    return _FOLDERS.get(folder.casefold(), "other")


def type_of_item(item_type: str) -> LocalType:
    """The type of a Civitai item by its `type`."""
    return _CIVITAI.get(item_type.casefold(), "other")


def type_of_file(item_type: str, file_type: str) -> LocalType:
    """The type of a file by the `type` of its item and its own: a checkpoint may hold a VAE."""
    if file_type.casefold() in _MODEL_FILES:
        return type_of_item(item_type)
    return type_of_item(file_type)

"""What a model file is good for, in the database's words (docs/catalog.md)."""

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
"""Types of a Civitai file that is what its item is; others say themselves what they are."""


def type_of_folder(folder: str) -> LocalType:
    """Tell the type of the files in a folder of ComfyUI; the name of a file decides nothing."""
    return _FOLDERS.get(folder.casefold(), "other")


def type_of_item(item_type: str) -> LocalType:
    """Tell the type of a Civitai item by its `type`."""
    return _CIVITAI.get(item_type.casefold(), "other")


def type_of_file(item_type: str, file_type: str) -> LocalType:
    """Tell the type of a file of a Civitai item: a VAE may lie inside a checkpoint's item.

    Args:
        item_type: The item's `type`.
        file_type: The file's `type`, such as `Model` or `VAE`.
    """
    if file_type.casefold() in _MODEL_FILES:
        return type_of_item(item_type)
    return type_of_item(file_type)

"""Names that say which model a file is, and names that half of all files have."""

from catalog.names import normal_name

FEWEST_LETTERS = 4
"""Letters that a name needs; `xl` and `ae` are in hundreds of others."""

_LIBRARY_WORDS = """
model models diffusion pytorch torch lora loras lycoris locon weights checkpoint checkpoints
ckpt safetensors vae ae clip text encoder unet transformer controlnet embedding upscaler
last final best latest new old copy untitled output test epoch step steps of
sd xl v l g b m k x fp bf f pruned ema full merged ft
"""
_EMPTY_WORDS = frozenset(_LIBRARY_WORDS.split())
"""Words that trainers and libraries write into every name; alone they say nothing."""

_FAMILIES = frozenset(
    {"sdxl", "flux", "flux 1", "pony", "illustrious", "stable diffusion", "anime", "style"}
)
"""Names of whole families, which say no more than a base model does."""


def is_telling(file_name: str) -> bool:
    """Tell whether a file's name can say which model it is.

    Args:
        file_name: With or without its path and ending.

    Returns:
        False for names that are short, all digits, or what a library calls every file.
    """
    name = normal_name(file_name)
    if sum(letter.isalpha() for letter in name) < FEWEST_LETTERS or name in _FAMILIES:
        return False
    return any(not word.isdigit() and word not in _EMPTY_WORDS for word in name.split())

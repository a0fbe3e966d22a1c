"""Names of model files: one spelling of a path, and what two spellings of a name share."""

import re
import unicodedata

MODEL_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pt2", ".bin", ".pth", ".pkl", ".sft", ".gguf")
"""What ComfyUI loads, gguf through custom nodes."""

_BETWEEN_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_SEPARATORS = re.compile(r"[\W_]+")
_PART = r"[A-Za-z0-9_(\[+-][A-Za-z0-9_.()\[\]+-]*"
_PLAIN = re.compile(rf"{_PART}(?:/{_PART})*")


def normal_path(raw: str) -> str | None:
    r"""Convert a path such as `SDXL\foo.safetensors` to `/` between parts and composed Unicode.

    Returns:
        The path; None if it leaves its folder, has an empty part or a control character.
    """
    if _PLAIN.fullmatch(raw):  # nearly all are; servers list 10,000 and more
        return raw
    path = unicodedata.normalize("NFC", raw).replace("\\", "/")
    parts = path.split("/")
    if any(part.strip() in {"", ".", ".."} for part in parts):
        return None
    if ":" in parts[0]:
        return None
    if not path.isprintable() and any(
        unicodedata.category(character) == "Cc" for character in path
    ):
        return None
    return path


def is_model_file(path: str) -> bool:
    """Whether a name ends as model files do; entries such as `None` or `taesd` do not."""
    return path.endswith(MODEL_ENDINGS) or path.casefold().endswith(MODEL_ENDINGS)


def file_key(name: str) -> str:
    """The last part of a path without case and without space around it.

    Two file names with the same key are the same. Civitai has names that end in spaces, which
    browsers drop from the file that they save.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return last.strip().casefold()


def normal_name(name: str) -> str:
    """Reduce a path, file name or display name to its words, so that its spellings are equal.

    Digits stay, so versions stay apart: `foo_v14` and `foo_v15` are two.

    Returns:
        Lower-case words with single spaces; empty if nothing is left.
    """
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    for ending in MODEL_ENDINGS:
        if last.casefold().endswith(ending):
            last = last[: -len(ending)]
            break
    words = _SEPARATORS.sub(" ", _BETWEEN_CASES.sub(" ", unicodedata.normalize("NFKC", last)))
    return " ".join(words.casefold().split())

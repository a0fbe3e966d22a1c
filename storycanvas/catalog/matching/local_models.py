"""A local model, and the keys that it is searched by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import LENGTHS, normal_hash
from storycanvas.catalog.kinds import LocalType
from storycanvas.catalog.names import file_key, normal_name

FEWEST_LETTERS = 4
"""Letters that a name needs; `xl` and `ae` are in hundreds of others."""

_LIBRARY_WORDS = """
model models diffusion pytorch torch lora loras lycoris locon weights checkpoint checkpoints
ckpt safetensors vae ae clip text encoder unet transformer controlnet embedding upscaler
last final best latest new old copy untitled output test epoch step steps of
sd xl v l g b m k x fp bf f pruned ema full merged ft
"""
_EMPTY_WORDS = frozenset(_LIBRARY_WORDS.split())
"""Words that trainers and libraries write into every name; alone they decide nothing."""

_FAMILIES = frozenset(
    {"sdxl", "flux", "flux 1", "pony", "illustrious", "stable diffusion", "anime", "style"}
)
"""Names of whole families, which decide no more than a base model does."""


def is_telling(file_name: str) -> bool:
    """Whether the name of a file, with or without path and ending, can show which model it is.

    Names that are short, all digits, or what a library calls every file cannot.
    """
    name = normal_name(file_name)
    if sum(character.isalpha() for character in name) < FEWEST_LETTERS or name in _FAMILIES:
        return False
    return any(not word.isdigit() and word not in _EMPTY_WORDS for word in name.split())


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model file as the servers report it.

    Attributes:
        model_id: Folder and path, the same on every server.
        kind: What its folder is for.
        file_name: The last part of its path.
        hashes: From all servers, by kind; more than one of a kind is a contradiction.
        sizes: From all servers, in bytes; more than one is a contradiction, too.
    """

    model_id: str
    kind: LocalType
    file_name: str
    hashes: Mapping[HashKind, frozenset[str]]
    sizes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """The keys that find every file in a database that a model may be.

    Attributes:
        sha256: Upper-case hexadecimal digits, sorted; so are the other hashes.
        blake3: 64 digits each.
        autov2: 10 digits each, with those that a SHA256 begins with.
        autov3: 12 digits each.
        file_key: `storycanvas.catalog.names.file_key` of its name; None where names decide nothing.
        name_key: `storycanvas.catalog.names.normal_name` of its name; None as for `file_key`.
    """

    sha256: tuple[str, ...]
    blake3: tuple[str, ...]
    autov2: tuple[str, ...]
    autov3: tuple[str, ...]
    file_key: str | None
    name_key: str | None


def known_hashes(hashes: Mapping[HashKind, Iterable[str]]) -> dict[HashKind, frozenset[str]]:
    """Normalise hashes, drop invalid ones, and add the AutoV2 of every SHA256.

    All four kinds are in the result; an unknown one has an empty set.
    """
    known = {
        kind: {digits for value in hashes.get(kind, ()) if (digits := normal_hash(kind, value))}
        for kind in LENGTHS
    }
    known["AutoV2"] |= {sha256[: LENGTHS["AutoV2"]] for sha256 in known["SHA256"]}
    return {kind: frozenset(values) for kind, values in known.items()}


def names_decide(local: LocalModel) -> bool:
    """Whether a name can show which file it is: not of an unknown kind, not `model.pt`."""
    return local.kind != "other" and is_telling(local.file_name)


def lookup_keys(local: LocalModel) -> LookupKeys:
    """Make the keys that a database is searched by."""
    known = {kind: tuple(sorted(values)) for kind, values in known_hashes(local.hashes).items()}
    by_name = names_decide(local)
    return LookupKeys(
        sha256=known["SHA256"],
        blake3=known["BLAKE3"],
        autov2=known["AutoV2"],
        autov3=known["AutoV3"],
        file_key=file_key(local.file_name) if by_name else None,
        name_key=normal_name(local.file_name) if by_name else None,
    )

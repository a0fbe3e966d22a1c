"""A local model, and what there is to look for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.entries import HashKind
from catalog.hashes import LENGTHS, normal_hash
from catalog.kinds import LocalType
from catalog.matching.telling_names import is_telling
from catalog.names import file_key, normal_name


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model file as the servers tell of it.

    Attributes:
        model_id: Folder and path, the same on every server.
        kind: What its folder is for.
        file_name: The last part of its path.
        hashes: All that any server tells, by kind; more than one of a kind is a contradiction.
        sizes: All that any server tells, in bytes; more than one is a contradiction, too.
    """

    model_id: str
    kind: LocalType
    file_name: str
    hashes: Mapping[HashKind, frozenset[str]]
    sizes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """What a database has to be asked for, to find every file that a model may be.

    Attributes:
        sha256: Upper-case hexadecimal digits, sorted; so are the other hashes.
        blake3: 64 digits each.
        autov2: 10 digits each, with those that a SHA256 begins with.
        autov3: 12 digits each.
        file_key: Of its file name (`catalog.names.file_key`); None where names decide nothing.
        name_key: Of its file name (`catalog.names.normal_name`); None where names decide nothing.
    """

    sha256: tuple[str, ...]
    blake3: tuple[str, ...]
    autov2: tuple[str, ...]
    autov3: tuple[str, ...]
    file_key: str | None
    name_key: str | None


def known_hashes(hashes: Mapping[HashKind, Iterable[str]]) -> dict[HashKind, frozenset[str]]:
    """Bring hashes into one spelling, drop what is none, and add the AutoV2 of every SHA256.

    Args:
        hashes: By kind.

    Returns:
        All four kinds; a kind of which nothing is known has an empty set.
    """
    known = {
        kind: {digits for value in hashes.get(kind, ()) if (digits := normal_hash(kind, value))}
        for kind in LENGTHS
    }
    known["AutoV2"] |= {sha256[: LENGTHS["AutoV2"]] for sha256 in known["SHA256"]}
    return {kind: frozenset(values) for kind, values in known.items()}


def names_decide(local: LocalModel) -> bool:
    """Tell whether a name can say which file it is: not of an unknown kind, not `model.pt`."""
    return local.kind != "other" and is_telling(local.file_name)


def lookup_keys(local: LocalModel) -> LookupKeys:
    """Take what a database has to be asked for.

    Args:
        local: The model.
    """
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

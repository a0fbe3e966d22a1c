"""Models and versions as matching takes them; all hashes are made up."""

from collections.abc import Mapping
from hashlib import sha256

from storycanvas.catalog.civitai.version_files import VersionFile, version_files
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import with_auto_v2
from storycanvas.catalog.kinds import type_of_file, type_of_folder
from storycanvas.catalog.matching.local_models import LocalModel
from tests.support.catalog.sample_catalog import FILES, hash_rows, pages
from tests.support.catalog.sample_catalog import digits as tensors


def digits(name: str, kind: HashKind = "SHA256") -> str:
    """Make a hash up, always the same for a name."""
    length = {"SHA256": 64, "BLAKE3": 64, "AutoV3": 12, "AutoV2": 10}[kind]
    return sha256(f"{kind} of {name}".encode()).hexdigest().upper()[:length]


def all_hashes(name: str) -> dict[HashKind, str]:
    kinds: tuple[HashKind, ...] = ("SHA256", "BLAKE3", "AutoV3")
    return with_auto_v2({kind: digits(name, kind) for kind in kinds})


def version_file(
    file_name: str,
    version_id: int,
    item: tuple[int, str, str] = (910000009, "Sample Model", "LORA"),
    file_type: str = "Model",
    hashes: Mapping[HashKind, str] | None = None,
    version_name: str = "v1.0",
    published_at: str | None = "2025-03-01T08:00:00.000Z",
) -> VersionFile:
    """Make a file of a version; without other hashes it has all kinds of them."""
    model_id, model_name, item_type = item
    return VersionFile(
        model_id=model_id,
        model_name=model_name,
        item_type=item_type,
        version_id=version_id,
        version_name=version_name,
        base_model="SDXL 1.0",
        published_at=published_at,
        trained_words=(),
        nsfw=False,
        tags=(),
        file_name=file_name,
        file_type=file_type,
        kind=type_of_file(item_type, file_type),
        hashes=all_hashes(file_name) if hashes is None else dict(hashes),
        download_url=None,
    )


def local_model(path: str, **hashes: str | set[str]) -> LocalModel:
    """Make a model of a server, such as `loras/characters/hero_v1.safetensors`."""
    known = {
        kind: frozenset({value} if isinstance(value, str) else value)
        for kind, value in hashes.items()
    }
    return LocalModel(
        model_id=path,
        kind=type_of_folder(path.partition("/")[0]),
        file_name=path.rpartition("/")[2],
        hashes=known,  # type: ignore[arg-type]  # keywords are no literals
    )


PONY = (910000010, "Sample Pony XL", "Checkpoint")
SLIDER = (910000001, "Sample Detail Slider XL", "LORA")


def sample_files() -> list[VersionFile]:
    """All files of the sample's items: a VAE inside a checkpoint, two versions, and others."""
    return [file for page in pages() for item in page for file in version_files(item)]


def sample_models() -> list[LocalModel]:
    """The twelve models of a server, with the hashes that a scan and a trainer gave."""
    scanned = {f"{row['folder']}/{row['name']}": row["sha256"] for row in hash_rows()}
    known = {path: {"SHA256": sha256} for path, sha256 in scanned.items() if sha256}
    known["loras/renamed_by_user.safetensors"] = {"AutoV3": tensors("slider_v1 tensors", 12)}
    paths = [f"{folder}/{name}" for folder, names in FILES.items() for name in names]
    return [local_model(path, **known.get(path, {})) for path in paths]

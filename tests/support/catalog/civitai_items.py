"""Items in the shape of Civitai's API, made up."""

from typing import Any

SHA256 = "67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"
SHA256_OF_NOTHING = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"


def file(name: str, kind: str = "Model", **fields: object) -> dict[str, Any]:
    hashes = {"AutoV1": "E577480D", "AutoV2": SHA256[:10], "SHA256": SHA256, "CRC32": "CFAD6694"}
    return {
        "id": 228616,
        "sizeKB": 6775430.7,
        "name": name,
        "type": kind,
        "hashes": hashes,
    } | fields


def version(*files: object, **fields: object) -> dict[str, Any]:
    return {
        "id": 290640,
        "index": 0,
        "name": "V6",
        "baseModel": "Pony",
        "publishedAt": "2024-01-08T04:48:43.529Z",
        "trainedWords": ["sample word"],
        "stats": {"downloadCount": 688216},
        "files": list(files),
        "downloadUrl": "https://civitai.com/api/download/models/290640",
    } | fields


def item(*versions: object, **fields: object) -> dict[str, Any]:
    return {
        "id": 257749,
        "name": "Sample Model XL",
        "description": None,
        "allowCommercialUse": ["Image"],
        "allowDerivatives": True,
        "type": "Checkpoint",
        "nsfw": False,
        "nsfwLevel": 7,
        "cosmetic": None,
        "stats": {"downloadCount": 753794},
        "creator": {"username": "creator_1", "image": None},
        "tags": ["western art", "base model"],
        "modelVersions": list(versions),
    } | fields

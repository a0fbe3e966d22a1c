"""Hashes of model files in one spelling, and what is none."""

import pytest

from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import hashes_from_metadata, normal_hash, with_auto_v2

SHA256 = "befc694a296f75e996488ebf9f9db8a1493bd059b6e704b975829e87d5aeb4fa"
NOTHING_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NOTHING_BLAKE3 = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

NORMAL: dict[str, tuple[HashKind, object, str | None]] = {
    "lower case": ("SHA256", SHA256, SHA256.upper()),
    "with 0x": ("AutoV3", "0xb530b7e152e4", "B530B7E152E4"),
    "with its kind": ("BLAKE3", f"blake3:{SHA256}", SHA256.upper()),
    "with spaces": ("AutoV2", " BEFC694A29\n", "BEFC694A29"),
    "too short": ("SHA256", SHA256[:-1], None),
    "not hexadecimal": ("AutoV2", "GEFC694A29", None),
    "of nothing": ("SHA256", NOTHING_SHA256, None),
    "of nothing, BLAKE3": ("BLAKE3", NOTHING_BLAKE3, None),
    "the start of one of nothing": ("AutoV2", NOTHING_SHA256[:10], None),
    "only zeros": ("AutoV3", "000000000000", None),
    "null": ("SHA256", None, None),
    "a number": ("AutoV2", 1234567890, None),
}


@pytest.mark.parametrize("case", NORMAL.values(), ids=NORMAL)
def test_a_hash_has_one_spelling_or_is_none(case: tuple[HashKind, object, str | None]) -> None:
    kind, found, normal = case
    assert normal_hash(kind, found) == normal


def test_a_trainers_hash_of_the_tensors_begins_with_auto_v3() -> None:
    assert hashes_from_metadata({"sshs_model_hash": f"0x{SHA256}"}) == {"AutoV3": "BEFC694A296F"}


@pytest.mark.parametrize("metadata", [{}, {"sshs_model_hash": NOTHING_SHA256}])
def test_metadata_without_a_hash_of_something_tells_none(metadata: dict[str, str]) -> None:
    assert hashes_from_metadata(metadata) == {}


def test_a_sha256_begins_with_auto_v2() -> None:
    known: dict[HashKind, str] = {"SHA256": SHA256.upper(), "AutoV3": "B530B7E152E4"}
    assert with_auto_v2(known) == {**known, "AutoV2": "BEFC694A29"}

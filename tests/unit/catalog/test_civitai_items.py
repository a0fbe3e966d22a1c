"""Items of any shape are repaired or refused, and keep the versions that a filter leaves out."""

import json
import math
from typing import Any

import bson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.schema.documents.models import CivitaiModel
from storycanvas.catalog.civitai.items import (
    MAX_BYTES,
    ItemUnreadable,
    read_item,
    with_other_versions,
)
from storycanvas.catalog.civitai.version_files import version_files
from storycanvas.catalog.storable import stored_bytes
from tests.support.catalog.civitai_items import SHA256, SHA256_OF_NOTHING, file, item, version

LIFTED = {"base_models", "file_keys", "name_keys"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "files", "hashes", "$x", "", "a.b"]), inner
        )
    ),
    max_leaves=8,
)


def document_of(raw: object) -> dict[str, Any]:
    return read_item(raw).document


def nested(levels: int) -> Any:  # noqa: ANN401 - JSON
    return [nested(levels - 1)] if levels else 0


def test_a_good_item_stays_as_it_is() -> None:
    raw = item(version(file("a.safetensors")))

    read = read_item(raw)

    assert {name: read.document[name] for name in raw} == raw
    assert set(read.document) - set(raw) == LIFTED
    assert read.repaired == ()


def test_what_a_search_needs_is_lifted_out_of_the_versions() -> None:
    vae = file("sub/Sample_VAE.safetensors", "VAE")
    raw = item(
        version(file("Sample_v2.safetensors"), vae),
        version(file("sample_V2.safetensors"), baseModel="SDXL 1.0"),
        version(baseModel="Pony"),
    )

    document = document_of(raw)

    assert document["base_models"] == ["Pony", "SDXL 1.0"]
    assert document["file_keys"] == ["sample_v2.safetensors", "sample_vae.safetensors"]
    assert document["name_keys"] == ["sample v 2", "sample vae"]


def test_an_item_is_not_changed_by_reading_it() -> None:
    raw = item(version(file("a.safetensors", hashes={"sha256": SHA256.lower()})), tags=None)
    before = json.dumps(raw)

    read_item(raw)

    assert json.dumps(raw) == before


def test_hashes_are_brought_into_one_spelling() -> None:
    raw = item(version(file("a.pt", hashes={"SHA256": f"0x{SHA256.lower()}", "CRC32": "cfad6694"})))

    (found,) = document_of(raw)["modelVersions"][0]["files"]

    assert found["hashes"] == {"SHA256": SHA256, "CRC32": "CFAD6694"}


REFUSED: dict[str, tuple[object, str]] = {
    "null": (None, "None"),
    "list": ([], "list"),
    "text": ("<html>", "<html>"),
    "number": (3, "3"),
    "empty": ({}, "id"),
    "no id": (item(id=None), "id"),
    "id a bool": (item(id=True), "True"),
    "id half a number": (item(id="12a"), "12a"),
    "id a strange digit": (item(id="²"), "id"),
    "id a fraction": (item(id=1.5), "1.5"),
    "id beyond 64 bits": (item(id=2**63), str(2**63)),
    "id text beyond 64 bits": (item(id="9" * 30), "id"),
    "id infinite": (item(id=math.inf), "id"),
    "id an object": (item(id={"$oid": "1"}), "dict"),
    "name null": (item(name=None), "257749 has no name"),
    "name blank": (item(name=" "), "257749 has no name"),
    "name a list": (item(name=["a"]), "257749 has no name"),
    "type null": (item(type=None), "257749 has no type"),
    "type a number": (item(type=7), "257749 has no type"),
    "too deep": (item(odd=nested(80)), "60 levels"),
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_stored_is_refused_with_its_reason(raw: object, reason: str) -> None:
    with pytest.raises(ItemUnreadable) as caught:
        read_item(raw)

    assert reason in caught.value.reason
    assert len(caught.value.reason) < 200


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"description": ["x"]}, {"description": None}),
        ({"tags": None}, {"tags": []}),
        ({"tags": [{"name": "a"}, "b", None, 3, {}, ""]}, {"tags": ["a", "b"]}),
        ({"tags": "a"}, {"tags": ["a"]}),
        ({"nsfwLevel": "Soft"}, {"nsfwLevel": None}),
        ({"nsfwLevel": 2**64}, {"nsfwLevel": None}),
        ({"allowDerivatives": "yes"}, {"allowDerivatives": None}),
        ({"allowCommercialUse": ["a", 1]}, {"allowCommercialUse": ["a"]}),
        ({"allowCommercialUse": {}}, {"allowCommercialUse": None}),
        ({"stats": None}, {"stats": {}}),
        ({"stats": []}, {"stats": {}}),
        ({"creator": "me"}, {"creator": None}),
        ({"modelVersions": None}, {"modelVersions": []}),
        ({"modelVersions": {"0": {}}}, {"modelVersions": []}),
        ({"modelVersions": [None, [], {"id": 1}]}, {"modelVersions": [{"id": 1}]}),
        ({"modelVersions": [{"files": None}]}, {"modelVersions": [{"files": []}]}),
        (
            {"modelVersions": [{"files": [7, {"hashes": None}]}]},
            {"modelVersions": [{"files": [{"hashes": {}}]}]},
        ),
        (
            {"modelVersions": [{"files": [{"hashes": {"SHA256": None, "CRC32": 7}}]}]},
            {"modelVersions": [{"files": [{"hashes": {}}]}]},
        ),
        ({"odd": 2**64}, {"odd": str(2**64)}),
        ({"odd": math.nan}, {"odd": None}),
        ({"odd": [math.inf]}, {"odd": [None]}),
        ({"odd": "a\ud800b"}, {"odd": "a\ufffdb"}),
        ({"odd": {"": 1, "a\0b": 2, "$ref": 3, "a.b": 4}}, {"odd": {"a.b": 4}}),
        ({"id": "257749"}, {"id": 257749}),
        ({"id": 257749.0}, {"id": 257749}),
    ],
    ids=lambda value: str(value)[:50].encode("ascii", "replace").decode(),
)
def test_a_wrong_shape_is_repaired_and_reported(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    read = read_item(item(**fields))

    assert {name: read.document[name] for name in expected} == expected
    assert read.repaired


@pytest.mark.parametrize(
    "fields",
    [
        {"allowCommercialUse": "Sell"},
        {"creator": None},
        {"nsfwLevel": None},
        {"modelVersions": []},
        {"mode": "Archived"},
    ],
    ids=str,
)
def test_what_civitai_is_known_to_send_needs_no_repair(fields: dict[str, Any]) -> None:
    read = read_item(item(**fields))

    assert read.repaired == ()
    assert read.document[next(iter(fields))] == next(iter(fields.values()))


@pytest.mark.parametrize(
    "name", ["_id", "_imported_at", "$set", "a.b", "", "a\0b", "language", "content_hash"]
)
def test_a_field_that_is_not_civitais_is_left_out(name: str) -> None:
    read = read_item({**item(), name: "klingon"})

    assert set(read.document) == set(item()) | LIFTED
    assert read.repaired


def test_nsfw_that_is_neither_yes_nor_no_is_left_out() -> None:
    assert "nsfw" not in document_of(item(nsfw=None))


def test_versions_are_found_under_the_name_that_old_data_has() -> None:
    raw = item()
    raw["model_versions"] = [version(file("a.pt"))]
    del raw["modelVersions"]

    assert document_of(raw)["file_keys"] == ["a.pt"]


def test_downloads_do_not_change_the_hash() -> None:
    later = item(version(stats={"downloadCount": 1}), stats={})

    assert read_item(later).content_hash == read_item(item(version())).content_hash


@pytest.mark.parametrize(
    "changed",
    [
        item(version(), name="Other"),
        item(version(name="V7")),
        item(version(file("a.pt"))),
        item(version(), more=1),
        item(version(), version()),
    ],
    ids=["name", "version", "file", "unknown field", "one more version"],
)
def test_everything_else_changes_the_hash(changed: dict[str, Any]) -> None:
    assert read_item(changed).content_hash != read_item(item(version())).content_hash


def test_the_order_of_fields_does_not_change_the_hash() -> None:
    turned = dict(reversed(item(version()).items()))

    assert read_item(turned).content_hash == read_item(item(version())).content_hash


def test_what_was_stored_is_the_same_item_again() -> None:
    first = read_item(item(version(file("a.pt")), tags=None))
    stored = {**first.document, "_id": "x", "content_hash": first.content_hash}

    assert read_item(stored).content_hash == first.content_hash


@pytest.mark.parametrize(
    ("filling", "fits"),
    [
        (["x" * 1000] * 11_000, True),
        (["x" * 1000] * 12_500, False),
        ([0] * 800_000, True),
        ([0] * 1_050_000, False),
    ],
    ids=["long texts fit", "long texts", "many numbers fit", "many numbers"],
)
def test_an_item_larger_than_a_document_is_refused(filling: list[Any], fits: bool) -> None:
    raw = item(filling=filling)

    assert (len(bson.encode(raw)) < MAX_BYTES) == fits
    if fits:
        assert read_item(raw).id == 257749
    else:
        with pytest.raises(ItemUnreadable, match="bytes"):
            read_item(raw)


@given(JSON, JSON, JSON)
@example(None, 2.0**63, None)
@settings(max_examples=150, deadline=None)
def test_whatever_a_field_holds_the_item_can_be_stored(a: Any, b: Any, c: Any) -> None:  # noqa: ANN401
    raw = item(version(file("a.pt", hashes=a), odd=b), b, tags=b, stats=a, creator=c)

    document = document_of({**raw, "nsfw": c, "nsfwLevel": b, "allowCommercialUse": a})

    assert stored_bytes(document) == len(bson.encode(document))
    CivitaiModel.model_validate(document)
    assert [found.file_name for found in version_files(document)][:1] == ["a.pt"]


def test_a_hash_of_nothing_names_no_file() -> None:
    raw = item(version(file("a.pt", hashes={"SHA256": SHA256_OF_NOTHING, "AutoV2": SHA256[:10]})))

    (found,) = version_files(document_of(raw))

    assert found.hashes == {"AutoV2": SHA256[:10]}


def slim(number: int, base_model: str | None = "Pony", **listed: Any) -> dict[str, Any]:
    return {"id": number, "baseModel": base_model, **listed}


STORED = [slim(3, "SDXL 1.0"), slim(2, name="old"), slim(1, None)]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([slim(2, name="old")], STORED),
        ([slim(2, name="new")], [STORED[0], slim(2, name="new"), STORED[2]]),
        ([slim(4)], [slim(4), STORED[0], STORED[2]]),
        ([None, slim(2, name="old")], STORED),
    ],
    ids=["as stored", "changed", "new, and one is gone", "no object"],
)
def test_versions_that_a_filter_left_out_stay(listed: list[Any], expected: list[Any]) -> None:
    made = with_other_versions({"id": 7, "modelVersions": listed}, STORED, ["Pony"])

    assert made == {"id": 7, "modelVersions": expected}


@pytest.mark.parametrize("raw", [None, [], {"id": 7}, {"id": 7, "modelVersions": None}])
def test_what_has_no_versions_stays_as_it_is(raw: object) -> None:
    assert with_other_versions(raw, STORED, ["Pony"]) == raw

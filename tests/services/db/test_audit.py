"""An audit finds what is wrong, counts it, and works on any database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson import Decimal128, Regex
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from db.audit.audit import audit
from db.audit.documents import reasons
from db.audit.indexes import COUNTED_FOR
from db.audit.sizes import MEGABYTE, large_characters, oversized_documents
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from db.schema.collections import COLLECTIONS
from db.schema.relations import RELATIONS, SOFT_DELETABLE, Relation
from db.setup.apply import initialise
from deployments.sample import prepare_own_database
from tests.support.db.database_state import Data
from tests.support.db.records import character
from tests.support.db.stored_documents import (
    DOCUMENTS,
    EARLIER,
    HELD,
    INVALID,
    NOW,
    SMALLEST,
    VALID,
    found,
    job,
    statuses,
    the_finding,
)

HISTORY, GALLERY = "facefusion_processing_history", "facefusion_output_gallery"


def children(relation: Relation) -> Iterator[dict[str, Any]]:
    """An orphan, and children that are not orphans."""
    name = f"{relation.collection}.{relation.field}"
    yield {"id": f"{name} orphan", relation.field: "gone"}
    yield {"id": f"{name} null", relation.field: None}
    yield {"id": f"{name} child", relation.field: f"{name} parent"}
    if relation.collection in SOFT_DELETABLE:
        yield {"id": f"{name} deleted", relation.field: "gone", "deleted_at": NOW}


def test_orphans_are_found_along_every_relation(any_database: Data) -> None:
    for relation in RELATIONS:
        name = f"{relation.collection}.{relation.field}"
        any_database[relation.collection].insert_many([*children(relation)])
        any_database[relation.parent].insert_one({relation.key: f"{name} parent"})

    report = audit(any_database, NOW)

    assert {
        (finding.collection, finding.subject, finding.ids) for finding in report.of("orphan")
    } == {
        (
            relation.collection,
            f"{relation.field} of {relation.parent}",
            (f"{relation.collection}.{relation.field} orphan",),
        )
        for relation in RELATIONS
    }
    assert {finding.count for finding in report.of("orphan")} == {1}
    assert report.of("child of a deleted parent", "not looked at") == ()


def test_measures_of_a_character_that_is_gone_are_named_with_what_removes_them(
    database: Data,
) -> None:
    database["characters"].insert_one({"id": "there"})
    database["face_measures"].insert_many(
        [{"_id": "kept", "character_id": "there"}, {"_id": "left", "character_id": "gone"}]
    )

    found = the_finding(audit(database, NOW), "orphan")

    assert (found.collection, found.ids) == ("face_measures", ("_id 'left'",))
    assert found.remedy.startswith("Run audit-likeness for all characters")


def test_a_child_of_a_deleted_parent_is_reported_but_not_as_an_orphan(database: Data) -> None:
    database["projects"].insert_many([{"id": "p", "deleted_at": NOW}, {"id": "alive"}])
    database["characters"].insert_many(
        [{"id": "a", "project_id": "p"}, {"id": "b", "project_id": "alive"}]
    )
    database["facefusion_jobs"].insert_one({"id": "j", "project_id": "p"})

    report = audit(database, NOW)

    children = report.of("child of a deleted parent")
    assert [(finding.ids, finding.severity) for finding in children] == [
        (("a",), "warning"),
        (("j",), "info"),
    ]
    assert report.of("orphan") == ()


def test_orphans_are_counted_exactly_and_the_first_20_are_named(database: Data) -> None:
    clips = [{"_id": n, "id": f"{n:04}", "scene_id": f"gone-{n % 7}"} for n in range(3000)]
    database["clips"].insert_many([*clips, {"_id": "x", "id": 5, "scene_id": [None]}])

    orphan = the_finding(audit(database, NOW, sample_size=1), "orphan")

    assert orphan.count == 3001
    assert len(set(orphan.ids)) == 20


@pytest.mark.parametrize(("name", "changed"), INVALID)
def test_a_document_that_the_server_refuses_is_invalid(name: str, changed: dict[str, Any]) -> None:
    assert reasons(DOCUMENTS[name], SMALLEST[name] | changed)


@pytest.mark.parametrize(("name", "changed"), [*VALID, *((name, {}) for name in SMALLEST)])
def test_a_document_that_the_server_accepts_is_valid(name: str, changed: dict[str, Any]) -> None:
    assert reasons(DOCUMENTS[name], {"_id": 1, **SMALLEST[name], **changed}) == set()


def test_collections_of_the_app_alone_are_read(any_database: Data) -> None:
    owned = [collection.name for collection in COLLECTIONS if collection.app_owned]
    for name in owned:
        any_database[name].create_index("of_the_app")
        any_database[name].insert_many([SMALLEST[name], {"id": 7}])

    report = audit(any_database, NOW, sample_size=None)

    assert {count.collection for count in report.collections if count.validated == 2} == {*owned}
    about = [finding for finding in report.findings if finding.collection in owned]
    assert {finding.kind for finding in about} == {"invalid document"}
    assert {finding.count for finding in about} == {1}


def test_invalid_documents_are_counted_by_reason(database: Data) -> None:
    secret = {"api_key": ["hunter2"], "hashed_password": "hunter2"}
    servers = [{**SMALLEST["comfyui_servers"], "id": str(n), **secret} for n in range(300)]
    database["comfyui_servers"].insert_many(servers)
    database["scenes"].insert_many([{**SMALLEST["scenes"], "id": n} for n in (1, 2)])

    report = audit(database, NOW, sample_size=None)

    assert found(report, "invalid document") == {
        ("comfyui_servers", "api_key: Input should be a valid string"): 300,
        ("scenes", "id: Input should be a valid string"): 2,
    }
    assert [len(finding.ids) for finding in report.of("invalid document")] == [2, 20]
    assert "hunter2" not in report.model_dump_json()


def test_a_user_that_was_merged_is_not_judged(any_database: Data) -> None:
    couple = {"id": 7, "username": "mira", "email": "mira@example.org", "password_hash": "y"}
    any_database["users"].insert_many([dict(SMALLEST["users"]), couple])
    [invalid, *_] = audit(any_database, NOW).of("invalid document")
    assert invalid.collection == "users"

    Migrator(any_database, "a test", load_migrations()).apply()

    assert audit(any_database, NOW).of("invalid document", "similar users") == ()
    any_database["users"].update_one({"id": 7}, {"$set": {"deleted_at": None}})
    assert audit(any_database, NOW).of("invalid document") != ()


def test_users_that_differ_in_case_only_are_listed(any_database: Data) -> None:
    names = ["mira", "Mira", "MIRA", "bob", "user2x", "user\u00b2x", "\u00c9va", "\u00e9va"]
    any_database["users"].insert_many(
        [
            {"id": str(n), "username": name, "email": f"{name}@example.org"}
            for n, name in enumerate(names)
        ]
    )
    before = [*any_database["users"].find()]

    similar = audit(any_database, NOW, fix=True).of("similar users")

    assert {finding.subject.partition(" ")[0]: finding.count for finding in similar} == {
        "email": 5,
        "username": 5,
    }
    assert {tuple(sorted(finding.ids)) for finding in similar} == {("0", "1", "2", "6", "7")}
    assert [*any_database["users"].find()] == before


def test_a_server_in_three_spellings_is_told(any_database: Data) -> None:
    initialise(any_database)
    urls = ["http://box:8188", "http://box:8188/", " HTTP://Box:8188", "http://me:hunter2@box:8188"]
    others = ["http://box:8189", "no address", 7]
    any_database["comfyui_servers"].insert_many(
        [{"id": str(n), "name": "Box", "url": url} for n, url in enumerate([*urls, *others])]
    )
    any_database["comfyui_servers"].insert_one({"id": "gone", "url": urls[1], "deleted_at": NOW})

    report = audit(any_database, NOW)

    same = the_finding(report, "same server")
    assert (same.subject, same.ids) == (
        "rows with the address http://box:8188",
        ("0", "1", "2", "3"),
    )
    assert "hunter2" not in report.model_dump_json()


def test_a_sample_is_as_large_as_it_may_be(database: Data) -> None:
    database["projects"].insert_many([{"name": "without an id"} for _ in range(50)])

    report = audit(database, NOW, sample_size=20)

    assert the_finding(report, "invalid document").count == 20
    assert [str(count) for count in report.collections if count.documents] == [
        "collection='projects' documents=50 validated=20"
    ]


def test_reasons_beyond_the_limit_are_counted_together(database: Data) -> None:
    strange = {f"field_{number}": 1 for number in range(80)}
    database["facefusion_operations"].insert_one(SMALLEST["facefusion_operations"] | strange)

    invalid = audit(database, NOW).of("invalid document")

    assert len(invalid) == 51
    assert "other fields: reasons beyond the first that are listed" in {
        finding.subject for finding in invalid
    }


def test_missing_different_and_blocked_indexes_have_a_remedy(
    database: Data,
) -> None:
    names = [{"username": name, "email": name} for name in ("mira", "jon")]
    database["users"].insert_many([{"_id": n, "id": "same", **names[n]} for n in range(2)])
    database["clips"].create_index(["character_id"], sparse=True)

    report = audit(database, NOW)

    assert found(report, "blocked index") == {("users", "id_1"): 1}
    assert the_finding(report, "blocked index").ids == ("0", "1")
    assert "change all but one" in the_finding(report, "blocked index").remedy
    assert found(report, "different index") == {("clips", "character_id_1"): 1}
    assert the_finding(report, "different index").remedy == "It differs in sparse. Run init-db."
    assert ("clips", "id_1") in found(report, "missing index")
    assert {finding.collection for finding in report.of("missing index")} == {"users", "clips"}
    ours = [collection for collection in COLLECTIONS if not collection.app_owned]
    assert len(report.of("missing collection")) == len(ours) - 2


def test_unused_indexes_are_separated_by_the_registry(database: Data) -> None:
    projects = database["projects"]
    projects.insert_one({"id": "1", "name": "A"})
    projects.create_index(["id"], unique=True)
    for field in ("name", "deleted_at", "by_the_app"):
        projects.create_index([field])
    projects.find_one({"name": "A"}, hint="name_1")

    young = audit(database, datetime.now(UTC))
    report = audit(database, datetime.now(UTC) + COUNTED_FOR)

    assert young.of("unused index") == ()
    assert all(", counted since 20" in finding.subject for finding in report.of("unused index"))
    unused = {finding.subject.split(",")[0]: finding.ids for finding in report.of("unused index")}
    assert unused == {
        "of the registry": ("deleted_at_1",),
        "unknown to the registry": ("by_the_app_1",),
    }


def test_large_documents_are_measured_by_the_server(database: Data) -> None:
    clips = [{"_id": n, "id": f"clip-{n}", "content": "x" * n * 100} for n in range(1, 40)]
    database["clips"].insert_many(clips)

    critical, warning = oversized_documents(database, "clips", large=1000, critical=3500)

    assert (critical.severity, critical.count) == ("critical", 5)
    assert critical.ids == tuple(f"clip-{number}" for number in range(39, 34, -1))
    assert (warning.severity, warning.count, len(warning.ids)) == ("warning", 25, 20)
    assert warning.ids[0] == "clip-34"


def test_documents_near_the_servers_limit_are_critical(database: Data) -> None:
    sizes = (1, 13)
    database["clips"].insert_many([{"id": str(n), "content": "x" * n * MEGABYTE} for n in sizes])

    large = audit(database, NOW, sample_size=1).of("oversized document")

    assert [(finding.severity, finding.ids) for finding in large] == [
        ("critical", ("13",)),
        ("warning", ("1",)),
    ]
    assert large[0].subject == "over 12 MB, 13 has 13.0 MB"


def test_each_large_character_is_named_with_its_lengths_and_bytes(any_database: Data) -> None:
    many = ["a.png"] * 501
    galleries: dict[str, dict[str, Any]] = {
        "long": {"enhanced_faces": many, "swapped_faces": many[:3]},
        "full": {"enhanced_faces": many[:500], "edited_expressions": "none"},
    }
    any_database["characters"].insert_many(
        [{"id": id_, GALLERY: gallery} for id_, gallery in galleries.items()]
    )
    any_database["characters"].insert_one({"id": "large", "notes": "x" * 4 * MEGABYTE})
    any_database["characters"].insert_one({"id": "history", HISTORY: [{}] * 201})
    before = [*any_database["characters"].find()]

    report = audit(any_database, NOW, fix=True, sample_size=1)

    bytes_of = {row["id"]: len(bson.encode(row)) for row in before}
    assert {finding.ids[0]: finding.subject for finding in report.of("large character")} == {
        "large": f"its document has {bytes_of['large']} bytes",
        "long": "enhanced_faces has 501 pictures, swapped_faces has 3 pictures, its document has "
        f"{bytes_of['long']} bytes",
    }
    assert the_finding(report, "long history").ids == ("history",)
    assert the_finding(report, "oversized document").ids == ("large",)
    assert [*any_database["characters"].find()] == before


def test_large_characters_beyond_those_that_are_named_are_counted(
    database: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.audit.sizes.MAX_CHARACTERS", 2)
    gallery = {GALLERY: {"custom_outputs": ["a.png"] * 501}}
    database["characters"].insert_many([{"id": str(n), **gallery} for n in range(5)])

    large = [*large_characters(database)]

    assert [(finding.count, len(finding.ids)) for finding in large] == [(1, 1), (1, 1), (3, 0)]


def test_stuck_jobs_are_reported_by_kind(database: Data) -> None:
    hours, days = NOW - timedelta(hours=2), NOW - timedelta(days=2)
    database["facefusion_jobs"].insert_many(
        [
            job(1, lease_expires_at=EARLIER),
            job(2, lease_expires_at=HELD, updated_at=days),
            job(3, created_at=days, updated_at=EARLIER),
            job(4, started_at=hours, created_at=days),
            job(5, status="queued", created_at=days),
            job(6, status="queued", created_at=hours),
            job(7, status="completed", created_at=days),
            job(8, updated_at=hours.isoformat(), lease_expires_at="2026"),
            job(9),
        ]
    )
    database["generation_batches"].insert_one({"id": "b", "status": "queued"})
    database["faceswap_tasks"].insert_many(
        [
            {"id": "t1", "status": "processing", "started_at": hours},
            {"id": "t2", "status": "pending", "created_at": days},
        ]
    )
    database["queue_jobs"].insert_many(
        [
            {"id": "q1", "status": "processing", "started_at": hours.isoformat()},
            {"id": "q2", "status": "queued", "created_at": days.isoformat()},
            {"id": "q3", "status": "queued", "created_at": hours.isoformat()},
        ]
    )
    database["batch_jobs"].insert_one({"id": "b1", "status": "processing", "updated_at": hours})

    stuck = audit(database, NOW).of("stuck job")

    assert {(finding.subject, finding.ids) for finding in stuck} == {
        ("processing with an expired lease", ("job-1",)),
        ("processing without an update for an hour", ("job-4", "job-8", "job-9")),
        ("waiting for more than a day", ("job-5",)),
        ("processing without an update for an hour", ("t1",)),
        ("waiting for more than a day", ("t2",)),
        ("processing without an update for an hour", ("q1",)),
        ("waiting for more than a day", ("q2",)),
        ("processing without an update for an hour", ("b1",)),
    }
    assert {finding.done for finding in stuck} == {""}
    assert statuses(database)["job-1"] == "processing"


def test_a_valid_database_has_no_finding_until_indexes_are_without_use(data: Data) -> None:
    data["projects"].insert_one({"id": "p", "name": "A story"})
    data["characters"].insert_one({**character(), "project_id": "p"})

    now = datetime.now(UTC)
    report = audit(data, now + COUNTED_FOR)

    assert audit(data, now).findings == ()
    assert {finding.kind for finding in report.findings} == {"unused index"}
    assert {finding.severity for finding in report.findings} == {"info"}


def test_an_audit_of_a_database_just_made_with_the_sample_has_nothing_to_say(
    any_database: Data,
) -> None:
    prepare_own_database(any_database)

    assert audit(any_database, datetime.now(UTC)).findings == ()
    assert initialise(any_database, dry_run=True).changed == ()


STRANGE: list[dict[str, Any]] = [
    {"_id": None},
    {"_id": {"a": 1}, "id": {"b": [1, None]}},
    {"_id": Decimal128("1.5"), "id": "x" * 5000, "deleted_at": "yes"},
    {"_id": DatetimeMS(2**60), "created_at": DatetimeMS(-(2**60)), "updated_at": DatetimeMS(2**60)},
    {"_id": 1, "id": ["a", "a"], "effects": "none", "facefusion_processing_history": {"200": 1}},
    {"_id": 2, "id": "a\x00b\n", "effects": [1, [2], {"applied_at": None}], "model_fields": 1},
    {"_id": 3, "status": "processing", "lease_expires_at": "soon", "updated_at": "yesterday"},
    {
        "_id": 4,
        "status": "processing",
        "attempts": "many",
        "lease_expires_at": DatetimeMS(-(2**60)),
    },
    {"_id": 5, "status": ["queued"], "created_at": float("nan")},
]


def test_any_value_in_any_collection_can_be_audited(database: Data) -> None:
    fields = {relation.field for relation in RELATIONS}
    references: list[Any] = [{}, [], ["a"], Regex("a"), 7, "", "a", float("nan"), None]
    pointing = [dict.fromkeys(fields, value) for value in references]
    for collection in COLLECTIONS:
        some = [pointer | value for pointer, value in zip(pointing, STRANGE, strict=True)]
        database[collection.name].insert_many(some)
    broken_text = b"\x10\x00\x00\x00\x02id\x00\x03\x00\x00\x00\xff\xfe\x00\x00"
    database["projects"].insert_one(RawBSONDocument(broken_text))

    for report in (audit(database, NOW, sample_size=None, fix=fix) for fix in (False, True)):
        assert report.of("not looked at") == ()
        assert len({finding.collection for finding in report.of("invalid document")}) == len(
            COLLECTIONS
        )
        assert max(len(id_) for finding in report.findings for id_ in finding.ids) <= 100


def test_a_collection_that_cannot_be_read_does_not_end_the_audit(database: Data) -> None:
    database["numbers"].insert_one({"zero": 0})
    failing = [{"$project": {"id": {"$divide": [1, "$zero"]}}}]
    database.create_collection("projects", viewOn="numbers", pipeline=failing)
    database["users"].insert_one({"id": 1})

    report = audit(database, NOW)

    assert {
        ("projects", "sizes"),
        ("projects", "documents"),
        ("scenes", "orphans by project_id"),
    } < {*found(report, "not looked at")}
    assert "MongoDB refused: error" in report.of("not looked at")[0].remedy
    assert "A view has this name" in report.of("missing collection")[0].remedy
    assert ("users", "id: Input should be a valid string") in found(report, "invalid document")

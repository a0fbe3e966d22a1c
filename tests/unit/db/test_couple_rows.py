"""The meaning of the texts of a couple face-swap database, and the matching of its users."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from blocks.environment import Environment
from db.couple_import import errors
from db.couple_import.cells import DEEPEST, Kind, read_array, read_cell
from db.couple_import.csv_source import CsvSource
from db.couple_import.postgres_source import PostgresSource, explain, refuse_password
from db.couple_import.rows import SourceRow, document_of, fields_of, legacy_id_of, new_id
from db.couple_import.tables import CRAWL_TASKS, IMAGES, TABLES, TEMPLATES, USERS, Table
from db.couple_import.users import KnownUser, Merge, UserMatcher, earlier
from tasks.database.import_couple_swap import choose_source

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADDRESS = "postgresql://reader@127.0.0.1:1/couple"
CELLS: dict[str, dict[str, str | None]] = {
    "users": {"email": "a@example.org", "username": "Ann", "password_hash": "$2b$secret"},
    "images": {"filename": "a.png", "storage_path": "local/a.png"},
    "templates": {"title": "Two at sea"},
    "template_preprocessing": {},
    "batch_tasks": {"batch_id": "batch_1"},
    "faceswap_tasks": {},
    "crawl_tasks": {},
}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def document(table: Table, **cells: str | None) -> dict[str, Any]:
    row = SourceRow(1, CELLS[table.name] | cells)
    return document_of(table, 7, fields_of(table, row))


def user(legacy_id: int, email: str, username: str) -> dict[str, Any]:
    names = {"id": f"new {legacy_id}", "email": email, "username": username}
    return {**names, "legacy_id": legacy_id, "created_at": NOW}


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("{}", []),
        ("{ }", []),
        ("{a}", ["a"]),
        ('{a,"b,c",NULL}', ["a", "b,c", None]),
        ('{"NULL",null}', ["NULL", None]),
        ('{ a b , "" }', ["a b", ""]),
        (r'{"say \"yes\"","a\\b","{}"}', ['say "yes"', r"a\b", "{}"]),
        ("[0:1]={a,b}", ["a", "b"]),
        ('{"two\nlines"}', ["two\nlines"]),
    ],
)
def test_an_array_is_read_as_postgres_writes_it(text: str, elements: list[str | None]) -> None:
    assert read_array(text) == elements


@pytest.mark.parametrize(
    "text",
    [
        *("", "a,b", "{a", "{a,}", "{a}b", "{{a},{b}}", '{"a}', '{"a"b}'),
        pytest.param("{" + " " * 100_000, id="endless array"),
    ],
)
def test_a_text_that_is_not_a_flat_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_array(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "-12", -12),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("float", "1e-3", 0.001),
        *(("boolean", "t", True), ("boolean", "false", False)),
        ("text", " as it is ", " as it is "),
        ("lowered", "Mira@Example.ORG", "mira@example.org"),
        ("email", " Mira@Example.ORG ", "mira@example.org"),
        ("texts", '{a,NULL,"NULL"}', ["a", "NULL"]),
        ("texts", '["a", null, "{b}"]', ["a", "{b}"]),
        ("texts", "[0:1]={a,b}", ["a", "b"]),
        *(("texts", "[]", []), ("texts", "null", None)),
        ("json", '{"a": [1, null]}', {"a": [1, None]}),
        ("json", "null", None),
        ("json", nested(DEEPEST), json.loads(nested(DEEPEST))),
        ("timestamp", "2026-11-21 12:00:00", NOW),
        ("timestamp", "2026-11-21 12:00:00.5", NOW + timedelta(seconds=0.5)),
        ("timestamp", "2026-11-21 14:00:00+02", NOW),
    ],
)
def test_a_cell_is_read_by_its_kind(kind: Kind, text: str, value: object) -> None:
    assert read_cell(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("integer", text) for text in ("", "1.0", "1_0", " 1", "x", "9223372036854775808")),
        *(("float", text) for text in ("x", "NaN", "Infinity")),
        *(("boolean", text) for text in ("", "x")),
        *(("texts", text) for text in ("a", "{{a}}", "[a]")),
        *(("json", text) for text in ("{", "NaN", nested(DEEPEST + 1))),
        pytest.param("json", "[" * 100_000, id="endless json"),
        *(("timestamp", text) for text in ("x", "infinity", "0044-03-15 00:00:00 BC")),
        ("timestamp", "0001-01-01 00:00:00+23"),
    ],
)
def test_a_cell_of_another_kind_is_refused_with_the_expected_form(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match="should be"):
        read_cell(kind, text)


def test_an_id_is_the_same_in_every_run_and_on_every_machine() -> None:
    assert new_id("users", 7) == "6bf3e645-944e-559e-a950-17b2c804b583"
    assert new_id("images", 7) != new_id("users", 7)


def test_a_user_gets_the_fields_of_storycanvas_and_its_names_in_lower_case() -> None:
    made = document(USERS, email="Ann@Example.org", created_at="2026-11-21 12:00:00")

    assert made["_id"] == made["id"] == new_id("users", 7)
    assert (made["email"], made["username"], made["legacy_id"]) == ("ann@example.org", "ann", 7)
    assert made["api_keys"] == {"runpod": None, "openai": None, "civitai": None}
    assert made["is_active"] is True
    assert made["hashed_password"] == "$2b$secret"  # noqa: S105 - what the row holds
    assert made["created_at"] == NOW
    assert "password_hash" not in made


@pytest.mark.parametrize(
    ("table", "field", "default"),
    [
        *((IMAGES, "tags", []), (IMAGES, "metadata", {}), (IMAGES, "image_type", None)),
        *((TEMPLATES, "is_active", None), (TEMPLATES, "face_count", None)),
        *((CRAWL_TASKS, "status", "pending"), (CRAWL_TASKS, "images_collected", 0)),
    ],
)
def test_null_stays_null_where_the_document_allows_it_else_it_is_the_default(
    table: Table, field: str, default: object
) -> None:
    assert document(table, **{field: None})[field] == default


def test_a_column_that_the_source_lacks_gets_the_default() -> None:
    made = document(TEMPLATES)

    assert (made["is_active"], made["face_count"], made["popularity_score"]) == (True, 2, 0)


@pytest.mark.parametrize(
    ("table", "cells", "reason"),
    [
        (IMAGES, {"filename": None}, "filename is NULL"),
        (IMAGES, {"filename": "x" * 256}, "filename: String should have at most 255 characters"),
        (IMAGES, {"width": "wide"}, "width 'wide' should be a whole number"),
        (IMAGES, {"width": "-1"}, "width: Input should be greater than or equal to 0"),
        (IMAGES, {"image_type": "poster"}, "image_type: Input should be 'source', 'photo'"),
        (IMAGES, {"metadata": "[1]"}, "metadata: Input should be a valid dictionary"),
        (IMAGES, {"metadata": '{"a\\u0000b": 1}'}, "it holds a name with a NUL character"),
        (IMAGES, {"metadata": '{"a": 9223372036854775808}'}, "a number of more than 8 bytes"),
        (IMAGES, {"metadata": '{"a": "\\ud800"}'}, "a text that is not UTF-8"),
        (IMAGES, {"metadata": f'{{"a": "{"x" * 2**24}"}}'}, "it is larger than the 16777216"),
        (USERS, {"username": "ab"}, "username: String should have at least 3 characters"),
        (USERS, {"email": ""}, "email: String should have at least 1 character"),
    ],
)
def test_a_row_that_storycanvas_cannot_hold_is_refused_with_the_reason(
    table: Table, cells: dict[str, str | None], reason: str
) -> None:
    with pytest.raises(errors.RowRefused, match=r".") as caught:
        document(table, **cells)

    assert reason in str(caught.value)


def test_no_message_shows_a_value_of_a_user() -> None:
    with pytest.raises(errors.RowRefused, match="created_at should be a time") as caught:
        document(USERS, created_at="$2b$secret")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", [None, "", "x", "1.5"])
def test_a_row_without_a_number_as_id_is_refused(text: str | None) -> None:
    with pytest.raises(errors.RowRefused, match="its id should be a whole number"):
        legacy_id_of(SourceRow(1, {"id": text}))


def test_every_table_comes_after_those_it_points_into() -> None:
    before: set[str] = set()
    for table in TABLES:
        assert {
            *table.relations.values(),
            *(parent for parent, _ in table.keyed.values()),
        } <= before
        before.add(table.name)


@pytest.mark.parametrize(
    ("imported", "stored", "chosen"),
    [
        (NOW, NOW + timedelta(days=1), NOW),
        (NOW, NOW, None),
        (NOW, NOW - timedelta(days=1), None),
        (NOW, "2026-11-21T12:00:01Z", NOW),
        (NOW, "2026-11-21T11:59:59", None),
        (NOW, (NOW + timedelta(days=1)).replace(tzinfo=None), NOW),
        *((NOW, None, NOW), (NOW, "soon", NOW), (None, None, None), (None, NOW, None)),
    ],
)
def test_the_earliest_time_is_chosen(
    imported: datetime | None, stored: object, chosen: datetime | None
) -> None:
    assert earlier(imported, stored) == chosen


@pytest.mark.parametrize(
    ("known", "time"),
    [
        (KnownUser("sc", "ann@example.org", "other", None, NOW + timedelta(days=1)), NOW),
        (KnownUser("new 7", "ann@example.org", "ann", 7, NOW), None),
    ],
    ids=["the same e-mail", "the same row, placed by another process"],
)
def test_the_same_email_is_the_same_person(known: KnownUser, time: datetime | None) -> None:
    assert UserMatcher([known]).match(user(7, "ann@example.org", "ann")) == Merge(known, 7, time)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ([KnownUser("sc", "b@example.org", "ANN")], "its username belongs to user sc"),
        ([KnownUser("sc", "a@example.org", "x", 3)], "user sc, who is id 3 already"),
        ([KnownUser("", "a@example.org", "x")], "a user without an id"),
        ([KnownUser("s", "a@example.org", "x", written="A@example.org")], "user s in case only"),
        (
            [KnownUser("s", "a@example.org", "x"), KnownUser("t", "a@example.org", "y")],
            "that of several users",
        ),
    ],
)
def test_a_conflict_with_a_user_is_refused(known: list[KnownUser], reason: str) -> None:
    with pytest.raises(errors.RowRefused, match=reason):
        UserMatcher(known).match(user(7, "a@example.org", "ann"))


def test_an_address_in_another_case_is_of_another_person_unless_it_is_the_same_row() -> None:
    known = KnownUser("new 7", "a@example.org", "ann")
    matcher = UserMatcher([known])

    with pytest.raises(errors.RowRefused, match="of user new 7 in case only; write both alike"):
        matcher.match(user(7, "a@example.org", "ann"), "A@example.org")
    placed = replace(known, legacy_id=7)
    same = UserMatcher([placed]).match(user(7, "a@example.org", "ann"), "A@example.org")
    assert isinstance(same, Merge)


@pytest.mark.parametrize("name", ["user\u00b2x", "user2x\u200b", "\u00fcser2x"])
def test_names_that_the_app_compares_as_two_are_two(name: str) -> None:
    row = user(7, "a@example.org", name)

    assert UserMatcher([KnownUser("sc", "b@example.org", "user2x")]).match(row) == row


@pytest.mark.parametrize(
    ("email", "username", "reason"),
    [
        ("a@example.org", "ben", "user new 7, who is id 7 already"),
        ("b@example.org", "ann", "its username belongs to user new 7"),
    ],
)
def test_a_row_is_in_conflict_with_a_row_before_it(email: str, username: str, reason: str) -> None:
    matcher = UserMatcher([])
    matcher.match(user(7, "a@example.org", "ann"))

    with pytest.raises(errors.RowRefused, match=reason):
        matcher.match(user(8, email, username))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader:hidden@127.0.0.1/couple",
        "postgresql://reader@127.0.0.1/couple?password=hidden",
        "postgresql://127.0.0.1/couple?sslpassword=hidden",
        "host=127.0.0.1 password=hidden",
    ],
)
def test_an_address_with_a_password_is_refused_as_a_parameter(address: str) -> None:
    with pytest.raises(errors.PasswordInAddress, match="change the password") as caught:
        choose_source("both", address, Environment())

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("address", ["hidden", "host=127.0.0.1 hidden", "postgresql://[hidden"])
def test_a_broken_address_is_not_repeated(address: str) -> None:
    with pytest.raises(
        errors.AddressUnreadable, match="not a PostgreSQL connection string"
    ) as caught:
        refuse_password(address)

    assert "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_parameter_without_a_password_is_stronger_than_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUPLE_SWAP_POSTGRES_URL", ADDRESS.replace("reader", "reader:hidden"))

    for address in (None, ADDRESS, "host=127.0.0.1 passfile=secrets"):
        assert isinstance(choose_source(None, address, Environment()), PostgresSource)
    chosen = choose_source("export", None, Environment())
    assert isinstance(chosen, CsvSource)
    assert chosen.folder == Path("export")


@pytest.mark.parametrize(
    ("folder", "address", "reason"),
    [
        (None, None, "No source to import is named"),
        ("", "", "No source to import is named"),
        ("export", ADDRESS, "both given"),
    ],
)
def test_a_single_source_has_to_be_named(
    monkeypatch: pytest.MonkeyPatch, folder: str | None, address: str | None, reason: str
) -> None:
    monkeypatch.delenv("COUPLE_SWAP_POSTGRES_URL", raising=False)

    with pytest.raises(errors.SourceNotNamed, match=reason):
        choose_source(folder, address, Environment())


@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        ("fe_sendauth: no password supplied", errors.SourceRefused, "wants a password"),
        *(
            (f'FATAL:  {words} "x"{end}', errors.SourceRefused, sentence)
            for words, end, sentence in (
                ("password authentication failed for user", "", "refuses this user"),
                ("role", " does not exist", "refuses this user"),
                ("database", " does not exist", "no database of this name"),
                ("permission denied for database", "", "GRANT CONNECT"),
                ("no pg_hba.conf entry for host", "", "pg_hba.conf"),
            )
        ),
        ("Connection refused", errors.SourceUnreachable, "does not answer"),
        ("failed to resolve host 'x'", errors.SourceUnreachable, "does not answer"),
    ],
)
def test_a_failed_connection_is_explained(
    words: str, kind: type[errors.ImportFailed], sentence: str
) -> None:
    failure = explain(words)

    assert type(failure) is kind
    assert sentence in str(failure)

"""A couple face-swap database becomes documents: each row is stored once, or listed."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from db.couple_import import errors
from db.couple_import.csv_source import CsvSource
from db.couple_import.postgres_source import PostgresSource
from db.couple_import.report import MAX_EXAMPLES, ImportReport
from db.couple_import.rows import Source, new_id
from db.couple_import.run import BATCH, import_tables
from db.couple_import.tables import IMAGES, TABLES
from db.setup.apply import initialise
from storycanvas.services.errors import PostgresUnusable
from storycanvas.services.ports import choose_port
from tests.support.db.database_state import Data, run_at_once
from tests.support.db.killed import import_folder, killed
from tests.support.paths import COUPLE_SAMPLES
from tests.support.postgres import running_postgres

PASSWORD = uuid4().hex
EARLY, LATE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
MIRAS_TIME = datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
USERS_HEADER = "id,email,username,password_hash\n"
IMAGES_HEADER = "id,user_id,filename,storage_path\n"
TASKS_HEADER = "id,user_id,template_id,husband_image_id,wife_image_id,result_image_id"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a real PostgreSQL, with its password."""
    try:
        with running_postgres(PASSWORD) as address:
            yield address.replace("@", f":{PASSWORD}@")
    except PostgresUnusable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgres(server: str) -> str:
    """Address of a couple face-swap database that holds the samples."""
    name = f"couple_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as opened:
        opened.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address = f"{server.removesuffix('/postgres')}/{name}"
    with psycopg.connect(address) as opened:
        opened.execute((COUPLE_SAMPLES / "schema.sql").read_bytes())
        for table in (table for table in TABLES if not table.later):
            command = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER)")
            with (
                opened.cursor() as cursor,
                cursor.copy(command.format(sql.Identifier(table.name))) as copy,
            ):
                copy.write((COUPLE_SAMPLES / f"{table.name}.csv").read_bytes())
    return address


@pytest.fixture(params=[True, False], ids=["with indexes", "without indexes"])
def with_and_without_indexes(request: pytest.FixtureRequest, database: Data) -> None:
    if request.param:
        initialise(database, "warn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the samples that a test may change."""
    return Path(shutil.copytree(COUPLE_SAMPLES, tmp_path / "export"))


def stored(database: Data) -> dict[str, list[dict[str, Any]]]:
    return {table.name: [*database[table.name].find(sort=[("_id", 1)])] for table in TABLES}


def without_now(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Leave out when users were created: of those without a time it is the time of the import."""
    users = [user | {"created_at": None} for user in found["users"]]
    return {**found, "users": users}


def imported(database: Data, collection: str, legacy_id: int) -> dict[str, Any]:
    [found] = database[collection].find({"legacy_id": legacy_id})
    return found


def counts(report: ImportReport) -> dict[str, tuple[int, int, int, int]]:
    return {
        table.table: (table.created, table.merged, table.existing, table.not_placed)
        for table in report.tables
        if table.read
    }


def listed(report: ImportReport) -> list[str]:
    return [str(problem) for problem in report.problems]


def write(folder: Path, **tables: str) -> Source:
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return CsvSource(folder)


def difficult(folder: Path, database: Data) -> Source:
    """Rows of every outcome, and the StoryCanvas users in their way."""
    database["users"].insert_many(
        [
            {"id": "ann", "email": "ann@example.org", "username": "ann", "created_at": LATE},
            {"id": "ben", "email": "ben@example.org", "username": "ben"},
            {"id": "cat", "email": "cat@example.org", "username": "cat", "legacy_id": 90},
            {"id": "dan", "email": "dan@example.org", "username": "dan", "deleted_at": LATE},
        ]
    )
    return write(
        folder,
        users=(
            f"{USERS_HEADER}1,ann@example.org,Anna,x\n2,other@example.org,BEN,x\n"
            "3,cat@example.org,tom,x\n4,dan@example.org,dan,x\n5,eve@example.org,Eve,x\n"
            "6,EVE@example.org,adam,x\n7,fay@example.org,eve,x\n8,short\n"
        ),
        images=(
            f"{IMAGES_HEADER}1,1,a,a\n2,2,b,b\n3,4,c,c\n4,99,d,d\n5,5,e,e\nx,5,f,f\n5,5,g,g\n"
            "6,7,h,h\n"
        ),
        templates="id,image_id,title\n1,1,One\n2,1,Two\n3,2,Three\n4,,Four\n",
        faceswap_tasks=(f"{TASKS_HEADER},status\n1,1,1,,,,odd\n2,1,3,,,,\n3,4,4,,,,\n"),
    )


RENAME = "who has another e-mail address; rename one of them"
PROBLEMS = [
    "users row 8: it has 2 cells, but there are 4 columns",
    f"users id 2: its username belongs to user ben, {RENAME}",
    "users id 3: its e-mail address is that of user cat, who is id 90 already",
    f"users id 6: its e-mail address is that of user {new_id('users', 5)}, who is id 5 already",
    f"users id 7: its username belongs to user {new_id('users', 5)}, {RENAME}",
    "images row 6: its id should be a whole number of at most 8 bytes",
    "images row 7: row 5 has the same id 5",
    "images id 2: user_id 2 has no place in users",
    "images id 4: user_id 99 has no place in users",
    "images id 6: user_id 7 has no place in users",
    "templates id 2: its image is that of template 1 already; an image has one template",
    "templates id 3: image_id 2 has no place in images",
    "faceswap_tasks id 2: template_id 3 has no place in templates",
    "faceswap_tasks id 1: status: Input should be 'pending', 'processing', 'completed' or 'failed'",
]


def test_postgres_and_its_csv_files_become_the_same_documents(
    postgres: str, database: Data
) -> None:
    from_postgres = import_tables(database, PostgresSource(postgres))
    documents = stored(database)
    for table in TABLES:
        database[table.name].drop()

    from_csv = import_tables(database, CsvSource(COUPLE_SAMPLES))

    assert without_now(stored(database)) == without_now(documents)
    assert from_postgres == from_csv
    assert from_csv.created == sum(map(len, documents.values())) == 12
    assert (from_csv.problem_count, from_csv.notes) == (0, ())


def test_values_and_relations_are_kept(database: Data) -> None:
    import_tables(database, CsvSource(COUPLE_SAMPLES))

    mira, image = imported(database, "users", 1), imported(database, "images", 1)
    template, task = imported(database, "templates", 1), imported(database, "faceswap_tasks", 1)
    assert (mira["email"], mira["created_at"]) == ("mira@example.org", MIRAS_TIME)
    assert (image["user_id"], image["tags"]) == (mira["id"], ["sea", "red, white", "NULL"])
    assert image["metadata"] == {"camera": {"iso": 200}, "b.c": 1}
    assert template["image_id"] == imported(database, "images", 3)["id"]
    assert template["category"] == "movie"
    assert template["face_positions"][1] == [50, 60, 70, 80.5]
    assert (template["description"], template["is_active"]) == ('He said "yes",\nshe too', False)
    assert [task[name] for name in ("user_id", "template_id", "wife_image_id")] == [
        *(mira["id"], template["id"], image["id"])
    ]
    assert task["result_image_id"] == imported(database, "images", 4)["id"]
    assert imported(database, "faceswap_tasks", 2)["status"] == "pending"


def test_validators_accept_the_documents_and_a_second_run_changes_nothing(data: Data) -> None:
    first = import_tables(data, CsvSource(COUPLE_SAMPLES))
    before = stored(data)

    second = import_tables(data, CsvSource(COUPLE_SAMPLES))

    assert stored(data) == before
    assert (first.created, first.existing, first.problem_count) == (12, 0, 0)
    assert (second.created, second.merged, second.existing) == (0, 0, 12)


def test_a_document_that_storycanvas_has_changed_stays_as_it_is(database: Data) -> None:
    own = {"_id": "own", "id": "own", "legacy_id": 3, "category": "tv", "filename": "renamed.png"}
    database["images"].insert_one(own)

    report = import_tables(database, CsvSource(COUPLE_SAMPLES))

    assert database["images"].find_one({"legacy_id": 3}) == own
    assert counts(report)["images"] == (3, 0, 1, 0)
    template = imported(database, "templates", 1)
    assert (template["image_id"], template["category"]) == ("own", "tv")


@pytest.mark.parametrize(
    ("created_at", "earliest"),
    [({"created_at": LATE}, MIRAS_TIME), ({"created_at": EARLY}, EARLY), ({}, MIRAS_TIME)],
)
def test_the_same_email_is_the_same_user_who_keeps_all_but_a_later_time(
    database: Data, created_at: dict[str, datetime], earliest: datetime
) -> None:
    own = {"_id": "m", "id": "m", "email": "Mira@Example.org", "username": "sea"}
    database["users"].insert_one({**own, "updated_at": LATE, **created_at})

    report = import_tables(database, CsvSource(COUPLE_SAMPLES))

    assert counts(report)["users"] == (1, 1, 0, 0)
    assert imported(database, "users", 1) == own | {
        "updated_at": LATE,
        "created_at": earliest,
        "legacy_id": 1,
    }
    assert imported(database, "images", 1)["user_id"] == "m"


@pytest.mark.parametrize(
    ("of_story", "of_row"),
    [("MIRA@example.org", "mira@example.org"), ("mira@example.org", "Mira@example.org")],
)
def test_an_address_that_differs_in_case_only_is_listed_and_changes_nothing(
    any_database: Data, tmp_path: Path, of_story: str, of_row: str
) -> None:
    own = {"_id": "m", "id": "m", "email": of_story, "username": "sea", "hashed_password": "own"}
    any_database["users"].insert_one(own)
    source = write(tmp_path, users=f"{USERS_HEADER}1,{of_row},mira,x\n")

    problem = (
        "users id 1: its e-mail address differs from that of user m in case only; write both alike "
        "if they are one person"
    )

    for dry_run in (True, False):
        assert listed(import_tables(any_database, source, dry_run=dry_run)) == [problem]
    assert [*any_database["users"].find()] == [own]


def test_an_imported_user_is_one_that_the_app_can_read_and_find(
    any_database: Data, tmp_path: Path
) -> None:
    any_database["users"].insert_one({"id": "sc", "email": "b@x.org", "username": "user2x"})
    source = write(tmp_path, users=f"{USERS_HEADER}1,A@x.org,USER\u00b2X,x\n")
    began = datetime.now(UTC) - timedelta(seconds=1)

    report = import_tables(any_database, source)

    assert listed(report) == []
    user = imported(any_database, "users", 1)
    assert began <= user["created_at"] <= datetime.now(UTC)
    assert (user["email"], user["username"]) == ("a@x.org", "user\u00b2x")
    assert user["api_keys"] == {"runpod": None, "openai": None, "civitai": None}
    assert user["is_active"] is True


@pytest.mark.usefixtures("with_and_without_indexes")
def test_rows_without_a_place_are_listed_by_each_run_and_the_rest_is_stored_once(
    database: Data, tmp_path: Path
) -> None:
    source = difficult(tmp_path, database)

    report = import_tables(database, source)

    assert listed(report) == PROBLEMS
    assert counts(report) == {
        "users": (2, 1, 0, 5),
        "images": (3, 0, 0, 5),
        "templates": (2, 0, 0, 2),
        "faceswap_tasks": (1, 0, 0, 2),
    }
    assert all(table.read == sum(counts(report).get(table.table, ())) for table in report.tables)
    assert imported(database, "users", 4)["id"] != "dan"
    ben = {"id": "ben", "email": "ben@example.org", "username": "ben"}
    assert database["users"].find_one({"id": "ben"}, {"_id": False}) == ben
    before = stored(database)
    second = import_tables(database, source)
    assert stored(database) == before
    assert [(table.created, table.merged) for table in second.tables] == [(0, 0)] * 7
    assert second.existing == 9
    assert {*listed(second)} == {*PROBLEMS}


def test_a_dry_run_foresees_a_run_and_writes_nothing(database: Data, tmp_path: Path) -> None:
    source = difficult(tmp_path, database)
    before = stored(database)

    foreseen = import_tables(database, source, dry_run=True)

    assert stored(database) == before
    assert database.list_collection_names() == ["users"]
    report = import_tables(database, source)
    assert (foreseen.tables, foreseen.problems) == (report.tables, report.problems)
    assert foreseen.summary() == (
        f"Database {database.name}: 8 would be created, 1 would be merged, 0 would be updated, "
        "0 existing, 14 row(s) not placed."
    )


@pytest.mark.parametrize("fatal", [2, 3, 5])
def test_the_next_run_adds_what_a_killed_run_left_out(
    mongo_url: str, database: Data, tmp_path: Path, fatal: int
) -> None:
    source = difficult(tmp_path / "export", database)
    users = [*database["users"].find()]
    import_tables(database, source)
    whole = stored(database)
    for name in whole:
        database[name].drop()
    database["users"].insert_many(users)

    work = partial(import_folder, tmp_path / "export")

    assert killed(work, mongo_url, database.name, fatal)
    assert without_now(stored(database)) != without_now(whole)
    import_tables(database, source)
    assert without_now(stored(database)) == without_now(whole)


@pytest.mark.usefixtures("with_and_without_indexes")
def test_runs_at_once_place_each_row_once(database: Data, mongo_url: str, tmp_path: Path) -> None:
    database["users"].insert_one({"id": "sc", "email": "u5@example.org", "username": "five"})
    many = range(BATCH + 1)
    source = write(
        tmp_path,
        users=USERS_HEADER + "".join(f"{n},u{n}@example.org,user{n},x\n" for n in many),
        images=IMAGES_HEADER + "".join(f"{n},{n},{n}.png,{n}\n" for n in many),
        templates="id,image_id,title\n" + "".join(f"{n},{n},T\n" for n in many),
    )

    reports = run_at_once(partial(import_tables, source=source), mongo_url, database.name, 2)

    assert {name: len(found) for name, found in stored(database).items() if found} == (
        dict.fromkeys(("users", "images", "templates"), len(many))
    )
    assert [listed(report) for report in reports] == [[], []]
    assert sum(report.created for report in reports) == 3 * len(many) - 1
    assert sum(report.merged for report in reports) == 1
    assert imported(database, "images", 5)["user_id"] == "sc"


def test_rows_that_the_server_refuses_are_listed_and_the_rest_is_stored(
    database: Data, tmp_path: Path
) -> None:
    database["images"].create_index("filename", unique=True)
    database.create_collection("crawl_tasks", validator={"source_type": "pixiv"})
    source = write(
        tmp_path,
        images=f"{IMAGES_HEADER}1,,same,a\n2,,same,b\n3,,other,c\n",
        crawl_tasks='id,source_type,filters\n1,custom,\n2,pixiv,"{""$where"": 1}"\n',
    )

    report = import_tables(database, source)

    assert listed(report) == [
        "images id 2: a document of images has the same filename already, which must be unique",
        "crawl_tasks id 1: the validator of crawl_tasks refuses it",
    ]
    assert report.created == 3
    assert imported(database, "crawl_tasks", 2)["filters"] == {"$where": 1}


def test_the_list_is_bounded_and_counted(database: Data, tmp_path: Path) -> None:
    source = write(tmp_path, crawl_tasks="id\n" + "x\n" * (MAX_EXAMPLES + 1))

    report = import_tables(database, source)

    assert (len(report.problems), report.problem_count) == (MAX_EXAMPLES, MAX_EXAMPLES + 1)


def test_a_missing_file_and_what_is_ignored_are_noted_once(database: Data, folder: Path) -> None:
    (folder / "users.csv").unlink()
    (folder / "crawl_tasks.csv").write_bytes("\ufeffzeal,id\n1,1\n\n2,2\n".encode())

    report = import_tables(database, CsvSource(folder))

    assert report.notes == (
        "There is no file users.csv; what points into it has no place.",
        "Ignored in file crawl_tasks.csv: zeal.",
    )
    assert counts(report) == {
        "images": (1, 0, 0, 3),
        "templates": (2, 0, 0, 0),
        "faceswap_tasks": (0, 0, 0, 2),
        "crawl_tasks": (2, 0, 0, 0),
    }


def test_names_in_capitals_and_padded_addresses_are_read(database: Data, folder: Path) -> None:
    database["users"].insert_one({"id": "mira", "email": "mira@example.org", "username": "mira"})
    (folder / "users.csv").write_text(
        "ID, Email ,USERNAME,Password_Hash\n"
        "1, mira@example.org ,Mira,a\n"
        "2,leo@example.org  ,Leo,b\n"
    )

    report = import_tables(database, CsvSource(folder))

    assert counts(report)["users"] == (1, 1, 0, 0)
    assert {user["email"] for user in database["users"].find()} == {
        *("mira@example.org", "leo@example.org")
    }


@pytest.mark.parametrize(
    ("content", "failure", "sentence"),
    [
        (b"id,email\n", errors.ColumnsMissing, "The file users.csv lacks username, password_hash"),
        (b"", errors.FileUnreadable, "users.csv is empty"),
        (
            b"id;email;username;password_hash\n1;a;b;c\n",
            *(errors.FileUnreadable, "users.csv separates its columns by a semicolon; a comma"),
        ),
        (b"id\temail\n", errors.FileUnreadable, "by a tab; a comma is needed: export it again"),
        (b"id,ID \n", errors.FileUnreadable, "names a column twice"),
        (b"id,id\n", errors.FileUnreadable, "names a column twice"),
        (b"id,email,username,password_hash\n1,\xff,a,b\n", errors.FileUnreadable, "not in UTF-8"),
        (
            b'id,email,username,password_hash\n1,"a',
            errors.FileUnreadable,
            "not valid CSV",
        ),
    ],
)
def test_a_file_without_a_table_is_refused_in_a_sentence(
    database: Data, folder: Path, content: bytes, failure: type[errors.ImportFailed], sentence: str
) -> None:
    (folder / "users.csv").write_bytes(content)

    with pytest.raises(failure, match=sentence):
        import_tables(database, CsvSource(folder))

    assert database.list_collection_names() == []


def test_a_folder_that_is_not_there_or_empty_is_refused(database: Data, tmp_path: Path) -> None:
    with pytest.raises(errors.FolderMissing, match=r"There is no folder .*nowhere"):
        import_tables(database, CsvSource(tmp_path / "nowhere"))
    with pytest.raises(errors.TablesMissing, match=r"nothing to import: no file users.csv, "):
        import_tables(database, CsvSource(tmp_path))


def test_postgres_is_read_in_a_single_snapshot(postgres: str) -> None:
    with PostgresSource(postgres) as source, psycopg.connect(postgres) as other:
        assert source.columns(IMAGES)
        other.execute("INSERT INTO images (id, filename, storage_path) VALUES (9, 'late', 'x')")
        other.commit()

        assert len([*source.rows(IMAGES, ["id", "filename"])]) == 4


def test_a_value_without_python_type_concerns_its_row_alone(postgres: str, database: Data) -> None:
    with psycopg.connect(postgres) as opened:
        opened.execute("UPDATE images SET uploaded_at = 'infinity' WHERE id = 2")
        opened.execute("DROP TABLE crawl_tasks")

    report = import_tables(database, PostgresSource(postgres))

    assert listed(report)[0].startswith("images id 2: uploaded_at 'infinity' should be a time")
    assert counts(report)["images"] == (3, 0, 0, 1)
    assert report.notes == ("There is no table crawl_tasks; what points into it has no place.",)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (PASSWORD, "hidden", "refuses this user and password"),
        (f":{PASSWORD}", "", "wants a password"),
        ("couple:", "stranger:", "refuses this user and password"),
        ("/couple_", "/no_", "has no database of this name"),
    ],
    ids=["wrong password", "no password", "unknown user", "unknown database"],
)
def test_postgres_that_refuses_the_user_is_explained_without_the_address(
    postgres: str, old: str, new: str, sentence: str
) -> None:
    address = postgres.replace(old, new)
    with pytest.raises(errors.SourceRefused, match=sentence) as caught, PostgresSource(address):
        pass

    assert caught.value.__suppress_context__
    assert not any(word in str(caught.value) for word in (PASSWORD, "hidden", "couple_"))


def test_postgres_that_does_not_answer_may_be_tried_again(database: Data) -> None:
    address = f"postgresql://127.0.0.1:{choose_port(())}/couple"

    with pytest.raises(errors.SourceUnreachable, match="does not answer; start it") as caught:
        import_tables(database, PostgresSource(address))

    assert caught.value.retryable


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("REVOKE SELECT ON images FROM {}", "not let this user read the table images"),
        ("ALTER TABLE users DROP COLUMN username", "The table users lacks username"),
        ("DROP TABLE users, images, templates, faceswap_tasks, crawl_tasks", "nothing to import"),
    ],
)
def test_a_database_that_cannot_be_read_is_refused_in_a_sentence(
    postgres: str, database: Data, change: LiteralString, sentence: str
) -> None:
    name = f"reader_{uuid4().hex}"
    reader = sql.Identifier(name)
    with psycopg.connect(postgres) as opened:
        opened.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(reader, sql.Literal(PASSWORD))
        )
        opened.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(reader))
        opened.execute(sql.SQL(change).format(reader))

    with pytest.raises(errors.ImportFailed, match=sentence):
        import_tables(database, PostgresSource(postgres.replace("couple:", f"{name}:")))

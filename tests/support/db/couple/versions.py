"""One couple face-swap database in the four shapes that its app has had, as CSV files and as SQL.

The rows are written in the shape of version 1.5; the earlier shapes are made of them by taking away
what each did not have.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql

Version = Literal["first", "json tags", "migrated", "made"]
VERSIONS: tuple[Version, ...] = ("first", "json tags", "migrated", "made")
Row = dict[str, Any]

_OLD_NAMES = {
    "templates": {"name": "title", "original_image_id": "image_id"},
    "faceswap_tasks": {"husband_photo_id": "husband_image_id", "wife_photo_id": "wife_image_id"},
}
_NEW_TABLES = {"template_preprocessing", "batch_tasks"}
_NEW_COLUMNS = {
    "images": {"storage_type", "expires_at", "session_id"},
    "templates": {"is_preprocessed", "male_face_count", "female_face_count", "updated_at"},
    "faceswap_tasks": {"task_id", "batch_id", "face_mappings", "use_preprocessed"},
}
_SERIAL, _KEY = "SERIAL PRIMARY KEY", "VARCHAR(100)"
_TYPES = {
    "id": _SERIAL,
    **dict.fromkeys(("task_id", "batch_id", "session_id"), _KEY),
    **dict.fromkeys(("tags", "image_metadata", "template_ids", "face_data"), "JSON"),
    "face_mappings": "JSON",
    **dict.fromkeys(("is_preprocessed", "use_preprocessed", "is_active"), "BOOLEAN"),
    "processing_time": "FLOAT",
}

FACES = [
    {"index": 0, "bbox": [10, 12, 60, 70], "gender": "female", "landmarks": None},
    {"index": 1, "bbox": [90, 12, 140, 70], "gender": "male", "landmarks": None},
]
MAPPINGS = [{"source_photo": "wife", "source_face_index": 0, "target_face_index": 1}]
THEN = "2026-01-02 03:04:05"


def _image(number: int, image_type: str, **more: Any) -> Row:
    return {
        "id": number,
        "user_id": None,
        "filename": f"{number}.png",
        "storage_path": f"{image_type}/{number}.png",
        "file_size": 10,
        "image_type": image_type,
        "storage_type": "permanent",
        "category": None,
        "tags": ["a", "b, c"],
        "uploaded_at": THEN,
        "expires_at": None,
        "session_id": None,
        "image_metadata": {"n": number},
    } | more


def _task(number: int, status: str, **more: Any) -> Row:
    return {
        "id": number,
        "task_id": f"task_{number}",
        "batch_id": None,
        "user_id": 1,
        "template_id": 1,
        "husband_photo_id": 1,
        "wife_photo_id": 2,
        "result_image_id": None,
        "face_mappings": None,
        "use_preprocessed": True,
        "status": status,
        "progress": 0,
        "error_message": None,
        "processing_time": None,
        "started_at": None,
        "completed_at": None,
        "created_at": THEN,
    } | more


_PHOTO = {"storage_type": "temporary", "expires_at": "2026-01-03 03:04:05", "session_id": "s-1"}
ROWS: dict[str, list[Row]] = {
    "users": [
        {"id": 1, "email": "mira@example.org", "username": "mira", "password_hash": "x"},
        {"id": 2, "email": "leo@example.org", "username": "leo", "password_hash": "y"},
    ],
    "images": [
        _image(1, "photo", user_id=1, **_PHOTO),
        _image(2, "photo", user_id=1, **_PHOTO),
        _image(3, "template", category="of 1900"),
        _image(4, "preprocessed", category="preprocessed", tags=None),
        _image(5, "result", tags=[], image_metadata=None),
        _image(6, "template"),
    ],
    "templates": [
        {
            "id": 1,
            "name": "Two at sea",
            "description": 'He said "yes"',
            "category": "of 1900",
            "original_image_id": 3,
            "is_preprocessed": True,
            "face_count": 2,
            "male_face_count": 1,
            "female_face_count": 1,
            "popularity_score": 3,
            "is_active": True,
            "created_at": THEN,
            "updated_at": THEN,
        },
        {"id": 2, "name": "Two at home", "original_image_id": 6, "is_preprocessed": False},
    ],
    "template_preprocessing": [
        {
            "id": 1,
            "template_id": 1,
            "original_image_id": 3,
            "faces_detected": 2,
            "face_data": FACES,
            "masked_image_id": 4,
            "preprocessing_status": "completed",
            "error_message": None,
            "processed_at": THEN,
            "created_at": THEN,
        },
        {"id": 2, "template_id": 2, "original_image_id": 6, "preprocessing_status": "pending"},
    ],
    "batch_tasks": [
        {
            "id": 1,
            "batch_id": "batch_1",
            "user_id": 1,
            "husband_photo_id": 1,
            "wife_photo_id": 2,
            "template_ids": [1, 2, 99],
            "status": "pending",
            "total_tasks": 2,
            "completed_tasks": 0,
            "failed_tasks": 0,
            "created_at": THEN,
            "completed_at": None,
        }
    ],
    "faceswap_tasks": [
        _task(1, "completed", progress=100, result_image_id=5, processing_time=1.5),
        _task(2, "pending", batch_id="batch_1", face_mappings=MAPPINGS, use_preprocessed=False),
        _task(3, "processing", batch_id="batch_1", template_id=2, progress=40, started_at=THEN),
        _task(4, "failed", error_message="Canceled by user", completed_at=THEN, face_mappings=[]),
    ],
    "crawl_tasks": [{"id": 1, "source_type": "pixiv", "status": "pending"}],
}


def rows_of(version: Version) -> dict[str, list[Row]]:
    """Write the database in one of its shapes, every row with all columns of its table."""
    return {
        name: [dict(_shaped(version, name, row)) for row in _whole(rows)]
        for name, rows in ROWS.items()
        if name not in _NEW_TABLES or version in {"migrated", "made"}
    }


def _whole(rows: list[Row]) -> Iterator[Row]:
    columns = dict.fromkeys(name for row in rows for name in row)
    for row in rows:
        yield {name: row.get(name) for name in columns}


def _shaped(version: Version, table: str, row: Row) -> Iterator[tuple[str, Any]]:
    is_new = version in {"migrated", "made"}
    for name, value in row.items():
        if table == "templates" and name == "category" and version != "made":
            continue
        if not is_new and name in _NEW_COLUMNS.get(table, ()):
            continue
        if name == "image_metadata" and version == "first":
            yield "metadata", value
        elif name == "image_type" and value == "photo" and not is_new:
            yield name, "source"
        elif name == "image_type" and value == "preprocessed" and not is_new:
            yield name, "template"
        else:
            yield name if is_new else _OLD_NAMES.get(table, {}).get(name, name), value


def write_csv(folder: Path, version: Version, tables: dict[str, list[Row]] | None = None) -> Path:
    """Write the database as PostgreSQL's COPY does, each table a file."""
    folder.mkdir(exist_ok=True)
    for name, rows in (tables or rows_of(version)).items():
        with (folder / f"{name}.csv").open("w", newline="") as opened:
            writer = csv.DictWriter(opened, [*rows[0]])
            writer.writeheader()
            writer.writerows({key: _cell(version, key, row[key]) for key in row} for row in rows)
    return folder


def _cell(version: Version, column: str, value: object) -> object:
    if column == "tags" and version == "first" and isinstance(value, list):
        return "{" + ",".join(f'"{tag}"' for tag in value) + "}"
    if column == "image_metadata" and value is None:
        return "null"
    if isinstance(value, list | dict):
        return json.dumps(value)
    return {True: "t", False: "f"}.get(value, value) if isinstance(value, bool) else value


def fill_postgres(address: str, folder: Path, version: Version) -> None:
    """Create the tables of a version in an empty database, and copy a folder's files into them."""
    with psycopg.connect(address) as opened:
        for name, rows in rows_of(version).items():
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_type(version, column)))
                for column in rows[0]
            )
            opened.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), columns))
            command = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER)")
            with (
                opened.cursor() as cursor,
                cursor.copy(command.format(sql.Identifier(name))) as copy,
            ):
                copy.write((folder / f"{name}.csv").read_bytes())


def _type(version: Version, column: str) -> Any:  # noqa: ANN401 - psycopg wants literals only
    if column == "tags" and version == "first":
        return "TEXT[]"
    if column == "metadata":
        return "JSONB"
    if column in _TYPES:
        return _TYPES[column]
    if column.endswith("_at"):
        return "TIMESTAMP"
    numbers = ("_id", "_size", "_count", "_score", "_tasks", "progress", "faces_detected")
    return "INTEGER" if column.endswith(numbers) else "VARCHAR(500)"

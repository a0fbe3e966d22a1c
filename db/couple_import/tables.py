"""The tables of a couple face-swap database, in any of its versions."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from db.couple_import.cells import Kind
from db.schema.documents.couple_swap import (
    BatchTask,
    CoupleImage,
    CoupleTemplate,
    CrawlTask,
    FaceswapTask,
    TemplatePreprocessing,
    User,
)
from db.schema.later_names import LATER_NAMES
from db.schema.relations import RELATIONS

ID = "id"
"""The SERIAL column that every table has; it becomes `legacy_id`."""


@dataclass(frozen=True)
class Column:
    """A column of a table, by its name in the app's first version.

    Attributes:
        needed: Whether it is NOT NULL and has no default.
        null_is_default: Whether NULL becomes the default of the document, which takes no null.
        renamed: What the document calls it, where that differs.
        later: Whether the app's later version brought it.
    """

    name: str
    kind: Kind = "text"
    needed: bool = False
    null_is_default: bool = False
    renamed: str = ""
    later: bool = False

    @property
    def field(self) -> str:
        """What the document calls it."""
        return self.renamed or self.name


@dataclass(frozen=True)
class Table:
    """A table, and the collection of the same name.

    Attributes:
        single: The relation that only one row may have to the same parent.
        listed: The field that is a list of foreign keys, with the table that they point into.
        personal: Whether its values are kept out of every message.
        later: Whether the app's later version brought it.
    """

    name: str
    document: type[BaseModel]
    columns: tuple[Column, ...]
    single: str = ""
    listed: tuple[str, str] | None = None
    personal: bool = False
    later: bool = False

    @property
    def relations(self) -> dict[str, str]:
        """Its foreign keys that are serial ids, each with the table that it points into."""
        return {field: parent for field, parent, key in self._pointing() if key == "id"}

    @property
    def keyed(self) -> dict[str, tuple[str, str]]:
        """Its foreign keys that are texts, each with a table and its column."""
        return {field: (parent, key) for field, parent, key in self._pointing() if key != "id"}

    @property
    def column_names(self) -> tuple[str, ...]:
        """What its columns may be called, the id first."""
        return (ID, *(name for column in self.columns for name in self.names(column)))

    def names(self, column: Column) -> tuple[str, ...]:
        """List the names of a column in the app's versions, the first one first."""
        return (column.name, *(name for name, first in self.later_names if first == column.name))

    @property
    def later_names(self) -> tuple[tuple[str, str], ...]:
        """Later names of columns, each with the first one."""
        return (*LATER_NAMES.get(self.name, {}).items(),)

    def missing(self, columns: Collection[str]) -> Iterator[str]:
        """List the columns without which its rows would lose what they are or point to."""
        if ID not in columns:
            yield ID
        is_later = any(name in columns for name, _ in self.later_names)
        for column in self.columns:
            expected = column.needed or self._points(column)
            if expected and (is_later or not column.later) and not self._has(column, columns):
                yield " or ".join(self.names(column))

    def _has(self, column: Column, columns: Collection[str]) -> bool:
        return any(name in columns for name in self.names(column))

    def _points(self, column: Column) -> bool:
        return column.field in self.relations or column.field in self.keyed

    def _pointing(self) -> Iterator[tuple[str, str, str]]:
        fields = {column.field for column in self.columns}
        for relation in RELATIONS:
            if relation.collection == self.name and relation.field in fields:
                yield relation.field, relation.parent, relation.key


USERS = Table(
    "users",
    User,
    (
        Column("email", "email", needed=True),
        Column("username", "lowered", needed=True),
        Column("password_hash", needed=True, renamed="hashed_password"),
        Column("created_at", "timestamp"),
    ),
    personal=True,
)
IMAGES = Table(
    "images",
    CoupleImage,
    (
        Column("user_id", "integer"),
        Column("filename", needed=True),
        Column("storage_path", needed=True),
        Column("file_size", "integer"),
        Column("width", "integer"),
        Column("height", "integer"),
        Column("image_type"),
        Column("storage_type", later=True),
        Column("expires_at", "timestamp", later=True),
        Column("session_id", later=True),
        Column("category"),
        Column("tags", "texts", null_is_default=True),
        Column("uploaded_at", "timestamp"),
        Column("metadata", "json", null_is_default=True),
    ),
)
TEMPLATES = Table(
    "templates",
    CoupleTemplate,
    (
        Column("image_id", "integer"),
        Column("title", needed=True),
        Column("description"),
        Column("artist"),
        Column("source_url"),
        Column("category", later=True),
        Column("face_count", "integer"),
        Column("face_positions", "json"),
        Column("is_preprocessed", "boolean", later=True),
        Column("male_face_count", "integer", later=True),
        Column("female_face_count", "integer", later=True),
        Column("popularity_score", "integer"),
        Column("is_active", "boolean"),
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp", later=True),
    ),
    single="image_id",
)
TEMPLATE_PREPROCESSING = Table(
    "template_preprocessing",
    TemplatePreprocessing,
    (
        Column("template_id", "integer"),
        Column("original_image_id", "integer"),
        Column("faces_detected", "integer"),
        Column("face_data", "json"),
        Column("masked_image_id", "integer"),
        Column("preprocessing_status", null_is_default=True),
        Column("error_message"),
        Column("processed_at", "timestamp"),
        Column("created_at", "timestamp"),
    ),
    single="template_id",
    later=True,
)
BATCH_TASKS = Table(
    "batch_tasks",
    BatchTask,
    (
        Column("batch_id", needed=True),
        Column("user_id", "integer"),
        Column("husband_photo_id", "integer"),
        Column("wife_photo_id", "integer"),
        Column("template_ids", "json"),
        Column("status", null_is_default=True),
        Column("total_tasks", "integer", null_is_default=True),
        Column("completed_tasks", "integer", null_is_default=True),
        Column("failed_tasks", "integer", null_is_default=True),
        Column("created_at", "timestamp"),
        Column("completed_at", "timestamp"),
    ),
    listed=("template_ids", "templates"),
    later=True,
)
FACESWAP_TASKS = Table(
    "faceswap_tasks",
    FaceswapTask,
    (
        Column("task_id", later=True),
        Column("batch_id", later=True),
        Column("user_id", "integer"),
        Column("template_id", "integer"),
        Column("husband_image_id", "integer"),
        Column("wife_image_id", "integer"),
        Column("result_image_id", "integer"),
        Column("face_mappings", "json", later=True),
        Column("use_preprocessed", "boolean", later=True),
        Column("status", null_is_default=True),
        Column("progress", "integer", null_is_default=True),
        Column("error_message"),
        Column("processing_time", "float"),
        Column("started_at", "timestamp"),
        Column("completed_at", "timestamp"),
        Column("created_at", "timestamp"),
    ),
)
CRAWL_TASKS = Table(
    "crawl_tasks",
    CrawlTask,
    (
        Column("source_type"),
        Column("search_query"),
        Column("filters", "json", null_is_default=True),
        Column("status", null_is_default=True),
        Column("images_collected", "integer", null_is_default=True),
        Column("created_at", "timestamp"),
    ),
)

TABLES = (
    *(USERS, IMAGES, TEMPLATES, TEMPLATE_PREPROCESSING, BATCH_TASKS, FACESWAP_TASKS),
    CRAWL_TASKS,
)
"""All tables, each after those that its rows point into."""

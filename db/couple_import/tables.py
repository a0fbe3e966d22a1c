"""The tables of seed 003, and what becomes of each of their columns.

Each goes into the collection of its own name (reference section 3.1).
"""

from dataclasses import dataclass

from pydantic import BaseModel

from db.couple_import.cells import Kind
from db.documents.couple_image import CoupleImage
from db.documents.couple_template import CoupleTemplate
from db.documents.crawl_task import CrawlTask
from db.documents.faceswap_task import FaceswapTask
from db.documents.user import User
from db.relations import RELATIONS

ID = "id"
"""The SERIAL column that every table has; it becomes `legacy_id`."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        kind: What its texts mean.
        needed: Whether it is NOT NULL and has no default.
        null_is_default: Whether NULL becomes the default of the document, which takes no null.
        renamed: What the document calls it, where that differs.
    """

    name: str
    kind: Kind = "text"
    needed: bool = False
    null_is_default: bool = False
    renamed: str = ""

    @property
    def field(self) -> str:
        """What the document calls it."""
        return self.renamed or self.name


@dataclass(frozen=True)
class Table:
    """A table, and the collection of the same name.

    Attributes:
        name: Its name.
        document: Model of what its rows become.
        columns: Its columns but the id.
        single: The relation that only one row may have to the same parent.
        personal: Whether its values are kept out of every message.
    """

    name: str
    document: type[BaseModel]
    columns: tuple[Column, ...]
    single: str = ""
    personal: bool = False

    @property
    def relations(self) -> dict[str, str]:
        """Its foreign keys, each with the table that it points into."""
        return {one.field: one.parent for one in RELATIONS if one.collection == self.name}

    @property
    def column_names(self) -> tuple[str, ...]:
        """What its columns are called, the id first."""
        return (ID, *(column.name for column in self.columns))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which none of its rows can be placed."""
        return (ID, *(column.name for column in self.columns if column.needed))


USERS = Table(
    "users",
    User,
    (
        Column("email", "email", needed=True),
        Column("username", needed=True),
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
        Column("category"),
        Column("tags", "array", null_is_default=True),
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
        Column("face_count", "integer"),
        Column("face_positions", "json"),
        Column("popularity_score", "integer"),
        Column("is_active", "boolean"),
        Column("created_at", "timestamp"),
    ),
    single="image_id",
)
FACESWAP_TASKS = Table(
    "faceswap_tasks",
    FaceswapTask,
    (
        Column("user_id", "integer"),
        Column("template_id", "integer"),
        Column("husband_image_id", "integer"),
        Column("wife_image_id", "integer"),
        Column("result_image_id", "integer"),
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

TABLES = (USERS, IMAGES, TEMPLATES, FACESWAP_TASKS, CRAWL_TASKS)
"""All tables, each after those that its rows point into."""

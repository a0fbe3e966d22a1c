"""The database block: which MongoDB holds the StoryCanvas database."""

from typing import Any

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr
from pymongo.database import Database

from blocks.environment import docs_page
from blocks.stored import name_of
from db.connection import ANSWER_SECONDS, connect, translated_errors
from db.connection_string import ConnectionString
from storycanvas.net.wording import counted


class StoryDatabase(Block):
    """The StoryCanvas database.

    Attributes:
        mongo_url: Connection string; it is a secret because it may hold a password.
        db_name: Name of the database; empty takes that of the connection string's path.
        pool_size: Most connections kept open.

    Example:
        Load the stored database and count its characters:

        ```python
        from blocks import StoryDatabase

        block = StoryDatabase.load("BLOCK_NAME")
        database = block.connect()
        print(database["characters"].count_documents({}))
        ```
    """

    model_config = ConfigDict(hide_input_in_errors=True, str_strip_whitespace=True)

    _block_type_name = "Story Database"
    _block_type_slug = "story-database"
    _documentation_url = docs_page("configuration.md#mongodb")

    mongo_url: SecretStr = Field(
        title="Connection string",
        description="MongoDB connection string, such as mongodb://127.0.0.1:27017/.",
    )
    db_name: str = Field(
        "",
        title="Database",
        description="Name of the StoryCanvas database; empty takes the one in the path of the "
        "connection string, else storyboard.",
    )
    pool_size: int = Field(
        20, ge=1, le=500, title="Pool size", description="Most connections kept open."
    )

    @property
    def address(self) -> ConnectionString:
        """What the connection string names, without its secrets."""
        return ConnectionString.of(self.mongo_url.get_secret_value())

    @property
    def database_name(self) -> str:
        """The database that is opened."""
        return self.address.choose(self.db_name.strip(), "the block")[0]

    def connect(self, *, answer_seconds: float = ANSWER_SECONDS) -> Database[dict[str, Any]]:
        """Open the database.

        Args:
            answer_seconds: Longest wait for one answer; `LONG_ANSWER_SECONDS` for whole
                collections.
        """
        url = self.mongo_url.get_secret_value()
        return connect(
            url, self.database_name, pool_size=self.pool_size, answer_seconds=answer_seconds
        )

    def check(self) -> str:
        """Ask for the server's version and the collections, and say in a sentence what they are.

        Raises:
            DatabaseError: The server does not answer, or refuses the user.
        """
        database = self.connect()
        try:
            with translated_errors():
                version = database.command("buildInfo").get("version")
                collections = counted(len(database.list_collection_names()), "collection")
        finally:
            database.client.close()
        place = f"database '{database.name}' with {collections}"
        return f"{name_of(self)} answers: MongoDB {version}, {place}."

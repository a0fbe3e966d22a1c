"""A person who uses the app."""

from typing import Annotated, Any

from pydantic import Field

from db.documents.stored import Id, Imported, SoftDeletable


class User(SoftDeletable, Imported):
    """A document of `users` (reference section 3.2).

    Read as aliases: `password_hash` for `hashed_password` on import. `api_keys`, which the app
    stores as plain text, must never be returned or logged.

    Attributes:
        username: Unique whatever its case.
        email: In lower case.
        hashed_password: bcrypt.
    """

    id: Id
    username: Annotated[str, Field(min_length=3, max_length=100)]
    email: Annotated[str, Field(min_length=1, max_length=255)]
    hashed_password: str
    is_active: bool = True
    is_admin: bool = False
    api_keys: dict[str, Any] | None = None

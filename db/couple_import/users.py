"""Matching users of the couple face-swap with users of StoryCanvas (docs/schema.md, Users).

The same e-mail address is the same person; deleted users do not count. An address that differs in
case only, and the same username with another address, are conflicts: they are listed and change
nothing, since only a person knows whose account it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from db.connection import Document
from db.couple_import.errors import RowRefused


@dataclass(frozen=True)
class KnownUser:
    """What a user of StoryCanvas is matched by.

    Attributes:
        id: What relations name it by; empty when it has none.
        email: In lower case.
        legacy_id: The row that it is, None where none is known.
        created_at: As stored, which may be a text or missing.
        written: The e-mail address as stored; empty where that is in lower case.
    """

    id: str
    email: str
    username: str
    legacy_id: int | None = None
    created_at: object = None
    written: str = ""


@dataclass(frozen=True)
class Merge:
    """A row that is a user of StoryCanvas.

    Attributes:
        created_at: The earlier time that the user gets, None where it keeps its own.
    """

    user: KnownUser
    legacy_id: int
    created_at: datetime | None


class UserMatcher:
    """The users that the rows of a batch may be, those rows included that come before."""

    def __init__(self, known: Iterable[KnownUser]) -> None:
        self._by_email: dict[str, list[KnownUser]] = {}
        self._by_username: dict[str, KnownUser] = {}
        for user in known:
            self._note(user)

    def match(self, document: Document, written: str = "") -> Document | Merge:
        """Decide what becomes of a row, and remember it for those that follow.

        A row becomes a user of its own, is merged, or is refused when it conflicts with a user.

        Args:
            document: What the row would become.
            written: Its e-mail address as the source has it; empty where that is in lower case.
        """
        same = self._by_email.get(document["email"], [])
        taken = self._by_username.get(document["username"].lower())
        if not same and taken:
            raise RowRefused(
                f"its username belongs to user {taken.id}, who has another e-mail address; rename "
                "one of them"
            )
        if same:
            return self._merged(same, document, written or document["email"])
        self._note(
            KnownUser(
                document["id"], document["email"], document["username"], document["legacy_id"]
            )
        )
        return document

    def _merged(self, same: list[KnownUser], document: Document, written: str) -> Merge:
        user = same[0]
        if len(same) > 1:
            raise RowRefused("its e-mail address is that of several users; leave it to one")
        if not user.id:
            raise RowRefused("its e-mail address is that of a user without an id; give it one")
        row = document["legacy_id"]
        if user.legacy_id not in {None, row}:
            raise RowRefused(
                f"its e-mail address is that of user {user.id}, who is id {user.legacy_id} already"
            )
        if user.legacy_id is None and written != (user.written or user.email):
            raise RowRefused(
                f"its e-mail address differs from that of user {user.id} in case only; write both "
                "alike if they are one person"
            )
        self._by_email[user.email] = [replace(user, legacy_id=row)]
        return Merge(user, row, earlier(document["created_at"], user.created_at))

    def _note(self, user: KnownUser) -> None:
        self._by_email.setdefault(user.email, []).append(user)
        self._by_username.setdefault(user.username.lower(), user)


def earlier(imported: datetime | None, stored: object) -> datetime | None:
    """Choose the row's time when it has to be stored, else None."""
    known = _moment(stored)
    return None if imported is None or (known is not None and known <= imported) else imported


def _moment(stored: object) -> datetime | None:
    if isinstance(stored, str):
        try:
            stored = datetime.fromisoformat(stored)
        except ValueError:
            return None
    if not isinstance(stored, datetime):
        return None
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)

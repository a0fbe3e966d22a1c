"""Why PostgreSQL did not let us in: libpq gives no code for it, only words."""

import re

from db.couple_import.errors import ImportFailed, SourceRefused, SourceUnreachable

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"no password supplied"),
        "wants a password; give it by COUPLE_SWAP_POSTGRES_URL, PGPASSWORD or a password file",
    ),
    (
        re.compile(r'authentication failed|role "[^"]*" (does not exist|is not permitted)'),
        "refuses this user and password; correct them",
    ),
    (
        re.compile(r'database "[^"]*" does not exist'),
        "has no database of this name; correct the end of the address",
    ),
    (
        re.compile(r"permission denied for database|pg_hba\.conf"),
        "does not let this user in; allow it by GRANT CONNECT or in pg_hba.conf",
    ),
)
_OTHERWISE = "does not answer; start it, or correct the address"


def explain(words: str) -> ImportFailed:
    """Choose the error for a connection that did not come about.

    Args:
        words: What libpq said, in English or not; it is not repeated.

    Returns:
        The error to raise.
    """
    for pattern, reason in _WORDS:
        if pattern.search(words):
            return SourceRefused(f"PostgreSQL {reason}.")
    return SourceUnreachable(f"PostgreSQL {_OTHERWISE}.")

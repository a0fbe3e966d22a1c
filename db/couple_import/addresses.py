"""Connection strings of PostgreSQL, and the passwords in them that nobody may see."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from db.couple_import.errors import AddressUnreadable, PasswordInAddress

_SECRETS = {
    *("password", "sslpassword", "scram_client_key", "scram_server_key"),
    "oauth_client_secret",
}


def options_of(address: str) -> dict[str, Any]:
    """Read a connection string, a URL or `key=value` pairs.

    Args:
        address: The string.

    Returns:
        The options of libpq that it names.

    Raises:
        AddressUnreadable: It is no such string.
    """
    try:
        return conninfo_to_dict(address)
    except (psycopg.Error, UnicodeError):
        # What libpq says may quote the password.
        raise AddressUnreadable(
            "The address is no PostgreSQL connection string; its form is "
            "postgresql://user@host:port/database."
        ) from None


def refuse_password(address: str) -> None:
    """Make sure that a connection string may be shown.

    Args:
        address: The string.

    Raises:
        PasswordInAddress: There is a password in it.
        AddressUnreadable: It is no connection string.
    """
    if _SECRETS & options_of(address).keys():
        raise PasswordInAddress(
            "The parameter postgres_url has a password in it, and Prefect keeps and shows the "
            "parameters of a run: delete this run, change the password, and give it by "
            "COUPLE_SWAP_POSTGRES_URL, PGPASSWORD or a password file instead."
        )

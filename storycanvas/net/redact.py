"""Addresses and connection strings without what may be a secret: user part, query and fragment."""

import re

_END_OF_PATH = re.compile(r"[?#]")
_USER_IN_TEXT = re.compile(r"://(?:[^/\s@]+@|[^/\s@:]+:[^\s@\"']*@)+")


def redact_url(url: str) -> str:
    """Keep scheme, hosts and path of an address, for messages and stored records.

    A password with an unquoted `/`, `?` or `#` makes its first part look like the host. An `@`
    behind the hosts is the only sign of that, so such an address loses all but its scheme.

    Args:
        url: Of any scheme; MongoDB's may name several hosts. Text without a scheme, such as a
            path, loses its query only.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        user, _, place = scheme.rpartition("@")
        return (place if ":" in user else scheme).partition("?")[0]
    hosts, slash, path = rest.partition("/")
    hosts, *query = _END_OF_PATH.split(hosts, maxsplit=1)
    if query:
        slash, path = "", ""
    if "@" in rest[len(hosts) :]:
        return f"{scheme}://"
    shown_path = (slash + _END_OF_PATH.split(path, maxsplit=1)[0]).rstrip("/")
    return f"{scheme}://{hosts.rpartition('@')[2]}{shown_path}"


def redact_text(text: str) -> str:
    """Take the user part out of every address in a text; the rest of the text stays."""
    return _USER_IN_TEXT.sub("://", text)


def without_user(address: str) -> str:
    """Take out the user part alone: what remains still leads there, as a proxy's address must.

    Args:
        address: With or without a scheme.
    """
    # At the first "://": a password may hold another one.
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address.rpartition("@")[2]
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

"""One spelling for the address of a server."""

from urllib.parse import urlsplit, urlunsplit

from db.catalog.errors import UnusableAddress


def normal_url(url: str) -> str:
    """Bring an address into the spelling in which two are compared.

    Args:
        url: An http or https address.

    Returns:
        The same without white space around it, a slash at its end or a fragment, and with scheme
        and host in small letters.

    Raises:
        UnusableAddress: It is no http or https address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableAddress(_NO_ADDRESS) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise UnusableAddress(_NO_ADDRESS)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    place = f"[{host}]" if ":" in host else host
    netloc = f"{user}{place}{f':{port}' if port is not None else ''}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), parts.query, ""))


def shown_url(url: str) -> str:
    """Take the user and the query, which may hold a password or a key, out of an address.

    Args:
        url: A normalised address.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


_NO_ADDRESS = "An address is not of the form http://host:port; correct it in comfyui_servers."

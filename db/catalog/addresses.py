"""One spelling for the address of a server."""

from urllib.parse import urlsplit, urlunsplit

from db.catalog.errors import UnusableAddress

_USUAL_PORTS = {"http": 80, "https": 443}


def normal_url(url: str) -> str:
    """Bring an address into the spelling in which two are compared.

    Args:
        url: An http or https address.

    Returns:
        The same without white space around it, a slash at its end, a fragment or the usual port,
        and with scheme and host in small letters.

    Raises:
        UnusableAddress: It is no http or https address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableAddress(_NO_ADDRESS) from error
    if parts.scheme not in _USUAL_PORTS or not host:
        raise UnusableAddress(_NO_ADDRESS)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    place = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == _USUAL_PORTS[parts.scheme]
    netloc = f"{user}{place}{'' if is_usual else f':{port}'}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), parts.query, ""))


def shown_url(url: str) -> str:
    """Take the user and the query, which may hold a password or a key, out of an address.

    Args:
        url: A normalised address.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


_NO_ADDRESS = "An address of a server is not of the form http://host:port; correct it."

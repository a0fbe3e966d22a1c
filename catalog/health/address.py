"""Addresses as anybody may see them."""


def shown_address(url: str) -> str:
    """Take the user and the query, which may hold a password or a key, out of an address.

    Args:
        url: Of any kind; MongoDB's may name several hosts.

    Returns:
        Scheme, hosts and path; the scheme alone if it cannot be told where the user part ends.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        return url.strip().partition("?")[0]
    place = rest.partition("?")[0].partition("#")[0]
    hosts, slash, path = place.partition("/")
    if "@" not in hosts and "@" in rest:
        # A password with an unquoted `/` or `?`: what comes before it looks like the hosts.
        return f"{scheme}://"
    return f"{scheme}://{hosts.rpartition('@')[2]}{slash}{path}".rstrip("/")

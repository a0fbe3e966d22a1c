"""Requests for the very address that was judged, by the name of the server.

A name that is looked up twice may lead elsewhere the second time: its owner answers the check with
a public address and the connection with one of the caller's own network.
"""

import httpx

from storycanvas.net.addresses import IpAddress


def pinned_request(
    url: httpx.URL, address: IpAddress, timeout: httpx.Timeout, accept: str
) -> httpx.Request:
    """Make a GET request that goes to one address, with the name for Host header and certificate.

    Args:
        url: What was asked for.
        address: One of those that its host resolved to.
        timeout: Of each phase.
        accept: Value of the header.
    """
    headers = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": "storycanvas-pipelines",  # some servers refuse a client without a name
        "Accept": accept,
        "Accept-Encoding": "identity",  # a compressed answer could grow without bound
        "Connection": "close",
    }
    extensions = {"timeout": timeout.as_dict(), "sni_hostname": url.raw_host.decode("ascii")}
    pinned = url.copy_with(host=str(address))
    return httpx.Request("GET", pinned, headers=headers, extensions=extensions)

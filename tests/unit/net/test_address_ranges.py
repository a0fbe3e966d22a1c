import ipaddress

import httpx
import pytest

from storycanvas.net.addresses import Reach, reach_of
from storycanvas.net.url_hosts import UrlHost

ADDRESSES = {
    Reach.PUBLIC: """
        8.8.8.8 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 100.128.0.0 172.15.255.255
    """,
    Reach.PRIVATE: """
        10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 172.16.0.0 172.31.255.255
        192.168.255.255 ::1 fd00:ec2::254 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1
        64:ff9b::7f00:1
    """,
    Reach.NOWHERE: """
        0.0.0.0 0.1.2.3 169.254.169.254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 192.0.0.9
        192.0.2.1 198.18.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 :: ::7f00:1
        64:ff9b:1::7f00:1 2001:0:4136:e378::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1
        5f00::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
    """,
}


@pytest.mark.parametrize(
    ("address", "reach"),
    [(address, reach) for reach, text in ADDRESSES.items() for address in text.split()],
)
def test_an_address_is_classified_by_its_range(address: str, reach: Reach) -> None:
    assert reach_of(ipaddress.ip_address(address)) is reach


@pytest.mark.parametrize(
    ("name", "address", "allowed", "with_private"),
    [
        ("app.example", "8.8.8.8", True, True),
        ("app.example", "10.0.0.1", False, True),
        ("app.example", "127.0.0.1", False, True),
        ("app.example", "::ffff:10.0.0.1", False, True),
        ("app.example", "169.254.169.254", False, False),
        ("app.example", "fe80::1", False, False),
        ("app.example", "224.0.0.1", False, False),
        ("app.example", "0.0.0.0", False, False),  # noqa: S104 - what is judged
        ("localhost.example", "127.0.0.1", False, True),
        ("2130706433", "127.0.0.1", False, True),
        ("localhost", "127.0.0.1", True, True),
        ("localhost", "::1", True, True),
        ("localhost", "10.0.0.1", False, False),
        ("10.0.0.1", "10.0.0.1", True, True),
        ("169.254.1.1", "169.254.1.1", True, True),
        ("10.0.0.1", "10.0.0.2", False, False),
        ("::1", "::1", True, True),
    ],
)
def test_a_name_may_lead_into_a_private_network_by_leave_only(
    name: str, address: str, *, allowed: bool, with_private: bool
) -> None:
    host, place = UrlHost(name, None), ipaddress.ip_address(address)
    assert host.allows_address(place, allow_private=False) is allowed
    assert host.allows_address(place, allow_private=True) is with_private


def test_a_url_of_another_kind_is_allowed_nowhere() -> None:
    assert not UrlHost("app.example", None).allows(httpx.URL("ftp://app.example/x"))

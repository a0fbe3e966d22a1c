import ipaddress

import httpx
import pytest

from storycanvas.host.sources.addresses import Reach, reach_of
from storycanvas.host.sources.url_hosts import UrlHost


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("::ffff:8.8.8.8", Reach.PUBLIC),
        ("64:ff9b::808:808", Reach.PUBLIC),
        ("10.0.0.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("100.127.255.255", Reach.PRIVATE),
        ("100.128.0.0", Reach.PUBLIC),
        ("127.0.0.1", Reach.PRIVATE),
        ("127.255.255.254", Reach.PRIVATE),
        ("172.15.255.255", Reach.PUBLIC),
        ("172.16.0.0", Reach.PRIVATE),
        ("172.31.255.255", Reach.PRIVATE),
        ("192.168.255.255", Reach.PRIVATE),
        ("::1", Reach.PRIVATE),
        ("fd00:ec2::254", Reach.PRIVATE),
        ("::ffff:127.0.0.1", Reach.PRIVATE),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("64:ff9b::a00:1", Reach.PRIVATE),
        ("64:ff9b::7f00:1", Reach.PRIVATE),
        ("0.0.0.0", Reach.NOWHERE),  # noqa: S104 - what is judged
        ("0.1.2.3", Reach.NOWHERE),
        ("169.254.169.254", Reach.NOWHERE),
        ("::ffff:169.254.169.254", Reach.NOWHERE),
        ("64:ff9b::a9fe:a9fe", Reach.NOWHERE),
        ("192.0.0.9", Reach.NOWHERE),
        ("192.0.2.1", Reach.NOWHERE),
        ("198.18.0.1", Reach.NOWHERE),
        ("224.0.0.1", Reach.NOWHERE),
        ("239.1.1.1", Reach.NOWHERE),
        ("240.0.0.1", Reach.NOWHERE),
        ("255.255.255.255", Reach.NOWHERE),
        ("::", Reach.NOWHERE),
        ("::7f00:1", Reach.NOWHERE),
        ("64:ff9b:1::7f00:1", Reach.NOWHERE),
        ("2001:0:4136:e378::1", Reach.NOWHERE),
        ("2001:db8::1", Reach.NOWHERE),
        ("2002:7f00:1::1", Reach.NOWHERE),
        ("2002:808:808::1", Reach.NOWHERE),
        ("3fff::1", Reach.NOWHERE),
        ("5f00::1", Reach.NOWHERE),
        ("fe80::1", Reach.NOWHERE),
        ("fe80::1%eth0", Reach.NOWHERE),
        ("fec0::1", Reach.NOWHERE),
        ("ff02::1", Reach.NOWHERE),
        ("ff0e::1", Reach.NOWHERE),
    ],
)
def test_an_address_is_judged_by_where_it_leads(address: str, reach: Reach) -> None:
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

import gzip

import pytest

from storycanvas.catalog.answers import unpacked

ONE, TWO = gzip.compress(b"one"), gzip.compress(b"two")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([ONE + b"\0\0\0"], b"one"),
        ([ONE, b"\0", b"\0\0"], b"one"),
        ([ONE + b"\0\0" + TWO], b"onetwo"),
        ([ONE + b"\0", b"\0" + TWO], b"onetwo"),
    ],
    ids=["at the end", "at the end, in parts", "between two", "between two, in parts"],
)
def test_padding_after_a_member_is_passed_over(parts: list[bytes], text: bytes) -> None:
    assert b"".join(unpacked(parts)) == text

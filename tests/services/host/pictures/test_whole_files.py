import pytest

from tests.support.host.pictures_made import encoded
from tests.support.host.threaded_host import ThreadedHost


@pytest.mark.parametrize(
    "asked", ["bytes=0-1", "bytes=9-1", "bytes=99999999-", "lines=1", "bytes="]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_is_sent_whole_whatever_part_is_asked_for(
    host: ThreadedHost, picture: str, method: str, asked: str
) -> None:
    answer = host.client.request(method, f"assets/{picture}", headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(encoded()))
    assert answer.content == (encoded() if method == "GET" else b"")

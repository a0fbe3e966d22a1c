import pytest

from storycanvas.net.redact import redact_text, redact_url, without_user


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("http://gpu:8188/", "http://gpu:8188"),
        ("http://u:p@gpu:8188/comfy/?token=p", "http://gpu:8188/comfy"),
        ("http://gpu#p", "http://gpu"),
        ("http://gpu?key=p/q", "http://gpu"),
        ("http://token@[::1]:9/a", "http://[::1]:9/a"),
        ("http://gpu:99999/a", "http://gpu:99999/a"),
        ("mongodb://u:p@a:1,b:2/db?x=p", "mongodb://a:1,b:2/db"),
        ("mongodb+srv://u:p%40@host/", "mongodb+srv://host"),
        ("mongodb://u:p/p@host/", "mongodb://"),
        ("mongodb://u:1/p@host/", "mongodb://"),
        ("mongodb://u:1?p@host/", "mongodb://"),
        ("mongodb://u:1#p@host/", "mongodb://"),
        ("mongodb://u:p@p@host/", "mongodb://host"),
        ("mongodb://u:p@p/p@host/", "mongodb://"),
        ("postgresql://u:p/p@host/db", "postgresql://"),
        ("file:///srv/images", "file:///srv/images"),
        ("s3://key:p@bucket/images", "s3://bucket/images"),
        ("/srv/images", "/srv/images"),
        ("/srv/@images", "/srv/@images"),
        ("u:p@host:8080", "host:8080"),
        ("u:p/p@host?q", "host"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_secrets(url: str, redacted: str) -> None:
    assert redact_url(url) == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("see http://u:p@host/a.", "see http://host/a."),
        ("http://token@host", "http://host"),
        ("from http://u:p/p@host/ to ftp://a:b@c", "from http://host/ to ftp://c"),
        ("http://u:p@q@host/", "http://host/"),
        ("https://example/a@2x.png", "https://example/a@2x.png"),
        ("mail me@host", "mail me@host"),
    ],
)
def test_every_address_in_a_text_loses_its_user(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    ("address", "open_address"),
    [
        ("http://u:p@proxy:8080", "http://proxy:8080"),
        ("u:p/p@proxy:8080", "proxy:8080"),
        ("http://u:p/p@proxy:8080", "http://proxy:8080"),
        ("socks5://proxy:1", "socks5://proxy:1"),
        ("http://user:made://up@proxy.example", "http://proxy.example"),
    ],
)
def test_a_proxy_without_its_user_can_still_be_used(address: str, open_address: str) -> None:
    assert without_user(address) == open_address

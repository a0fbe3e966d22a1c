from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from storycanvas.host.command_line import TOKEN_VARIABLE, read_settings, refusal
from storycanvas.host.engines.facefusion.process.weights import needed_files
from storycanvas.host.engines.facefusion.translation.operation import models_of
from storycanvas.host.engines.facefusion.translation.tables import SUBSTITUTES
from storycanvas.host.engines.preloading import PRELOADS
from storycanvas.host.settings import is_loopback
from storycanvas.host.sources.allowed_folders import AllowedFolder
from storycanvas.host.storage.outputs import PublishedFolder
from storycanvas.net.url_hosts import UrlHost, parse_url_host

MADE_UP = "made-up-token"
KINDS = ("enhance", "age_adjust", "swap", "edit", "mask", "detect")


def test_the_defaults_are_a_closed_host_on_loopback() -> None:
    settings = read_settings([], {})
    assert (settings.host, settings.port) == ("127.0.0.1", 9002)
    assert (settings.slots, settings.queue) == (1, 16)
    assert (settings.allow_roots, settings.allow_url_hosts, settings.token) == ((), (), None)
    assert settings.operation_seconds == 300


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--host", "0.0.0.0"], TOKEN_VARIABLE),  # noqa: S104 - what is refused
        (["--host", "::"], TOKEN_VARIABLE),
        (["--host", "gpu.example"], TOKEN_VARIABLE),
        (["--host", "localhost.example"], TOKEN_VARIABLE),
        (["--slots", "0"], "slots"),
        (["--queue", "-1"], "queue"),
        (["--port", "70000"], "port"),
        (["--keep-gib", "0"], "keep_gib"),
        (["--keep-gib", "-1"], "keep_gib"),
        (["--keep-gib", "inf"], "keep_gib"),
        (["--keep-gib", "nan"], "keep_gib"),
        (["--operation-seconds", "nan"], "operation_seconds"),
        (["--allow-root", "/does/not/exist"], "/does/not/exist"),
        (["--allow-root", __file__], __file__),
        (["--allow-root", "uploads=/usr"], "the name 'uploads' is not an absolute path"),
        (["--allow-root", "/uploads=/does/not/exist"], "/does/not/exist"),
        (["--keep-hours", "23"], "keep_hours"),
        (["--publish", "/does/not/exist=/uploads/"], "/does/not/exist"),
        (["--publish", "/usr"], "/usr"),
        (["--publish", "/usr=uploads/"], "'uploads/'"),
        (["--publish", "/usr=ftp://app.example/"], "'ftp://app.example/'"),
        (["--allow-url-host", "http://app.example/"], "http://app.example/"),
        (["--preload", "detect,gfpgan_9"], "gfpgan_9 is neither an operation nor a model; name"),
        (["--preload", "Detect"], "restoreformer_plus_plus"),
        (["--idle-unload-minutes", "-1"], "idle_unload_minutes"),
        (["--idle-unload-minutes", "inf"], "idle_unload_minutes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(arguments: list[str], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_settings(arguments, {})
    assert named in refusal(caught.value)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [([], 20 * 2**30), (["--keep-gib", "0.5"], 2**29), (["--keep-gib", "1e-12"], 1)],
    ids=["default", "half", "tiny"],
)
def test_the_bound_on_pictures_is_at_least_a_byte(arguments: list[str], kept: int) -> None:
    assert read_settings(arguments, {}).keep_bytes == kept


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ()), ("swap", ("swap",)), (" fran , detect,,fran", ("fran", "detect"))],
)
def test_what_is_loaded_at_the_start_is_named_once(text: str, names: tuple[str, ...]) -> None:
    assert read_settings(["--preload", text], {}).preload == names


@pytest.mark.parametrize("name", PRELOADS)
def test_every_name_of_a_model_loads_that_model(name: str) -> None:
    models = models_of(PRELOADS[name])
    assert name in {*SUBSTITUTES, *KINDS} or {"yoloface": "yolo_face"}.get(name, name) in models
    assert needed_files(models)


def test_an_empty_token_is_none() -> None:
    with pytest.raises(ValidationError, match=TOKEN_VARIABLE):
        read_settings(["--host", "::"], {TOKEN_VARIABLE: ""})


def test_a_token_comes_from_the_environment_and_is_never_shown() -> None:
    settings = read_settings(["--host", "::"], {TOKEN_VARIABLE: MADE_UP})
    assert settings.token is not None
    assert settings.token.get_secret_value() == MADE_UP
    assert MADE_UP not in repr(settings)


def test_a_token_cannot_be_given_on_the_command_line() -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(["--token", MADE_UP], {})
    assert caught.value.code == 2


def test_a_root_keeps_the_name_that_the_operator_gave_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    settings = read_settings(["--allow-root", str(tmp_path / "link")], {})
    assert settings.allow_roots == (AllowedFolder(tmp_path / "link", tmp_path / "link"),)


def test_a_root_may_have_another_name(tmp_path: Path) -> None:
    settings = read_settings(["--allow-root", f"/uploads={tmp_path}"], {})
    assert settings.allow_roots == (AllowedFolder(Path("/uploads"), tmp_path),)


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    settings = read_settings(["--allow-root", str(tmp_path / "a=b")], {})
    assert settings.allow_roots == (AllowedFolder(tmp_path / "a=b", tmp_path / "a=b"),)


@pytest.mark.parametrize("prefix", ["/uploads/faces/", "https://app.example/faces/"])
def test_outputs_are_published_below_a_prefix(tmp_path: Path, prefix: str) -> None:
    settings = read_settings(["--publish", f"{tmp_path}={prefix}"], {})
    assert settings.publish == PublishedFolder(tmp_path, prefix)


def test_private_addresses_need_an_option_of_their_own() -> None:
    assert read_settings([], {}).allow_private_urls is False
    assert read_settings(["--allow-private-urls"], {}).allow_private_urls is True


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - what is classified
        ("::", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_loopback_is_recognised(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("App.LAN:8000", UrlHost("app.lan", 8000)),
        ("app.lan:80", UrlHost("app.lan", 80)),
        ("app.lan", UrlHost("app.lan", None)),
        ("[::1]:80", UrlHost("::1", 80)),
        ("münchen.example", UrlHost("xn--mnchen-3ya.example", None)),
    ],
)
def test_a_url_host_is_read(text: str, host: UrlHost) -> None:
    assert parse_url_host(text) == host


@pytest.mark.parametrize(
    "text", ["", ":80", "http://app", "user@app", "app/path", "app?x", "app#x", "app:port"]
)
def test_anything_but_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST or HOST:PORT"):
        parse_url_host(text)


@pytest.mark.parametrize(
    ("host", "url", "allowed"),
    [
        ("app.lan", "http://APP.lan/x", True),
        ("app.lan", "https://app.lan/x", True),
        ("app.lan", "http://app.lan:8000/x", False),
        ("app.lan:8000", "http://app.lan:8000/x", True),
        ("app.lan:8000", "http://app.lan/x", False),
        ("app.lan:80", "https://app.lan/x", False),
        ("app.lan", "http://app.lan.evil.example/x", False),
        ("app.lan", "http://app.lan@evil.example/x", False),
        ("app.lan", "http://evil.example/#app.lan", False),
        ("[::1]:80", "http://[::1]/x", True),
    ],
)
def test_a_url_host_allows_its_own_urls_only(host: str, url: str, allowed: bool) -> None:
    parsed = parse_url_host(host)
    assert isinstance(parsed, UrlHost)
    assert parsed.allows(httpx.URL(url)) is allowed

"""The picture server shows what the image store wrote, and nothing else of this machine."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from prefect.blocks.core import Block

from deployments.blocks import KINDS
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.services.picture_server import PictureServer
from storycanvas.services.shared import acquire

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
NOT_FOUND = 404


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("images").as_uri())


@pytest.fixture(scope="module")
def browser(store: ImageStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    server = PictureServer(store=store.url)
    with (
        acquire(server, tmp_path_factory.mktemp("state")) as lease,
        httpx.Client(base_url=lease.url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def path(store: ImageStore) -> str:
    return store.put(b"a picture", Category.RESULT, "png", NOVEMBER).path


def folder(store: ImageStore) -> Path:
    assert store.folder is not None
    return store.folder


def test_a_stored_picture_is_shown_as_what_it_is(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.content == b"a picture"
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]


def test_a_gallery_is_shown_anew_each_time_and_runs_no_script(
    browser: httpx.Client, store: ImageStore
) -> None:
    for content in (b"<p>earlier</p>", b"<p>now</p>"):
        store.put_page("galleries/mira-1.html", content)
        answer = browser.get("galleries/mira-1.html")
        assert answer.content == content

    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src")
    assert answer.headers["cache-control"] == "no-cache"
    (folder(store) / "galleries/notes.txt").write_text("not a page")
    assert browser.get("galleries/notes.txt").status_code == NOT_FOUND
    assert browser.get("galleries/unknown.html").status_code == NOT_FOUND


@pytest.mark.parametrize("at", ["", "local", "local/", "local/result", "local/by-content", "docs"])
def test_nothing_is_listed(browser: httpx.Client, path: str, at: str) -> None:
    assert browser.get(path).status_code == httpx.codes.OK
    assert browser.get(at).status_code == NOT_FOUND


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_that_a_block_links_to_is_shown_as_text(
    browser: httpx.Client, kind: type[Block]
) -> None:
    address = urlsplit(str(kind._documentation_url))  # noqa: SLF001 - as Prefect's own suite

    page = browser.get(address.path)

    assert page.status_code == httpx.codes.OK
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in page.text.splitlines()}
    assert address.fragment in {"", *headings}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_written(browser: httpx.Client, path: str, method: str) -> None:
    assert browser.request(method, path, content=b"x").status_code in {404, 405}
    assert browser.get(path).content == b"a picture"


def test_a_file_that_the_store_did_not_write_is_not_shown(
    browser: httpx.Client, store: ImageStore, path: str
) -> None:
    beside = Path(path).with_name(f"{'0' * 64}.png")
    marker = next((folder(store) / "local/by-content").rglob("?" * 64))
    private = folder(store) / "notes.txt"
    (folder(store) / beside).write_bytes(b"not ours")
    private.write_bytes(b"private")

    for other in (beside, marker.relative_to(folder(store)), private.name):
        assert browser.get(str(other)).status_code == NOT_FOUND


def test_no_path_leads_out_of_the_store(
    browser: httpx.Client, store: ImageStore, path: str
) -> None:
    (folder(store).parent / "secret").write_bytes(b"secret")

    for out in ("../secret", "%2e%2e/secret", f"{path}/../../../../../../secret", "//etc/passwd"):
        assert browser.get(f"/{out}").status_code == NOT_FOUND


def test_a_link_that_took_the_place_of_a_picture_is_not_followed(
    browser: httpx.Client, store: ImageStore
) -> None:
    path = store.put(b"replaced", Category.RESULT, "png", NOVEMBER).path
    outside = folder(store).parent / "outside"
    outside.write_bytes(b"secret")
    (folder(store) / path).unlink()
    (folder(store) / path).symlink_to(outside)

    assert browser.get(path).status_code == NOT_FOUND


def test_another_name_for_this_machine_is_refused(browser: httpx.Client, path: str) -> None:
    assert (
        browser.get(path, headers={"Host": "evil.example"}).status_code == httpx.codes.BAD_REQUEST
    )

"""The page of a gallery: whole without a network, safe with any text, readable without eyes."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from storycanvas.faces.gallery.markdown import MAX_LISTED, gallery_markdown
from storycanvas.faces.gallery.page import gallery_page, page_path
from storycanvas.faces.gallery.results import GalleryResult, by_flow_and_day, what_it_shows
from storycanvas.faces.pictures.image_store import STORED_PAGE

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;"


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def result(number: int = 0, **fields: Any) -> GalleryResult:
    usual: dict[str, Any] = {
        "path": f"local/result/2026/11/{number:064x}.png",
        "address": f"http://127.0.0.1:1/local/result/2026/11/{number:064x}.png",
        "flow": "age-progression",
        "shows": "Mira at age 45",
        "made_at": NOW + timedelta(hours=number),
    }
    return GalleryResult(**usual | fields)


def test_each_picture_is_a_link_within_the_store_and_says_what_it_shows() -> None:
    elsewhere = result(path=None, address="http://elsewhere.example/a.png", shows="Mira")
    page = Page(gallery_page("Mira", [result(1), result(2, in_gallery=False)], [elsewhere], NOW))

    sources = [f"../{result(number).path}" for number in (1, 2)]
    assert [image["src"] for image in page.named("img")] == sources
    assert [link["href"] for link in page.named("a")] == sources
    assert {image["alt"] for image in page.named("img")} == {"Mira at age 45"}
    assert "http://elsewhere.example/a.png" in page.text
    assert "1 picture on the way to these" in page.text


def test_it_names_model_settings_age_and_likeness() -> None:
    told = {"model": "fran", "settings": {"face_mask_types": ["box", "area"]}}
    page = Page(gallery_page("Mira", [result(measured="likeness 0.31", **told)], [], NOW))

    for word in ("fran", "face_mask_types", "box, area", "likeness 0.31", "2026-11-21 12:00 UTC"):
        assert word in page.text


def test_whatever_documents_say_is_text() -> None:
    texts = dict.fromkeys(("flow", "shows", "model", "engine", "measured"), HOSTILE)
    hostile = result(settings={HOSTILE: HOSTILE}, **texts)
    lost = result(path=None, address=f"javascript:{HOSTILE}", shows=HOSTILE)
    odd = result(path=f"local/{HOSTILE}?#.png")

    page = Page(gallery_page(HOSTILE, [hostile, odd], [lost], NOW))

    assert page.named("script") == []
    assert len(page.named("img")) == 2
    assert {name for _, attributes in page.tags for name in attributes if name[:2] == "on"} == set()
    assert all((link["href"] or "").startswith("../local/") for link in page.named("a"))
    assert page.named("img")[0]["alt"] == HOSTILE
    assert HOSTILE in page.text


def test_nothing_is_fetched_from_elsewhere() -> None:
    page = Page(gallery_page("Mira", [result()], [], NOW))

    [policy] = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert str(policy).startswith("default-src 'none'; img-src 'self' file:;")
    assert {tag for tag, _ in page.tags} & {"link", "script", "iframe", "object", "base"} == set()


def test_results_are_listed_by_flow_and_day_the_newest_first() -> None:
    other = result(30, flow="edit-expression")

    sections = by_flow_and_day([result(0), other, result(1), result(26)])

    assert [(flow, [day for day, _ in days]) for flow, days in sections] == [
        ("edit-expression", ["2026-11-22"]),
        ("age-progression", ["2026-11-22", "2026-11-21"]),
    ]


def test_two_characters_never_share_a_page() -> None:
    ids = ["Mira", "mira", "mi-ra", "mi_ra", "../mira", "", "a" * 300, "日本"]

    paths = {page_path(name) for name in ids}
    assert len(paths) == len(ids)
    assert all(STORED_PAGE.fullmatch(path) for path in paths)


@pytest.mark.parametrize(
    ("operation", "parameters", "age", "words"),
    [
        ("age_adjust", {"target_age": 65}, None, "Mira at age 65"),
        ("enhance", {}, 45, "Mira at age 45, restored"),
        ("swap", {}, None, "Mira in another picture"),
        ("edit", {"face_editor_mouth_smile": 60}, None, "another expression: mouth smile 60"),
        ("later", {}, None, "Mira: later"),
    ],
)
def test_a_picture_is_described_in_words(
    operation: str, parameters: dict[str, Any], age: int | None, words: str
) -> None:
    assert what_it_shows("Mira", operation, parameters, age).endswith(words)


def test_the_artifact_links_the_newest_and_shows_any_text_as_it_is() -> None:
    hostile = result(0, shows="[x](javascript:alert(1)) <b>")
    text = gallery_markdown("Mira", [hostile, *map(result, range(1, MAX_LISTED + 5))], "file:///p")

    first = "http://127.0.0.1:1/local/result/2026/11/"
    assert text.count(f"](<{first}") == MAX_LISTED
    assert "The page has 5 more." in text
    assert "(`file:///p`)" in text
    assert "[x]" not in gallery_markdown("Mira", [hostile], "http://127.0.0.1:1/p")

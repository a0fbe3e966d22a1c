"""Civitai's API, with good answers and with bad ones."""

from collections.abc import Iterator

import pytest

from storycanvas.catalog.civitai.client import CivitaiClient, HashHit
from storycanvas.catalog.civitai.pages import walk
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.catalog.civitai.version_files import version_files_of_answer
from storycanvas.catalog.errors import (
    AnswerUnreadable,
    CatalogBusy,
    CatalogError,
    CatalogRefused,
    CatalogUnreachable,
    NotThere,
)
from tests.support.catalog.civitai_server import (
    BROKEN_OFF,
    HTML,
    OVERLOADED,
    TOO_MANY,
    TRUNCATED,
    Answer,
    CivitaiServer,
    as_json,
    page,
)

ASKED = CivitaiQuery(types=["LORA"], query="a&b|c é")
CURSOR = "10871|121458|5062"
SHA256 = "AB" * 32
OTHER = "CD" * 32
KEY = "key-of-an-account"
Site, Client = CivitaiServer, CivitaiClient


@pytest.fixture
def site() -> Iterator[CivitaiServer]:
    with CivitaiServer() as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[CivitaiClient]:
    with CivitaiClient(site.url, KEY) as opened:
        yield opened


def test_a_walk_reads_all_pages_by_their_cursors(site: Site, client: Client) -> None:
    site.pages = {None: page([{"id": 1}], CURSOR), CURSOR: page([{"id": 2}])}

    walked = list(walk(lambda cursor: client.page(ASKED, cursor)))

    assert [(step.cursor, step.items) for step in walked] == [
        (None, [{"id": 1}]),
        (CURSOR, [{"id": 2}]),
    ]
    assert [step.problem for step in walked] == [None, None]


def test_a_walk_goes_on_from_a_kept_cursor(site: Site, client: Client) -> None:
    site.pages = {CURSOR: page([{"id": 2}])}

    assert [step.items for step in walk(lambda at: client.page(ASKED, at), CURSOR)] == [[{"id": 2}]]


def test_every_page_is_asked_for_with_the_filters(site: Site, client: Client) -> None:
    site.pages = {CURSOR: page([])}

    client.page(ASKED, CURSOR)

    assert site.asked[0].query == {
        "limit": ["100"],
        "types": ["LORA"],
        "sort": ["Highest Rated"],
        "query": ["a&b|c é"],
        "cursor": [CURSOR],
    }


def test_the_key_is_sent_as_a_header_only(site: Site, client: Client) -> None:
    site.pages = {None: page([])}

    client.page(ASKED)

    assert site.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(site.asked[0].query)


def test_without_a_key_no_authorization_is_sent(site: Site) -> None:
    site.pages = {None: page([])}

    with CivitaiClient(site.url) as client:
        client.page(ASKED)

    assert "authorization" not in site.asked[0].headers


def test_every_request_waits_for_its_turn(site: Site) -> None:
    turns: list[int] = []
    site.pages, site.models = {None: page([])}, {5: {"id": 5}}

    with CivitaiClient(site.url, before_call=lambda: turns.append(len(site.asked))) as client:
        client.page(ASKED)
        client.version_by_hash(SHA256)
        client.model(5)
        client.ids_by_hash([f"{number:064X}" for number in range(1, 10_002)])

    assert turns == [0, 1, 2, 3, 4]


ELSEWHERE = "http://elsewhere.example"
NEXT: dict[str, tuple[object, str | None]] = {
    "text": ({"nextCursor": CURSOR}, CURSOR),
    "number": ({"nextCursor": 4711}, "4711"),
    "address": ({"nextPage": f"{ELSEWHERE}/api?limit=5&cursor=10871%7C121458%7C5062"}, CURSOR),
    "number of the page": ({"nextPage": f"{ELSEWHERE}/?page=2&limit=100"}, "offset=100"),
    "number of a short page": ({"nextPage": f"{ELSEWHERE}/?page=3", "pageSize": 20}, "offset=40"),
    "number of pages": ({"currentPage": 1, "totalPages": 2, "pageSize": 100}, "offset=100"),
    "last of the pages": ({"currentPage": 2, "totalPages": 2, "nextPage": None}, None),
    "no number": ({"nextCursor": None, "nextPage": f"{ELSEWHERE}/?page=two"}, None),
    "blank": ({"nextCursor": "", "nextPage": 7}, None),
    "bool": ({"nextCursor": True}, None),
    "empty": ({}, None),
    "null": (None, None),
    "list": ([], None),
}


@pytest.mark.parametrize(("metadata", "expected"), NEXT.values(), ids=NEXT)
def test_the_next_page_is_named_in_several_ways(
    site: Site, client: Client, metadata: object, expected: str | None
) -> None:
    site.pages = {None: as_json({"items": [], "metadata": metadata})}

    assert client.page(ASKED).next_cursor == expected


def test_the_page_after_a_shorter_one_begins_where_that_ends(site: Site, client: Client) -> None:
    """After 150 items a page of 100 cannot begin, so one of 50 is asked for, the fourth."""
    numbers = {"currentPage": 4, "totalPages": 9}
    site.pages = {None: as_json({"items": [], "metadata": numbers})}

    assert client.page(CivitaiQuery(limit=100), "offset=150").next_cursor == "offset=200"
    assert site.asked[0].query["limit"] == ["50"]


BAD_PAGES: dict[str, tuple[Answer, type[CatalogError]]] = {
    "HTML": (HTML, AnswerUnreadable),
    "truncated": (TRUNCATED, AnswerUnreadable),
    "connection broken off": (BROKEN_OFF, CatalogUnreachable),
    "list": (as_json([]), AnswerUnreadable),
    "null": (as_json(None), AnswerUnreadable),
    "no items": (as_json({"items": None}), AnswerUnreadable),
    "items an object": (as_json({"items": {}}), AnswerUnreadable),
    "429": (TOO_MANY, CatalogBusy),
    "503": (OVERLOADED, CatalogBusy),
    "401": (Answer(401, b'{"error": "Unauthorized"}'), CatalogRefused),
}


@pytest.mark.parametrize(("trouble", "error"), BAD_PAGES.values(), ids=BAD_PAGES)
def test_the_error_of_a_bad_page_lacks_the_key(
    site: Site, client: Client, trouble: Answer, error: type[CatalogError]
) -> None:
    site.troubles = [trouble]

    with pytest.raises(error) as caught:
        client.page(ASKED, "secret-cursor")

    assert KEY not in str(caught.value)
    assert "secret-cursor" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"items": [{"id": 1}], "metadata": {"nextPage": "http://[half/?cursor=1"}}),
        page([{"id": 1}], "x" * 5000),
    ],
    ids=["no address", "a cursor without end"],
)
def test_a_page_whose_cursor_is_none_keeps_its_items_and_ends_the_list(
    site: Site, client: Client, answer: Answer
) -> None:
    site.pages = {None: answer}

    [walked] = walk(lambda cursor: client.page(ASKED, cursor))

    assert (walked.items, walked.next_cursor) == ([{"id": 1}], None)
    assert walked.problem
    assert walked.problem.reason.endswith("so the list ends here.")


def test_the_error_of_a_busy_site_has_its_wait(site: Site, client: Client) -> None:
    site.troubles = [TOO_MANY]

    with pytest.raises(CatalogBusy) as caught:
        client.page(ASKED)

    assert caught.value.wait_seconds == 7


def test_a_key_that_cannot_be_sent_is_refused_without_showing_it() -> None:
    with pytest.raises(CatalogRefused) as caught:
        CivitaiClient("http://127.0.0.1:1", "key\nof-an-account")

    assert "of-an-account" not in str(caught.value)


def test_a_list_that_names_the_same_cursor_again_ends(site: Site, client: Client) -> None:
    site.pages = {
        None: page([{"id": 1}], "a"),
        "a": page([{"id": 2}], "b"),
        "b": page([{"id": 3}], "a"),
    }

    *_, last = walk(lambda cursor: client.page(ASKED, cursor))

    assert len(site.asked) == 3
    assert last.problem
    assert last.problem.subject == "cursor a"


def test_files_are_found_by_their_sums(site: Site, client: Client) -> None:
    site.hits = {SHA256: [{"modelVersionId": 12, "modelId": 1, "hash": SHA256}]}

    assert client.ids_by_hash([SHA256.lower(), OTHER]) == [HashHit(SHA256, 1, 12)]


def test_an_invalid_sum_spoils_no_lookup(site: Site, client: Client) -> None:
    site.hits = {SHA256: [{"modelVersionId": 12, "modelId": 1, "hash": SHA256}]}

    hits = client.ids_by_hash(["", "xyz", SHA256[:10], SHA256, SHA256])

    assert [hit.version_id for hit in hits] == [12]
    assert site.asked[0].body == [SHA256]


def test_nothing_to_look_up_costs_no_request(site: Site, client: Client) -> None:
    assert client.ids_by_hash([]) == []
    assert site.asked == []


def test_bad_rows_of_a_lookup_are_skipped(site: Site, client: Client) -> None:
    good = {"modelVersionId": 12, "modelId": 1, "hash": SHA256}
    bad = [
        None,
        [],
        {},
        {**good, "hash": OTHER},
        {**good, "modelId": "1"},
        {**good, "modelVersionId": True},
    ]
    site.hits = {SHA256: [*bad, good]}

    assert client.ids_by_hash([SHA256]) == [HashHit(SHA256, 1, 12)]


def test_a_lookup_that_answers_no_list_is_unreadable(site: Site, client: Client) -> None:
    site.troubles = [as_json({"error": "none"})]

    with pytest.raises(AnswerUnreadable):
        client.ids_by_hash([SHA256])


def test_a_version_is_found_by_a_hash_of_any_kind(site: Site, client: Client) -> None:
    file = {"name": "a.safetensors", "type": "Model", "hashes": {"AutoV3": "0123456789AB"}}
    site.versions = {
        "0123456789AB": {
            "id": 12,
            "modelId": 1,
            "name": "v1",
            "model": {"name": "A", "type": "LORA"},
            "files": [file],
        }
    }

    (found,) = version_files_of_answer(client.version_by_hash("0123456789ab"))

    assert (found.model_id, found.version_id, found.model_name, found.kind) == (1, 12, "A", "lora")


def test_an_unknown_hash_is_no_error(client: Client) -> None:
    assert client.version_by_hash(SHA256) is None


@pytest.mark.parametrize("digits", ["", "../models/1", "ABCDEFGH", "A" * 65])
def test_an_invalid_hash_is_not_looked_up(site: Site, client: Client, digits: str) -> None:
    with pytest.raises(CatalogRefused):
        client.version_by_hash(digits)

    assert site.asked == []


def test_a_model_is_read_by_its_id(site: Site, client: Client) -> None:
    site.models = {5: {"id": 5}}

    assert client.model(5) == {"id": 5}
    with pytest.raises(NotThere):
        client.model(6)

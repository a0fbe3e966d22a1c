"""A Civitai on loopback: pages by cursor, lookups by hash, and every way to answer badly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.catalog.comfyui_server import Answer as Sent
from tests.support.catalog.comfyui_server import ComfyuiServer, Request


@dataclass(frozen=True)
class Answer:
    """What is sent; a `cut` answer announces more than it sends."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: Any


def as_json(value: object) -> Answer:
    return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def page(items: list[Any], next_cursor: str | None = None) -> Answer:
    return as_json({"items": items, "metadata": {"nextCursor": next_cursor} if next_cursor else {}})


HTML = Answer(body=b"<!DOCTYPE html><title>Just a moment</title>")
TOO_MANY = Answer(429, b'{"error": "Too many requests"}', {"Retry-After": "7"})
OVERLOADED = Answer(503, b'{"error": "Search is overloaded"}', {"Retry-After": "2"})
TRUNCATED = Answer(body=b'{"items": [{"id": 1, "na')
BROKEN_OFF = Answer(body=b'{"items": [', cut=True)


class CivitaiServer(ComfyuiServer):
    """Serves what its fields say.

    Attributes:
        pages: By the cursor that they begin at; None for the first page.
        versions: Answers of a lookup by hash, by the upper-case hash.
        hits: Rows of a bulk lookup, by the SHA-256 that is asked for; of any shape.
        models: Items by id.
        troubles: Sent one after the other instead of the next answers.
        asked: All requests so far.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.pages: dict[str | None, Answer] = {}
        self.versions: dict[str, Any] = {}
        self.hits: dict[str, list[Any]] = {}
        self.models: dict[int, Any] = {}
        self.troubles: list[Answer] = []
        self.asked: list[Asked] = []

    def answer_request(self, request: Request, target: str) -> Sent:
        address, headers = urlsplit(target), {k.lower(): v for k, v in request.headers.items()}
        body = json.loads(request.body) if request.body else None
        query = parse_qs(address.query)
        answer = self.answer(Asked(request.method, address.path, query, headers, body))
        cut = {"Content-Length": str(len(answer.body) + 100)} if answer.cut else {}
        return Sent(answer.body, answer.status, {**cut, **answer.headers})

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.troubles:
            return self.troubles.pop(0)
        *_, kind, last = asked.path.split("/")
        if last == "models":
            return self.pages.get(asked.query.get("cursor", [None])[0], _refused("Invalid cursor"))
        if last == "ids":
            return self._ids(asked.body)
        if kind == "by-hash":
            found = self.versions.get(last.upper())
        else:
            found = self.models.get(int(last)) if last.isdigit() else None
        return Answer(404, b'{"error": "Not found"}') if found is None else as_json(found)

    def _ids(self, sha256s: list[str]) -> Answer:
        if len(sha256s) > 10_000 or any(len(sha256) != 64 for sha256 in sha256s):
            return _refused("Invalid hashes")
        return as_json([row for sha256 in sha256s for row in self.hits.get(sha256, [])])


def _refused(reason: str) -> Answer:
    return Answer(400, json.dumps({"error": reason}).encode())

"""A list of Civitai on loopback that answers 500 wherever a page holds one of some models."""

from typing import Any

from tests.support.catalog.civitai_server import Answer, Asked, CivitaiServer, as_json

BROKEN = Answer(500, b'{"error": "Something went wrong"}', {"Retry-After": "0"})


def model(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "name": f"Model {number}", "type": "LORA", "modelVersions": []} | fields


class ListServer(CivitaiServer):
    """Serves models in their order, and in the opposite one with the sort `Oldest`.

    Attributes:
        listed: The models, the newest first.
        ranked: Their ids in the order of the ranking; empty where it is the same.
        broken: Ids of models without which a page is answered.
        broken_orders: Orders in which these break a page; all when empty.
        hidden: Ids of models that are left out of the page that they are on.
        numbered: Whether pages are named by number instead of by cursor.
        is_down: Whether every request is answered with 500.
    """

    def __init__(self, *, numbered: bool = False) -> None:
        super().__init__()
        self.listed: list[dict[str, Any]] = []
        self.ranked: list[int] = []
        self.broken: set[int] = set()
        self.broken_orders: set[str] = set()
        self.hidden: set[int] = set()
        self.numbered = numbered
        self.is_down = False

    @property
    def places(self) -> list[tuple[str, int, int]]:
        """Order, offset and length of each page that was asked for."""
        return [_place(asked) for asked in self.asked if asked.path.endswith("/models")]

    def answer(self, asked: Asked) -> Answer:
        if self.is_down or self.troubles or not asked.path.endswith("/models"):
            answer = super().answer(asked)
            return BROKEN if self.is_down else answer
        self.asked.append(asked)
        sort, offset, limit = _place(asked)
        models = self._in_order(sort)
        items = models[offset : offset + limit]
        is_broken = not self.broken_orders or sort in self.broken_orders
        if is_broken and self.broken & {item["id"] for item in items}:
            return BROKEN
        items = [item for item in items if item["id"] not in self.hidden]
        metadata: dict[str, Any] = {}
        if self.numbered:
            page, pages = offset // limit + 1, -(-len(models) // limit)
            metadata = {"currentPage": page, "pageSize": limit, "totalPages": pages}
        elif offset + limit < len(models):
            metadata = {"nextCursor": f"{sort}|{offset + limit}"}
        return as_json({"items": items, "metadata": metadata})

    def _in_order(self, sort: str) -> list[dict[str, Any]]:
        if sort == "Oldest":
            return self.listed[::-1]
        if sort == "Highest Rated" and self.ranked:
            return sorted(self.listed, key=lambda item: self.ranked.index(item["id"]))
        return self.listed


def _place(asked: Asked) -> tuple[str, int, int]:
    query = asked.query
    limit, sort = int(query["limit"][0]), query["sort"][0]
    offset = (int(query.get("page", ["1"])[0]) - 1) * limit
    if "cursor" in query:
        offset = int(query["cursor"][0].partition("|")[2])
    return sort, offset, limit

"""The application, with an OpenAPI document that lists every error, header and example."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from storycanvas.faces.contract import API
from storycanvas.faces.pictures.formats import CONTENT_TYPES
from storycanvas.host.api.errors import described
from storycanvas.host.api.texts import (
    ABOUT,
    ACCEPTED,
    ACCEPTED_ENGINE,
    ANSWERS,
    FIELDS,
    PICTURE_NAME,
    REMOVED,
    REQUESTS,
    RETRY_AFTER,
    SCHEMAS,
    WHO_MAY_CALL,
)

Json = dict[str, Any]

CONTRACT_VERSION = "1"
_JSON = "application/json"
_PICTURE_STATUSES = (400, 401, 404, 500)
_STATUSES = {
    ("/status", "get"): (),
    ("/assets", "post"): (400, 401, 413, 415, 500, 503, 504),
    ("/assets/{name}", "get"): _PICTURE_STATUSES,
    ("/assets/{name}", "head"): _PICTURE_STATUSES,
    ("/assets/{name}", "delete"): (400, 401, 500, 503),
    ("/engine/load", "post"): (400, 401, 422, 500, 503),
    ("/engine/unload", "post"): (400, 401, 422, 500, 503),
    ("/operations", "get"): (400, 401, 422, 500),
    ("/operations/{operation_id}", "get"): (400, 401, 404, 422, 500),
    ("/operations/{operation_id}", "delete"): (400, 401, 404, 422, 500),
}
_OPERATION_STATUSES = (400, 401, 404, 409, 413, 415, 422, 429, 500, 503, 504)
_TEXT = {"type": "string"}
_TAKEN = {
    "Location": {"description": "Where the operation is found.", "schema": _TEXT},
    "Preference-Applied": {"description": "`respond-async`.", "schema": _TEXT},
}
_ERROR = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}
_RETRY_AFTER = {
    "Retry-After": {"description": RETRY_AFTER, "schema": {"type": "integer", "minimum": 1}}
}
_BINARY = {"type": "string", "format": "binary"}


class HostApi(FastAPI):
    """An application whose document adds what FastAPI cannot derive."""

    def openapi(self) -> Json:
        """Make the document of the contract, once."""
        if self.openapi_schema is None:
            complete(super().openapi())
        return super().openapi()


def complete(document: Json) -> None:
    """Add errors, headers, examples, descriptions and the token to FastAPI's document, in place."""
    document["info"]["description"] = ABOUT
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, schema in schemas.items():
        _describe(name, schema)
    token = {"type": "http", "scheme": "bearer", "description": WHO_MAY_CALL}
    document["components"]["securitySchemes"] = {"token": token}
    for path, method, operation in _operations(document):
        statuses = _STATUSES.get((path, method), _OPERATION_STATUSES)
        operation["security"] = [{"token": []}, {}] if statuses else []
        _set_errors(operation["responses"], statuses, with_body=method != "head")
        if path == "/status":
            _set_not_ready(operation["responses"])
        _set_examples(path.removeprefix("/"), operation)
        if path.startswith("/engine/"):
            answer = operation["responses"]["202"]
            answer["description"] = ACCEPTED_ENGINE
            del answer["headers"]
        if path == "/assets/{name}":
            _set_picture(operation, method)


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path.removeprefix(API), method, operation


def _describe(name: str, schema: Json) -> None:
    if name in SCHEMAS:
        schema["description"] = SCHEMAS[name]
    for field, properties in schema.get("properties", {}).items():
        if field in FIELDS:
            properties.setdefault("description", FIELDS[field])


def _set_errors(responses: Json, statuses: tuple[int, ...], *, with_body: bool) -> None:
    for refused in responses.keys() - {"200", "202", "204"}:
        del responses[refused]
    if "202" in responses:
        responses["202"] |= {"description": ACCEPTED, "headers": _TAKEN}
    for status in statuses:
        answer: Json = {"description": described(status)}
        if with_body:
            answer["content"] = {_JSON: _ERROR}
        if status in {429, 503}:
            answer["headers"] = _RETRY_AFTER
        if status == 401:  # noqa: PLR2004 - it reads better than a name
            answer["headers"] = {"WWW-Authenticate": {"schema": {"const": "Bearer"}}}
        responses[str(status)] = answer


def _set_not_ready(responses: Json) -> None:
    """A status is the same document where nothing can be done, for those who read its code only."""
    responses["503"] = {
        "description": "The same, while nothing can be done: starting, stopping or failed.",
        "content": responses["200"]["content"],
        "headers": _RETRY_AFTER,
    }


def _set_examples(path: str, operation: Json) -> None:
    if path in REQUESTS:
        operation["requestBody"]["content"][_JSON]["example"] = REQUESTS[path]
        operation["responses"]["200"]["content"][_JSON]["example"] = ANSWERS[path]


def _set_picture(operation: Json, method: str) -> None:
    name = operation["parameters"][0]
    name["description"] = PICTURE_NAME
    name["schema"]["pattern"] = rf"^(asset:)?[0-9a-f]{{64}}\.({'|'.join(CONTENT_TYPES)})$"
    if method == "delete":
        operation["responses"]["204"] = {"description": REMOVED}
        return
    answer = operation["responses"]["200"] = {
        "description": "The picture, whole: a `Range` is not looked at.",
        "headers": {"ETag": {"description": "Its SHA-256.", "schema": {"type": "string"}}},
    }
    if method == "get":
        answer["content"] = {kind: {"schema": _BINARY} for kind in CONTENT_TYPES.values()}

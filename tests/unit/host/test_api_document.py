"""docs/host-api.json describes what the host takes and answers."""

import json
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from storycanvas.faces.contract import API, ErrorAnswer, OperationAnswer
from storycanvas.faces.operations import OPERATIONS, FaceOperation
from storycanvas.faces.pictures.formats import CONTENT_TYPES
from storycanvas.host.api.document import DOCUMENT, main
from storycanvas.host.api.requests import request_model
from storycanvas.host.api.texts import ANSWERS, FIELDS, REQUESTS, SCHEMAS

CONTRACT: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = CONTRACT["components"]["schemas"]
CALLS = [
    pytest.param(path, method, call, id=f"{method} {path.removeprefix(API)}")
    for path, calls in CONTRACT["paths"].items()
    for method, call in calls.items()
]
every_call = pytest.mark.parametrize(("path", "method", "call"), CALLS)
every_operation = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: operation.path
)


def test_the_document_is_not_stale() -> None:
    assert main(["--check"]) == 0, "run: python -m storycanvas.host.api.document"


def test_the_document_is_openapi() -> None:
    OpenAPI.model_validate(CONTRACT)


def test_the_document_speaks_of_no_engine() -> None:
    assert CONTRACT["info"]["version"] == "1"


@pytest.mark.parametrize("schema", SCHEMA)
def test_every_field_is_described(schema: str) -> None:
    texts = {name: field.get("description", "") for name, field in properties(schema).items()}
    assert {name for name, text in texts.items() if not text.endswith((".", "detect"))} == set()


def test_every_number_of_a_request_has_its_bounds() -> None:
    numbers = [
        (name, kind)
        for schema in SCHEMA
        if schema.endswith("Request")
        for name, field in properties(schema).items()
        for kind in [field, *field.get("anyOf", [])]
        if kind.get("type") in {"integer", "number"}
    ]
    assert numbers
    assert [name for name, kind in numbers if not {"minimum", "maximum"} <= set(kind)] == []


def test_no_text_is_for_a_field_or_schema_that_is_gone() -> None:
    assert set(FIELDS) - {name for schema in SCHEMA for name in properties(schema)} == set()
    assert set(SCHEMAS) - set(SCHEMA) == set()


@every_operation
def test_an_operations_examples_are_what_the_host_takes_and_answers(
    operation: type[FaceOperation],
) -> None:
    call = CONTRACT["paths"][f"{API}/{operation.path}"]["post"]
    asked = call["requestBody"]["content"]["application/json"]["example"]
    answered = call["responses"]["200"]["content"]["application/json"]["example"]
    assert (asked, answered) == (REQUESTS[operation.path], ANSWERS[operation.path])
    request_model(operation).model_validate(asked)
    OperationAnswer.model_validate(answered, extra="forbid")


@every_operation
def test_an_operation_takes_an_idempotency_key(operation: type[FaceOperation]) -> None:
    parameter, prefer = CONTRACT["paths"][f"{API}/{operation.path}"]["post"]["parameters"]
    assert (prefer["name"], prefer["in"], prefer["required"]) == ("Prefer", "header", False)
    assert (parameter["name"], parameter["in"], parameter["required"]) == (
        "Idempotency-Key", "header", False,
    )  # fmt: skip
    assert "pattern" in json.dumps(parameter["schema"])


@every_call
def test_everything_but_the_status_may_need_the_token(
    path: str, method: str, call: dict[str, Any]
) -> None:
    is_open = path == f"{API}/status"
    assert call["security"] == ([] if is_open else [{"token": []}, {}])
    assert ("401" in call["responses"]) is not is_open
    assert method in {"get", "post", "head", "delete"}


@every_call
def test_an_error_has_the_contracts_body(path: str, method: str, call: dict[str, Any]) -> None:
    told = {"503"} if path == f"{API}/status" else set()  # a status is no error
    errors = {
        code: answer
        for code, answer in call["responses"].items()
        if code >= "400" and code not in told
    }
    wanted = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    bodies = [answer.get("content") for answer in errors.values()]
    assert bodies == [None if method == "head" else wanted] * len(errors), path
    assert set(properties(ErrorAnswer.__name__)) == {"error"}


@every_call
def test_a_passing_error_names_the_time_to_try_again(
    path: str, method: str, call: dict[str, Any]
) -> None:
    timed = {code for code, answer in call["responses"].items() if "Retry-After" in str(answer)}
    assert timed == set(call["responses"]) & {"429", "503"}, (path, method)


def test_a_picture_is_sent_as_bytes() -> None:
    (answer,) = [
        call["responses"]["200"]
        for path, calls in CONTRACT["paths"].items()
        for method, call in calls.items()
        if path == f"{API}/assets/{{name}}" and method == "get"
    ]
    assert set(answer["content"]) == set(CONTENT_TYPES.values())


def properties(schema: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA[schema].get("properties", {})
    return found

"""The requests of the six operations: their parameters and their picture fields."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, create_model
from starlette.requests import Request

from storycanvas.faces.operations import MEASURE, REFERENCE_IMAGE, Added, FaceOperation


class _WireNames(FaceOperation):
    """Over the wire a field has one name, its alias."""

    model_config = ConfigDict(populate_by_name=False)


_IS_PICTURE: dict[str, JsonValue] = {"x-picture": True}
"""Tells programs that make a form of the document which fields hold pictures."""
_MEASURED: Any = (
    Annotated[
        bool,
        Field(
            description="Whether the likeness of the changed face is measured, where the engine "
            "can. The picture is the same, and so is a request with the same idempotency key."
        ),
        Added(),
    ],
    True,
)


def request_model(operation: type[FaceOperation]) -> type[FaceOperation]:
    """Derive a model with the operation's own fields and a string field for each picture.

    The reference picture may be left out.
    """
    description = "`asset:<name>`, an absolute path below an allowed folder, or an allowed URL."
    pictures: dict[str, Any] = {
        field: (str, Field(description=description, json_schema_extra=_IS_PICTURE))
        for field in operation.pictures
    }
    shown = "A picture of the person whose face is worked on; as the other picture fields."
    pictures[REFERENCE_IMAGE] = (
        Annotated[str | None, Field(description=shown, json_schema_extra=_IS_PICTURE), Added()],
        None,
    )
    fields = pictures | ({MEASURE: _MEASURED} if operation.changes_faces else {})
    name = operation.__name__.removesuffix("Operation") + "Request"
    return create_model(name, __base__=(operation, _WireNames), __doc__=operation.__doc__, **fields)


def wants_measure(request: FaceOperation) -> bool:
    """Return whether the result of a request is to be measured."""
    return bool(getattr(request, MEASURE, False))


def operation_of(request: FaceOperation) -> FaceOperation:
    """Take the operation out of a request."""
    operation = next(base for base in type(request).__bases__ if issubclass(base, FaceOperation))
    return operation(**{field: getattr(request, field) for field in operation.model_fields})


def picture_values(request: FaceOperation) -> dict[str, str]:
    """Take the picture fields out of a request, in the order of the operation's inputs."""
    values = {field: getattr(request, field) for field in (REFERENCE_IMAGE, *request.pictures)}
    return {field: value for field, value in values.items() if value is not None}


def fingerprint(request: FaceOperation) -> str:
    """Hash a request to 64 hex digits; spelled-out defaults and `measure` make no difference."""
    fields = request.model_dump(mode="json", by_alias=True)
    fields.pop(MEASURE, None)
    asked = {"path": request.path, "fields": fields}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


_PREFERENCE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)((?:"(?:\\.|[^"\\])*"|[^,"])*)(?:,|$)"""
)


def preferences(headers: Iterable[str]) -> dict[str, str]:
    """Read the preferences of RFC 7240, section 2; what cannot be read is left out.

    Returns:
        The values by name, in lower case; of a preference that comes twice the first counts.
    """
    found: dict[str, str] = {}
    for name, rest in _PREFERENCE.findall(", ".join(headers)):
        value = rest.partition(";")[0].strip().removeprefix("=").strip()
        found.setdefault(name.lower(), value.strip('"'))
    return found


def caller_of(request: Request) -> str:
    """Name the token that a request came with; empty where tokens have no names."""
    return str(request.scope.get("caller", ""))

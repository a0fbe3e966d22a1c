"""The requests of the six operations: their parameters and their picture fields."""

import hashlib
import json
from typing import Any

from pydantic import ConfigDict, Field, create_model

from storycanvas.faces.operations import FaceOperation


class _WireNames(FaceOperation):
    """Over the wire a field has one name, its alias."""

    model_config = ConfigDict(populate_by_name=False)


def request_model(operation: type[FaceOperation]) -> type[FaceOperation]:
    """Derive a model with the operation's own fields and a string field for each picture."""
    description = "`asset:<name>`, an absolute path below an allowed folder, or an allowed URL."
    pictures: dict[str, Any] = {
        field: (str, Field(description=description)) for field in operation.pictures
    }
    name = operation.__name__.removesuffix("Operation") + "Request"
    return create_model(
        name, __base__=(operation, _WireNames), __doc__=operation.__doc__, **pictures
    )


def operation_of(request: FaceOperation) -> FaceOperation:
    """Take the operation out of a request."""
    operation = next(base for base in type(request).__bases__ if issubclass(base, FaceOperation))
    return operation(**{field: getattr(request, field) for field in operation.model_fields})


def picture_values(request: FaceOperation) -> dict[str, str]:
    """Take the picture fields out of a request, in the order of the operation's inputs."""
    return {field: getattr(request, field) for field in request.pictures}


def fingerprint(request: FaceOperation) -> str:
    """Hash a request to 64 hex digits; spelled-out defaults make no difference."""
    asked = {"path": request.path, "fields": request.model_dump(mode="json", by_alias=True)}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

"""Operations as people and documents write them: by name and value, told by field what is wrong."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.operations import KINDS, FaceOperation, parse_operation
from storycanvas.faces.plan import Gallery
from storycanvas.faces.preferences import Preferences
from storycanvas.net.wording import shown

USUAL_GALLERIES: Mapping[str, Gallery] = {
    "enhance": Gallery.ENHANCED_FACES,
    "age_adjust": Gallery.AGE_VARIANTS,
    "swap": Gallery.SWAPPED_FACES,
    "edit": Gallery.EDITED_EXPRESSIONS,
}
"""Where a result goes if nothing is said of it, by `operation_type`; the others go nowhere."""

_BOUNDS = {"less_than_equal": ("more than", "le"), "greater_than_equal": ("less than", "ge")}


def written_operation(
    operation_type: str, fields: Mapping[str, Any], preferences: Preferences
) -> tuple[FaceOperation, dict[str, str]]:
    """Make an operation of values as they were written, and find the source of each value.

    Args:
        operation_type: One of the six.
        fields: Values by stored names.
        preferences: Settings for what is left open.

    Raises:
        OutOfRange: A value does not fit; the sentence begins with its field.
    """
    for name, value in fields.items():
        if isinstance(value, bool):  # which would be read as 0 or 1
            raise OutOfRange(f"{name}: it takes neither true nor false")
    kind = KINDS[operation_type]
    try:
        parse_operation({"operation_type": operation_type, **fields})
    except ValidationError as error:
        raise OutOfRange(_fault(error, kind)) from error
    return preferences.resolve(kind, fitted={}, explicit=fields)


def unknown_field(operation_type: str, name: str, known: Mapping[str, str]) -> str:
    """Say that an operation has no field of a name, and which one may be meant.

    `known` gives the stored name for each name that is read.
    """
    close = get_close_matches(name, known, n=1)
    nearest = f"; the nearest name is {known[close[0]]}" if close else ""
    return f"{name}: {operation_type} has no such field{nearest}"


def _fault(error: ValidationError, kind: type[FaceOperation]) -> str:
    first = error.errors(include_url=False)[0]
    operation_type = kind.model_fields["operation_type"].default
    path = [str(part) for part in first["loc"] if str(part) != operation_type]
    aliases = {info.alias: name for name, info in kind.model_fields.items()}
    field = aliases.get(path[0], path[0]) if path else "fields"
    if first["type"] in _BOUNDS:
        how, bound = _BOUNDS[first["type"]]
        return f"{field}: {shown(first['input'])} is {how} {first['ctx'][bound]:g}"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"

"""Fields of blocks that may be left empty, as one plain field in Prefect's form.

Prefect shows `str | None` as two tabs, named by its types: `str` and `None`, of a secret `password`
and `None`. A field of one type that has no default may be left empty in the form, too. Only the
form is concerned: the block itself takes None as ever, and so do blocks that are stored.

    token: SecretStr | None = optional_field(title="Token", description="Token of the host.")
"""

from typing import Any

from pydantic import Field
from pydantic.config import JsonDict


def optional_field(*, title: str, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Make a field of a type or None, None by default, that the form shows without tabs.

    Args:
        title: What the form calls it.
        description: One sentence that stands below it.
    """
    return Field(None, title=title, description=description, json_schema_extra=_show_without_tabs)


def _show_without_tabs(schema: JsonDict) -> None:
    """Leave the type that is not null in a field's schema, and no default."""
    options = schema.pop("anyOf", None)
    for option in options if isinstance(options, list) else []:
        if isinstance(option, dict) and option.get("type") != "null":
            schema.update(option)
    schema.pop("default", None)

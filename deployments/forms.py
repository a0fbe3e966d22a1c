"""The run forms of the Prefect UI, in plain words: `register` shapes what `prefect deploy` made.

Prefect makes a form from a flow's types, and shows `str | None` as two tabs named `str` and `None`.
No type says "a text that may be left empty" to it: pydantic writes a default of null into the
schema, and Prefect's server refuses null for a field that has a default and one type.
"""

from collections.abc import Collection, Mapping
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

Schema = dict[str, Any]


def shape_forms(client: SyncPrefectClient, names: Collection[str]) -> None:
    """Shape the forms and descriptions of deployments; what is shaped already stays.

    Args:
        client: The client of the server that has the deployments.
        names: The deployments' names.
    """
    named = DeploymentFilter(name=DeploymentFilterName(any_=[*names]))
    for deployment in client.read_deployments(deployment_filter=named):
        description = first_paragraph(deployment.description or "")
        schema = form_schema(deployment.parameter_openapi_schema or {})
        if (description, schema) != (deployment.description, deployment.parameter_openapi_schema):
            shaped = DeploymentUpdate(description=description, parameter_openapi_schema=schema)
            client.update_deployment(deployment.id, shaped)


def first_paragraph(docstring: str) -> str:
    """Take what a docstring says first, as one line."""
    return " ".join(docstring.strip().partition("\n\n")[0].split())


def form_schema(schema: Mapping[str, Any]) -> Schema:
    """Make the schema whose form shows one plain field for each parameter.

    It accepts what the flow's own schema accepts; only a dropdown that may be left empty refuses
    an explicit null, which Prefect cannot express.
    """
    definitions = schema.get("definitions", {})
    fields = schema.get("properties", {})
    in_place = {name for name, found in definitions.items() if _is_put_in_place(found)}
    return {
        **schema,
        "properties": {name: _form_field(field, definitions) for name, field in fields.items()},
        "definitions": {n: found for n, found in definitions.items() if n not in in_place},
    }


def _form_field(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    options = field.get("anyOf", [field])
    kinds = [option for option in options if option.get("type") != "null"]
    if len(kinds) > 1:
        return {**field}
    kind = _without_reference(kinds[0], definitions)
    shaped = kind | {name: value for name, value in field.items() if name not in {"anyOf", "$ref"}}
    if "properties" in shaped:
        return _group(shaped, definitions)
    if "$ref" in shaped.get("items", {}):
        shaped["items"] = _without_reference(shaped["items"], definitions)
    if "description" in shaped:
        shaped["description"] = " ".join(shaped["description"].split())
    if len(kinds) < len(options) and (shaped.get("default") is None or "enum" not in kind):
        # Without a default the server accepts null, and the form sends what is filled in only.
        shaped.pop("default", None)
    return shaped


def _group(shaped: Schema, definitions: Mapping[str, Any]) -> Schema:
    """Shape the fields of a group.

    The form sends null for a list in a group that was left alone, and the server refuses that; with
    an empty list as default it sends the list.
    """
    fields = {n: _form_field(field, definitions) for n, field in shaped["properties"].items()}
    for field in fields.values():
        if field.get("type") == "array":
            field.pop("minItems", None)
            field["default"] = []
    kept = {name: value for name, value in shaped.items() if name != "default"}
    return {**kept, "description": " ".join(shaped["description"].split()), "properties": fields}


def _is_put_in_place(definition: Mapping[str, Any]) -> bool:
    return "enum" in definition or "properties" in definition


def _without_reference(kind: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Put a dropdown or a group in place; the form would show its class's docstring below it."""
    name = kind.get("$ref", "").rpartition("/")[2]
    found = definitions.get(name, {})
    return {**(found if _is_put_in_place(found) else kind)}

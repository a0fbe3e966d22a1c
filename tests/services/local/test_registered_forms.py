"""What `register` makes of deployments on a real Prefect server: forms and descriptions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    BlockDocumentCreate,
    BlockSchemaCreate,
    DeploymentScheduleCreate,
)
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled
from pydantic import SecretStr

from blocks import Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase
from blocks.environment import Environment
from deployments.blocks import create_blocks
from deployments.forms import first_paragraph, form_schema, shape_forms
from flows.age_progression import age_progression
from flows.migrate_db import migrate_db
from storycanvas.gpu.prefect_client import FastRetryTransport

NAME = f"forms-{uuid4().hex}"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def client(prefect_url: str) -> Iterator[SyncPrefectClient]:
    # SQLite refuses a write while flows of other tests write, longer than Prefect's client asks.
    patient = {"transport": FastRetryTransport()}
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        get_client(sync_client=True, httpx_settings=patient) as opened,
    ):
        yield opened


def deploy(client: SyncPrefectClient, flow: Flow[..., Any], **options: Any) -> UUID:
    """Make a deployment as `prefect deploy` does, from the flow's own types and docstring."""
    return client.create_deployment(
        client.create_flow(flow),
        NAME,
        description=flow.description,
        parameter_openapi_schema=flow.parameters.model_dump(),
        enforce_parameter_schema=True,
        **options,
    )


@pytest.fixture(scope="module")
def shaped(client: SyncPrefectClient) -> UUID:
    created = deploy(client, age_progression, tags=["faces"])
    shape_forms(client, [NAME])
    return created


def test_a_deployment_gets_the_plain_form_and_the_first_paragraph(
    client: SyncPrefectClient, shaped: UUID
) -> None:
    found = client.read_deployment(shaped)

    assert found.description == first_paragraph(age_progression.description or "")
    assert found.parameter_openapi_schema == form_schema(age_progression.parameters.model_dump())
    assert found.tags == ["faces"]


def test_the_server_accepts_null_where_a_field_may_be_left_empty(
    client: SyncPrefectClient, shaped: UUID
) -> None:
    parameters = {"character_id": "a", "base_image": None, "base_age": None, "preset": None}
    later = Scheduled(scheduled_time=datetime.now(UTC) + DAY)

    run = client.create_flow_run_from_deployment(shaped, parameters=parameters, state=later)

    assert run.parameters == parameters
    client.delete_flow_run(run.id)


def test_schedules_and_parameters_stay_as_they_are(client: SyncPrefectClient) -> None:
    nightly = DeploymentScheduleCreate(
        schedule=IntervalSchedule(interval=DAY), parameters={"dry_run": True}, active=False
    )
    options = {"schedules": [nightly], "parameters": {"dry_run": True}, "concurrency_limit": 1}
    before = client.read_deployment(deploy(client, migrate_db, **options))

    shape_forms(client, [NAME])

    after = client.read_deployment(before.id)
    changed = {
        field
        for field, value in before.model_dump(exclude={"updated"}).items()
        if value != after.model_dump()[field]
    }
    assert changed == {"description", "parameter_openapi_schema"}


@pytest.mark.parametrize("kind", [Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase])
def test_the_form_of_a_block_has_a_title_and_a_sentence_and_no_tabs(kind: type[Block]) -> None:
    for field in kind.model_json_schema()["properties"].values():
        assert "anyOf" not in field
        assert field["title"][0].isupper()
        assert field["description"].endswith(".")


def test_a_block_of_an_earlier_version_gets_the_newest_form_and_keeps_what_is_in_it(
    client: SyncPrefectClient,
) -> None:
    create_blocks(Environment(), replace=False)
    kind = client.read_block_type_by_slug("civitai").id
    fields = Civitai.model_json_schema()
    key = {**fields["properties"]["api_key"], "anyOf": [{"type": "string"}, {"type": "null"}]}
    fields["properties"]["api_key"] = key
    earlier = client.create_block_schema(BlockSchemaCreate(fields=fields, block_type_id=kind))
    data = {"url": "https://civitai.example", "api_key": "an old key"}
    client.create_block_document(
        BlockDocumentCreate(
            name=NAME, data=data, block_schema_id=earlier.id, block_type_id=earlier.block_type_id
        )
    )

    create_blocks(Environment(), replace=False)

    found = client.read_block_document_by_name(NAME, "civitai", include_secrets=True)
    assert found.block_schema
    assert "anyOf" not in found.block_schema.fields["properties"]["api_key"]
    assert found.data == data
    assert Civitai.load(NAME).api_key == SecretStr("an old key")
    client.delete_block_document(found.id)

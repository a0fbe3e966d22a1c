"""Each block asks the real service that it names, and says in a sentence what answers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from pymongo.database import Database

from blocks import Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase
from blocks.limits import create_limit, delete_limit
from deployments.blocks import KINDS, Checked, check_blocks, saved_blocks
from storycanvas.services.face_host import FaceHost as LocalHost
from storycanvas.services.ports import LOOPBACK, choose_port
from storycanvas.services.shared import acquire
from tests.support.catalog.civitai_server import CivitaiServer, page
from tests.support.paths import ROOT

pytestmark = pytest.mark.usefixtures("prefect")
NAME = f"check-{uuid4().hex}"


@pytest.fixture(autouse=True)
def _deleted_afterwards(prefect: None) -> Iterator[None]:  # noqa: ARG001 - it names the server
    yield
    with get_client(sync_client=True) as client:
        for kind, name in own_blocks():
            slug = kind.get_block_type_slug()
            client.delete_block_document(client.read_block_document_by_name(name, slug).id)


def own_blocks() -> list[tuple[type[Checked], str]]:
    return [(kind, name) for kind, name in saved_blocks() if name == NAME]


@pytest.fixture
def site() -> Iterator[CivitaiServer]:
    with CivitaiServer() as served:
        served.pages = {None: page([{"id": 1}])}
        yield served


@pytest.mark.usefixtures("limit")
def test_every_block_says_what_answers(
    host_url: str,
    mongo_url: str,
    database: Database[dict[str, Any]],
    site: CivitaiServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database.create_collection("characters")
    FaceHost(url=host_url).save(NAME)
    FaceHostFarm(hosts=[NAME]).save(NAME)
    StoryDatabase.model_validate({"mongo_url": mongo_url, "db_name": database.name}).save(NAME)
    ImageStoreBlock(url=tmp_path.as_uri()).save(NAME)
    Civitai.model_validate({"url": site.url, "api_key": "hunter2"}).save(NAME)

    assert check_blocks(own_blocks()) == 0

    host, farm, stored, pictures, civitai = capsys.readouterr().out.splitlines()
    guarded = rf"preview [\d.]+, 1 slot, guarded by gpu:{host_url.removeprefix('http://')}"
    assert re.fullmatch(rf"Face Host {NAME} answers: {guarded}\.", host)
    assert farm == f"Face Host Farm {NAME} answers with 1 host: {host}"
    place = f"database '{database.name}' with 1 collection."
    assert re.fullmatch(rf"Story Database {NAME} answers: MongoDB [\d.]+, {place}", stored)
    assert re.fullmatch(
        rf"Image Store {NAME} answers: its root is {tmp_path.as_uri()}\. [\d.]+ GB are free\.",
        pictures,
    )
    assert civitai == f"Civitai {NAME} answers: 1 item of its list, with its key."
    assert not any(tmp_path.iterdir())


def test_what_does_not_answer_is_one_sentence_each_and_the_others_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"{LOOPBACK}:{choose_port([])}"
    file = tmp_path / "file"
    file.write_text("in the way")
    FaceHost(url=f"http://{nowhere}").save(NAME)
    FaceHostFarm(hosts=["missing"]).save(NAME)
    ImageStoreBlock(url=file.as_uri()).save(NAME)
    Civitai.model_validate({"url": f"http://{nowhere}", "api_key": "hunter2"}).save(NAME)

    assert check_blocks(own_blocks()) == 1

    said = capsys.readouterr()
    host, farm, pictures, civitai = said.err.splitlines()
    assert said.out == ""
    assert host.startswith(f"Face Host {NAME} cannot be used: ")
    assert "names the Face Host block 'missing', which does not exist" in farm
    assert pictures.endswith("The root of the image store is not a folder.")
    assert nowhere in civitai
    assert "hunter2" not in said.err


def test_a_host_whose_limit_is_missing_or_zero_gets_no_work(tmp_path: Path) -> None:
    with acquire(LocalHost(), tmp_path) as lease:
        host = FaceHost(url=lease.url)
        missing = host.check()
        create_limit(host.limit_name, 0)
        zero = host.check()
        delete_limit(host.limit_name)

    assert missing.endswith(f"no work, because its limit {host.limit_name} does not exist.")
    assert zero.endswith(f"no work, because its limit {host.limit_name} is switched off or 0.")


def test_prefect_registers_all_of_them() -> None:
    argv = [sys.executable, "-m", "prefect", "block", "register", "-m", "blocks"]
    environment = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value() or ""}

    ended = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert "registered 5 blocks" in ended.stdout
    assert all(kind.get_block_type_name() in ended.stdout for kind in KINDS)

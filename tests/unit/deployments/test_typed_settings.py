"""White space around what an operator typed into a block or a variable is not part of it."""

import pytest

from blocks import Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase
from blocks.environment import Environment

ADDRESS = "http://127.0.0.1:9002"
PASTED = f" {ADDRESS}\n"


def test_blocks_strip_their_texts_and_secrets() -> None:
    host = FaceHost.model_validate({"url": PASTED, "token": " token\n"})
    store = ImageStoreBlock(url="memory://pictures\n", base_url=PASTED).open()
    database = StoryDatabase(mongo_url="mongodb://127.0.0.1/\n", db_name=" storyboard\n")

    assert host.url == Civitai(url=PASTED).url == ADDRESS
    assert host.limit_name == "gpu:127.0.0.1:9002"
    assert host.token is not None
    assert host.token.get_secret_value() == "token"
    assert (store.url, store.base_url) == ("memory://pictures", ADDRESS)
    assert database.mongo_url.get_secret_value() == "mongodb://127.0.0.1/"
    assert database.db_name == "storyboard"
    assert FaceHostFarm(hosts=["gpu-1\n"]).hosts == ["gpu-1"]


def test_variables_are_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("MONGO_URL", "DB_NAME", "FACEFUSION_URL", "IMAGE_STORE", "IMAGE_BASE_URL")
    for name in names:
        monkeypatch.setenv(name, PASTED)

    read = Environment()

    assert read.mongo_url is not None
    assert read.mongo_url.get_secret_value() == ADDRESS
    assert {getattr(read, name.lower()) for name in names[1:]} == {ADDRESS}

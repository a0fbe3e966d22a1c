"""What a run works with: blocks named default, else the environment."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks import Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase
from blocks.configured import (
    choose_database,
    civitai,
    document_trust,
    face_hosts,
    named_hosts,
    open_image_store,
)
from blocks.environment import ConfigurationUnusable, Environment, FaceHostNotNamed
from blocks.limits import create_limit, delete_limit
from deployments.blocks import create_blocks, follow_moved
from deployments.register import create_limits, remove_limit_of_moved_host
from storycanvas.services.record import Registered
from tests.support.services import running_prefect

ONE, TWO = "http://gpu-1.example:9002", "http://gpu-2.example:9002"


@pytest.fixture(scope="module", autouse=True)
def prefect(
    tmp_path_factory: pytest.TempPathFactory, with_prefect_database: Callable[[Path], Path]
) -> Iterator[None]:
    """A server of its own: the blocks named default would change what other tests work with."""
    state = with_prefect_database(tmp_path_factory.mktemp("configured") / "state")
    with (
        running_prefect(state) as server,
        temporary_settings({PREFECT_API_URL: server.url}),
    ):
        yield


def environment(urls: str) -> Environment:
    values = {"facefusion_url": urls, "facefusion_token": "secret", "mongo_url": None}
    return Environment.model_validate(values)


def test_a_named_database_gets_no_preview_pictures_unless_they_are_asked_for(
    tmp_path: Path,
) -> None:
    """Before any block is saved; a local host would be started where one is not named."""
    named = catalog(mongo_url="mongodb://db.example/", storycanvas_state=str(tmp_path))

    with pytest.raises(FaceHostNotNamed, match=r"MONGO_URL names the MongoDB .*; set FACEFUSION_"):
        face_hosts(named)

    assert list(tmp_path.iterdir()) == []
    create_limits(named)
    asked = named.model_copy(update={"facefusion_url": "preview"})
    [host] = face_hosts(asked)
    with host.client() as client:
        assert client.status().engine == "preview"
    assert named_hosts(asked) == ()


CHOICES = [
    ({"mongo_url": "mongodb://db.example/film"}, "'film' (named by the connection string)"),
    ({"mongo_url": "mongodb://db.example/film", "db_name": "story"}, "'story' (named by DB_NAME,"),
    ({"mongo_url": "mongodb://db.example/"}, "'storyboard' (the default name)"),
]


@pytest.mark.parametrize(("values", "named"), CHOICES)
def test_a_run_says_which_database_it_works_on(values: dict[str, str], named: str) -> None:
    choice = choose_database(catalog(**values))

    assert choice.describe().startswith(f"MongoDB at db.example:27017, database {named}")
    assert choice.describe().endswith("; server named by MONGO_URL.")


def test_a_database_block_without_a_name_takes_that_of_its_connection_string() -> None:
    url = SecretStr("mongodb://user:hidden@db.example/film?authSource=admin")
    for name, said in {
        "": "'film' (named by the c",
        "story": "'story' (named by the block",
    }.items():
        StoryDatabase(mongo_url=url, db_name=name).save("default", overwrite=True)

        choice = choose_database(catalog(db_name="other"))

        assert choice.describe().startswith(f"MongoDB at db.example:27017, database {said}")
        assert "hidden" not in choice.describe()
        assert choice.block.database_name == (name or "film")
    with pytest.raises(FaceHostNotNamed, match="the block story-database/default names"):
        face_hosts(catalog())


def shown(hosts: tuple[FaceHost, ...]) -> list[tuple[str, str, str]]:
    return [
        (host.url, host.limit_name, host.token.get_secret_value() if host.token else "")
        for host in hosts
    ]


EXPECTED = [
    (ONE, "gpu:gpu-1.example:9002", "secret"),
    (TWO, "gpu:gpu-2.example:9002", "secret"),
]


def test_a_variable_may_name_several_hosts() -> None:
    assert shown(face_hosts(environment(f"{ONE}, {TWO}/"))) == EXPECTED


@pytest.mark.parametrize("urls", [f"{ONE},http://user:hidden@gpu-2", ","], ids=["secret", "none"])
def test_an_address_that_is_none_is_refused_without_saying_it(urls: str) -> None:
    with pytest.raises(ConfigurationUnusable, match="FACEFUSION_URL") as refusal:
        face_hosts(environment(urls))

    assert "hidden" not in str(refusal.value)


def test_several_hosts_are_registered_as_blocks_that_a_farm_names() -> None:
    said = create_blocks(environment(f"{ONE},{TWO}"), replace=True)

    names = ["gpu-gpu-1-example-9002", "gpu-gpu-2-example-9002"]
    farm = FaceHostFarm.load("default")
    assert isinstance(farm, FaceHostFarm)
    assert farm.hosts == names
    assert said[-1] == "The block face-host-farm/default was saved."
    assert shown(face_hosts(environment("http://other.example:1"))) == EXPECTED


def test_a_farm_that_names_an_unknown_block_says_which() -> None:
    FaceHostFarm.register_type_and_schema()
    FaceHostFarm(hosts=["nowhere"]).save("default", overwrite=True)

    with pytest.raises(ConfigurationUnusable, match="Face Host block 'nowhere', which does not"):
        face_hosts(environment(ONE))


def test_only_the_block_that_holds_a_moved_variable_is_replaced() -> None:
    named = {"facefusion_url": ONE, "image_store": "file:///srv/images"}
    create_blocks(catalog(**named), replace=True)
    ImageStoreBlock(url="s3://edited").save("default", overwrite=True)

    create_blocks(
        catalog(**named | {"facefusion_url": TWO}), replace=False, replace_of=["FACEFUSION_URL"]
    )

    stored = (FaceHost.load("default"), ImageStoreBlock.load("default"))
    assert [block.model_dump()["url"] for block in stored] == [TWO, "s3://edited"]


def test_a_moved_address_changes_nothing_else_in_the_blocks_that_the_operator_edited() -> None:
    old = {
        "MONGO_URL": "mongodb://127.0.0.1:27017/?replicaSet=rs0",
        "FACEFUSION_URL": "http://127.0.0.1:9002",
        "IMAGE_STORE": "file:///srv/images",
    }
    before = Registered.of(
        old, {"MONGO_URL": "127.0.0.1:27017", "FACEFUSION_URL": "127.0.0.1:9002"}
    )
    StoryDatabase(
        mongo_url=SecretStr(f"{old['MONGO_URL']}&appName=mine"), db_name="mine", pool_size=21
    ).save("default", overwrite=True)
    FaceHost(url=old["FACEFUSION_URL"], token=SecretStr("edited")).save("default", overwrite=True)
    ImageStoreBlock(url=old["IMAGE_STORE"], base_url="https://app.example").save(
        "default", overwrite=True
    )
    written = documents()
    moved = {
        name: value.replace("27017", "40001").replace("9002", "41000")
        for name, value in old.items()
    }

    said = follow_moved(before, moved)
    create_blocks(catalog(**{name.lower(): value for name, value in moved.items()}), replace=False)

    expected = written.replace("127.0.0.1:27017", "127.0.0.1:40001")
    assert documents() == expected.replace("127.0.0.1:9002", "127.0.0.1:41000")
    assert said == [
        "The block story-database/default follows MONGO_URL, which has moved: 127.0.0.1:40001.",
        "The block face-host/default follows FACEFUSION_URL, which has moved: 127.0.0.1:41000.",
    ]


def documents() -> str:
    """The default blocks of a stack as they are stored, secrets too."""
    with get_client(sync_client=True) as client:
        stored = [
            client.read_block_document_by_name("default", slug, include_secrets=True).data
            for slug in ("story-database", "face-host", "image-store")
        ]
    return json.dumps(stored, sort_keys=True)


def test_the_limit_of_a_host_that_has_moved_is_removed_and_that_of_others_stays() -> None:
    before = Registered.of({}, {"FACEFUSION_URL": "127.0.0.1:9002"})
    FaceHost(url="http://127.0.0.1:41000").save("default", overwrite=True)
    FaceHostFarm(hosts=["default"]).save("default", overwrite=True)  # an earlier test's is stronger
    for name in ("gpu:127.0.0.1:9002", "gpu:127.0.0.1:41000"):
        create_limit(name, 1)

    remove_limit_of_moved_host(environment(ONE), before)

    assert not delete_limit("gpu:127.0.0.1:9002")
    assert delete_limit("gpu:127.0.0.1:41000")


def catalog(**values: str) -> Environment:
    return Environment.model_validate(values)


@pytest.mark.parametrize(
    ("named", "hosts"),
    [
        ("", []),
        ("pictures.example", [("pictures.example", None)]),
        (" Cdn.example:8443 ,, [::1]:80,", [("cdn.example", 8443), ("::1", 80)]),
    ],
)
def test_servers_that_documents_may_name_are_those_of_the_variable(
    named: str, hosts: list[tuple[str, int | None]]
) -> None:
    assert document_trust(catalog(image_url_hosts=named)).hosts == tuple(hosts)


@pytest.mark.parametrize("named", ["https://a.example", "a.example/x", "user@a.example"])
def test_a_server_that_is_none_is_refused_by_the_name_of_its_variable(named: str) -> None:
    with pytest.raises(ConfigurationUnusable, match="The variable IMAGE_URL_HOSTS cannot be used"):
        document_trust(catalog(image_url_hosts=named))


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("s3=bucket", "IMAGE_STORES cannot be used: 'bucket' is no"),
        ("x=nosuch://a", "IMAGE_STORES"),
    ],
)
def test_a_store_that_is_none_is_refused_by_the_name_of_its_variable(
    named: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationUnusable, match=sentence):
        open_image_store(catalog(image_stores=named))


def test_civitai_is_what_the_environment_names() -> None:
    found = civitai(catalog(civitai_url="http://127.0.0.1:8080/", civitai_api_key="key"))

    assert found.url == "http://127.0.0.1:8080"
    assert found.api_key
    assert found.api_key.get_secret_value() == "key"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hidden@civitai.example",
        "https://civitai.example?token=hidden",
        "https://[hidden]",
        "https://civitai.example:hidden",
        "ftp://",
    ],
)
def test_an_address_of_civitai_that_holds_a_secret_is_refused_without_saying_it(url: str) -> None:
    with pytest.raises(ConfigurationUnusable, match="CIVITAI_URL") as refusal:
        civitai(catalog(civitai_url=url))

    assert "hidden" not in str(refusal.value)


def test_a_saved_civitai_is_stronger_than_the_environment() -> None:
    Civitai(url="http://127.0.0.1:9999").save("default", overwrite=True)

    assert civitai(catalog(civitai_url="http://127.0.0.1:8080")).url == "http://127.0.0.1:9999"

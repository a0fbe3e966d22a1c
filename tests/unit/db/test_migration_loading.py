"""Migrations are found by the names of their files, and identified by their content."""

import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest

from db.migrations.engine.migration import Migration, load_migrations

SOURCE = '''"""Adds a field.

More about it.
"""

def up(work):
    pass

def check(database):
    pass
'''
RELEASED = (
    (1, "fb456c79cdd85c93d2fa7a3db50115a3d3c1456feef341fab9f89be700f519cd"),
    (1, "c118b764d8b1ddfe3ca33446e8f7217841bbccdb8f00bd0e639a81b30903e2e8"),
    (2, "04c5782720c0723cffee4005951a6abc74c0005293f45372028f01e7c550ddca"),
    (2, "76a75676bb32ccd3b72a5dc87b00e522e14351e2ab2d3396dc91fb16b11b30dc"),
    (3, "dcaa59bc7f424b3e072592561cca53122794c84152b4fda2337b44f5d0bfaffc"),
    (3, "9cc830139f3b3a864a661d408700b6c90bc36520fdb57094a5918c6cfe79c4ce"),
    (4, "4e32b750a05e3031dec18b47892445b1f25332216cf49b0939991983016f7cef"),
    (4, "e84a3bfe557c8e2626a22635c69f2307b61c5a897a0a88fd6db79262d73bc4a6"),
    (5, "7c9cf9cdb0a710d0d3da08f8779bc95230e98e0bada36971cee203b4d849c7ad"),
    (5, "f0fbc4f473c38af37f844cf8a98bed0872ab362e4dd7f9aea367e09af1f83361"),
    (5, "6a12bb8f45cf0c7c61096a388e784baf5230146c6ff6e702425f12b9b4f296e1"),
    (6, "e819c2aeb3278edae43e5b1069e3c7b399b3d22d6ef429f02b8e310ca58f607c"),
    (6, "b17e51eaf65d624f0eb543193a024f874bb1163490df18c1095961ef1d0e8344"),
    (6, "db77a10a522fc5a3e93492b83405b176ed85e6f5f17e2c05e26bb66cb6358705"),
    (7, "778804ad20dbe3b1a66a4119c09f0137a33c3e45f4d4ae693a659ba66d3dbd4a"),
    (7, "2555d1f9946b7cd91797dc394d57785347781a520975a28510b861b9323030c5"),
    (8, "386218d23eb8d705d51214d1da8cb00351eac42a63130631ee1af9630629c2e5"),
    (8, "9c5f970c54777774553a31b06a0b467609460e43d0374a1327ae10aa3dc6ac6f"),
    (9, "864c00a3077daf03022d112b687b42ee0377444a1b36712273589fc388b9597f"),
    (9, "de3c706eee2bbe86002cadcb615b6dc054a77d170dfdd85c209661785b26344c"),
)
"""Numbers and checksums of the files of earlier releases."""
Load = Callable[..., tuple[Migration, ...]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write a package of migrations, whose files are given by name, and load it."""
    made: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)

    def write_and_load(**files: str) -> tuple[Migration, ...]:
        package = tmp_path / f"made_{uuid4().hex}"
        package.mkdir()
        made.append(package.name)
        (package / "__init__.py").touch()
        for name, source in files.items():
            (package / f"{name}.py").write_bytes(source.encode())
        return load_migrations(import_module(package.name))

    yield write_and_load
    for name in [name for name in sys.modules if name.partition(".")[0] in made]:
        del sys.modules[name]


def checksum(load: Load, source: str) -> str:
    [migration] = load(m0001_some=source)
    return migration.checksum


def test_every_migration_has_a_number_a_name_a_sentence_and_a_way_back() -> None:
    migrations = load_migrations()

    assert [migration.number for migration in migrations] == [*range(1, len(migrations) + 1)]
    assert len({migration.name for migration in migrations}) == len(migrations) > 0
    for migration in migrations:
        assert migration.name.isidentifier()
        assert migration.description[0].isupper()
        assert migration.description.endswith(".")
        assert migration.checksum not in {"", sha256().hexdigest()}
        assert migration.down is not None


def test_a_database_that_an_earlier_release_migrated_is_accepted() -> None:
    known = {
        migration.number: {migration.checksum, *migration.former_checksums}
        for migration in load_migrations()
    }

    assert [file for file in RELEASED if file[1] not in known[file[0]]] == []


def test_a_module_is_read_by_its_name_and_its_first_line(load: Load) -> None:
    [migration] = load(m0012_two_words=SOURCE)

    assert (migration.number, migration.name) == (12, "two_words")
    assert migration.description == "Adds a field."
    assert str(migration) == "12 (two_words)"


def test_migrations_come_in_the_order_of_their_numbers(load: Load) -> None:
    migrations = load(m0010_b=SOURCE, m0002_c=SOURCE, m0001_d=SOURCE)

    assert [migration.number for migration in migrations] == [1, 2, 10]


def test_a_module_without_down_cannot_be_undone(load: Load) -> None:
    without, reversible = load(m0001_a=SOURCE, m0002_b=f"{SOURCE}\ndown = up\n")

    assert without.down is None
    assert reversible.down is not None


def test_a_checksum_changes_with_the_content_but_not_with_the_line_ends(load: Load) -> None:
    assert checksum(load, SOURCE) != checksum(load, f"{SOURCE}# Another line.\n")
    assert checksum(load, SOURCE) == checksum(load, SOURCE.replace("\n", "\r\n"))

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


def test_the_migrations_are_numbered_from_1_without_gap_or_double() -> None:
    numbers = [migration.number for migration in load_migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


def test_every_migration_has_a_name_of_its_own_and_a_sentence_about_it() -> None:
    migrations = load_migrations()

    assert len({migration.name for migration in migrations}) == len(migrations)
    for migration in migrations:
        assert migration.name.isidentifier()
        assert migration.description[0].isupper()
        assert migration.description.endswith(".")
        assert migration.checksum not in {"", sha256().hexdigest()}


def test_every_migration_can_be_undone() -> None:
    assert [migration.name for migration in load_migrations() if migration.down is None] == []


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


def test_any_change_of_a_file_changes_its_checksum(load: Load) -> None:
    assert checksum(load, SOURCE) != checksum(load, f"{SOURCE}# Another line.\n")


def test_a_copy_with_the_line_ends_of_windows_is_the_same_migration(load: Load) -> None:
    assert checksum(load, SOURCE) == checksum(load, SOURCE.replace("\n", "\r\n"))

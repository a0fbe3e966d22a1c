"""A numbered migration, and where all of them come from."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from pymongo.database import Database

from db import migrations
from db.connection import Document
from db.migrate.check import Check
from db.migrate.work import Work

Step = Callable[[Work], None]


@dataclass(frozen=True)
class Migration:
    """One step from a state of the database to the next.

    Attributes:
        number: Its place, from 1 on.
        name: What it is about, such as `character_fields`.
        description: The same in a sentence.
        checksum: SHA-256 of its file, in hexadecimal.
        up: Carries it out; may be killed and called again.
        check: Proves its result.
        down: Undoes it; None when it cannot be undone.
    """

    number: int
    name: str
    description: str
    checksum: str
    up: Step
    check: Callable[[Database[Document]], Check]
    down: Step | None = None

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


def load_migrations(package: ModuleType = migrations) -> tuple[Migration, ...]:
    """Import the numbered modules of a package.

    Args:
        package: Its modules are called `m`, four digits, an underscore and a name.

    Returns:
        The migrations by number.
    """
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple(_load(import_module(f"{package.__name__}.{name}")) for name in names)


def _load(module: ModuleType) -> Migration:
    number, _, name = module.__name__.rpartition(".")[2].removeprefix("m").partition("_")
    file = Path(module.__file__ or "")
    return Migration(
        number=int(number),
        name=name,
        description=(module.__doc__ or "").partition("\n")[0],
        # A checkout may change the ends of lines, and nothing else.
        checksum=sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest(),
        up=module.up,
        check=module.check,
        down=getattr(module, "down", None),
    )

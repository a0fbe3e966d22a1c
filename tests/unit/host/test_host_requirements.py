import re
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

NOT_ON_A_GPU_BOX = ("prefect", "pandas", "pymongo", "bson", "fsspec", "psycopg", "sqlalchemy")
IMPORT_ALL = """
import importlib, pkgutil, sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is not on a GPU box")

sys.meta_path.insert(0, Refused())
import storycanvas.host
modules = [
    module.name
    for module in pkgutil.walk_packages(storycanvas.host.__path__, "storycanvas.host.")
]
for name in modules:
    if not name.endswith("__main__"):
        importlib.import_module(name)
import storycanvas.host.__main__
print(len(modules))
"""


def test_all_of_the_host_can_be_imported_without_prefect_and_mongodb() -> None:
    program = IMPORT_ALL.format(blocked=NOT_ON_A_GPU_BOX)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    assert int(ended.stdout) > 30


@pytest.mark.parametrize("name", NOT_ON_A_GPU_BOX)
def test_the_hosts_requirements_do_not_name_it(name: str) -> None:
    locked = (ROOT / "requirements" / "host.txt").read_text()
    assert re.search(rf"^{name}\b", locked, re.MULTILINE) is None

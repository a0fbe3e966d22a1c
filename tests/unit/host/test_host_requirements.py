import re
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools import Distribution

from storycanvas.host.page.routes import FILES
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


def test_a_wheel_has_page_chains_and_the_mean_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    project = Distribution()
    project.parse_config_files(["pyproject.toml"])
    project.include_package_data = False  # what is listed goes in, whatever tracks the files
    build = project.get_command_obj("build_py")
    build.ensure_finalized()
    carried = {name for _, _, _, names in build.data_files for name in names}
    own = {path.name for path in (ROOT / "storycanvas/host/page/files").iterdir()}
    own |= {path.name for path in (ROOT / "storycanvas/faces/chains").glob("*.yaml")}
    own |= {path.name for path in (ROOT / "storycanvas/host/engines/preview").glob("*.txt")}
    assert {Path(name).name for name in carried} == own
    assert {file.name for file in FILES.values()} - own == {
        "swagger-ui-bundle.js", "swagger-ui.css",
    }  # fmt: skip


@pytest.mark.parametrize("name", NOT_ON_A_GPU_BOX)
def test_the_hosts_requirements_do_not_name_it(name: str) -> None:
    locked = (ROOT / "requirements" / "host.txt").read_text()
    assert re.search(rf"^{name}\b", locked, re.MULTILINE) is None

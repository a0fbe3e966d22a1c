"""An audit by users whose rights differ, on a server that asks who comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.audit.audit import audit
from db.connection import connect
from db.errors import DatabaseRefused
from storycanvas.services.mongod import Mongod
from storycanvas.services.process import Program
from storycanvas.services.shared import acquire
from tests.support.db.audit_findings import EARLIER, found, job, one_of
from tests.support.db.database_state import Data
from tests.support.db.stored_documents import NOW


class GuardedMongod(Mongod):
    """A standalone server that asks who comes."""

    name = "guarded_mongod"

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        return Program((*usual.argv, "--auth"), usual.directory, usual.environment)


@pytest.fixture
def guarded_url(tmp_path: Path) -> Iterator[str]:
    """A server with a user `app` who may read and write, and a user `viewer` who may read."""
    with acquire(GuardedMongod(standalone=True), tmp_path) as lease:
        root, admin = "root", connect(lease.url, "admin")
        admin.command("createUser", root, pwd=root, roles=["root"])
        admin.client.close()
        admin = connect(with_user(lease.url, "root"), "admin")
        for name, role in (("app", "readWrite"), ("viewer", "read"), ("stranger", "read")):
            where = "elsewhere" if name == "stranger" else "story"
            roles = [{"role": role, "db": where}]
            admin.command("createUser", name, pwd=name, roles=roles)
        admin.client.close()
        yield lease.url


def with_user(url: str, name: str) -> str:
    return url.replace("mongodb://", f"mongodb://{name}:{name}@") + "&authSource=admin"


def as_user(url: str, name: str) -> Data:
    return connect(with_user(url, name), "story")


def test_rights_that_are_missing_end_only_what_needs_them(guarded_url: str) -> None:
    app, viewer = as_user(guarded_url, "app"), as_user(guarded_url, "viewer")
    stranger = as_user(guarded_url, "stranger")
    app["projects"].insert_one({"id": 1})
    app["facefusion_jobs"].insert_one(job(1, lease_expires_at=EARLIER))

    for user in (app, viewer):
        report = audit(user, NOW)
        assert found(report, "not looked at") == {("all collections", "use of indexes"): 0}
        assert "clusterMonitor" in one_of(report, "not looked at").remedy
        assert ("projects", "id: Input should be a valid string") in found(
            report, "invalid document"
        )
    with pytest.raises(DatabaseRefused, match="refuses this user"):
        audit(viewer, NOW, fix=True)
    with pytest.raises(DatabaseRefused, match="refuses this user"):
        audit(stranger, NOW)
    for user in (app, viewer, stranger):
        user.client.close()

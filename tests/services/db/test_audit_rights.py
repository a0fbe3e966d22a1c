"""An audit by users whose rights differ, on a server that asks who comes."""

import pytest

from db.audit.audit import audit
from db.errors import DatabaseRefused
from tests.support.db.audit_findings import EARLIER, found, job, one_of
from tests.support.db.fixtures import as_user
from tests.support.db.stored_documents import NOW


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

"""Migrations are tested on the topology that is faster: they use no transactions.

`tests/system/test_killed_migration.py` takes an old database up and down on both.
"""

from typing import Any

import pytest
from pymongo.database import Database


@pytest.fixture
def database(standalone: Database[dict[str, Any]]) -> Database[dict[str, Any]]:
    return standalone

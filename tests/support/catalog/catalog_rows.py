"""Listed models, and reading back what is stored of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from pymongo.database import Database

from db.catalog.listing.compare import ListedModel
from db.catalog.server_rows import BackendRef

Data = Database[dict[str, Any]]

BOX = BackendRef("box", "Box", "http://127.0.0.1:8188")
MONDAY = datetime(2026, 11, 16, 3, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
SHA256 = "BEFC694A296F75E996488EBF9F9DB8A1493BD059B6E704B975829E87D5AEB4FA"


def a_model(name: str = "loras/hero_v1.safetensors", /, **facts: Any) -> ListedModel:
    folder, _, path = name.partition("/")
    plain: dict[str, Any] = {
        "raw_name": path,
        "size": 1000,
        "modified": 1_700_000_000.5,
        "hashes": {},
        "metadata": [],
        "model_type": folder.removesuffix("s"),
    }
    return ListedModel(folder, path, **{**plain, **facts})


def listing(*models: ListedModel | str) -> pd.DataFrame:
    rows = [a_model(model) if isinstance(model, str) else model for model in models]
    return pd.DataFrame(rows, columns=[*ListedModel._fields], dtype=object)


def stored(database: Data, collection: str = "active_backend_models") -> dict[str, Any]:
    """Every document by its id."""
    return {row["id"]: row for row in database[collection].find()}

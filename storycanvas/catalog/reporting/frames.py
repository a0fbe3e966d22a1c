"""What is new, gone, changed and unmatched among the models, and how many there are of each kind.

Every function takes a table of models (`storycanvas.catalog.reporting.models_frame.models_frame`)
and leaves it as it is. The lists of new, gone and changed models have the columns id, backend_id,
model_type, folder, model_name, base_model, size and the moment; the latest model comes first.
"""

from datetime import datetime, timedelta

import pandas as pd

MAX_PLACES = 20
"""Places that are listed; the rest is counted."""

_COLUMNS = [
    "model_name", "known_by", "copies", "servers", "size", "bytes_freeable", "places",
]  # fmt: skip


def duplicates(models: pd.DataFrame) -> pd.DataFrame:
    """List files that active models have in common, what would free most bytes first.

    Files are the same by SHA256, else by BLAKE3, else by name and size. A file without a hash
    counts as the one that all others of its name and size are, if that is a single one.

    Returns:
        Columns model_name, known_by (`sha256`, `blake3` or `name and size`), copies, servers (how
        many have it), size, bytes_freeable (all copies but one; servers that share a disk have a
        single copy already), places (`server: folder/path`, at most `MAX_PLACES`).
    """
    active = models[models["is_active"]].reset_index(drop=True)
    keyed = active.assign(key=_keys(active)).dropna(subset="key")
    several = keyed[keyed.duplicated("key", keep=False)].sort_values(["key", "id"])
    if several.empty:
        return pd.DataFrame(columns=_COLUMNS)
    found = (
        several.assign(place=_places(several))
        .groupby("key", as_index=False)
        .agg(
            model_name=("model_name", "first"),
            copies=("id", "size"),
            servers=("backend_id", "nunique"),
            size=("size", "max"),
            places=("place", _listed),
        )
    )
    found["known_by"] = found["key"].str.partition(":")[0].astype(object)
    found["bytes_freeable"] = found["size"] * (found["copies"] - 1)
    order = ["bytes_freeable", "model_name", "key"]
    ascending = [False, True, True]
    return found.sort_values(order, ascending=ascending, ignore_index=True)[_COLUMNS]


def _keys(models: pd.DataFrame) -> pd.Series:
    """Make a key for what each file is; None where nothing is known."""
    sha256 = _prefixed("sha256", models["sha256"])
    blake3 = _prefixed("blake3", models["blake3"])
    hashed = _shared(sha256, blake3).fillna(blake3)
    names = models["size"].astype("string") + " " + models["file_key"].astype("string")
    named = _prefixed("name and size", names)
    return _shared(hashed, named).fillna(named)


def _prefixed(what: str, values: pd.Series) -> pd.Series:
    return (f"{what}:" + values.astype(object)).where(values.notna(), None).astype(object)


def _shared(keys: pd.Series, groups: pd.Series) -> pd.Series:
    """Give a file without a key that of its group, if the group has exactly one."""
    grouped = keys.groupby(groups)
    only = grouped.transform("first").where(grouped.transform("nunique") == 1)
    return keys.fillna(only.astype(object))


def _places(models: pd.DataFrame) -> pd.Series:
    servers = models["backend_id"].fillna("?")
    return servers + ": " + models["model_id"].fillna(models["id"])


def _listed(places: pd.Series) -> str:
    more = len(places) - MAX_PLACES
    named = "; ".join(places.iloc[:MAX_PLACES])
    return f"{named}; and {more} more" if more > 0 else named


UNKNOWN = "unknown"
"""Stands for a missing type or base model."""

NOTICED_LATE = timedelta(days=1, minutes=15)
"""How long after `last_seen` a nightly sync notices that a model is gone."""

COMPARED = (
    *("is_active", "size", "sha256", "blake3", "model_type", "base_model"),
    *("civitai_model_id", "civitai_version_id", "match_quality", "match_method"),
)
"""Columns in which a model can change."""

_LISTED_COLUMNS = ["id", "backend_id", "model_type", "folder", "model_name", "base_model", "size"]


def new_since(models: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """List active models whose `first_seen` is a moment or later."""
    new = models[models["is_active"] & (models["first_seen"] >= moment)]
    return _latest_first(new, "first_seen")


def gone_since(models: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """List models that are gone since a moment.

    Without `gone_at`, a model counts if it was last seen at most `NOTICED_LATE` before the moment.
    """
    late = models["gone_at"].fillna(models["last_seen"] + NOTICED_LATE)
    return _latest_first(models[~models["is_active"] & (late >= moment)], "last_seen")


def changed_since(models: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """List active models that a server reports differently since a moment."""
    changed = models[models["is_active"] & (models["changed_at"] >= moment)]
    return _latest_first(changed, "changed_at")


def changed(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare active models with an earlier table; new and gone ones do not count.

    Returns:
        Columns id, column (a name in `COMPARED`), before, after; sorted by id and column.
    """
    both = before.merge(after[after["is_active"]], on="id", suffixes=(" before", " after"))
    found = [
        pd.DataFrame({"id": both["id"], "column": column, "before": old, "after": new})[
            ~((old == new).fillna(value=False).astype(bool) | (old.isna() & new.isna()))
        ]
        for column in COMPARED
        for old, new in [(both[f"{column} before"], both[f"{column} after"])]
    ]
    frame = pd.concat([row.astype(object) for row in found])
    return frame.sort_values(["id", "column"], ignore_index=True)


def unmatched(models: pd.DataFrame) -> pd.DataFrame:
    """List active models without a link, a row each, those on most servers first.

    Returns:
        Columns model_id, model_type, model_name, servers (how many have it), size.
    """
    linked = models.loc[models["match_quality"].notna(), "model_id"]
    rows = models[models["is_active"] & ~models["model_id"].isin(linked)]
    found = rows.groupby("model_id", as_index=False).agg(
        model_type=("model_type", "first"),
        model_name=("model_name", "first"),
        servers=("backend_id", "nunique"),
        size=("size", "max"),
    )
    return found.sort_values(["servers", "model_id"], ascending=[False, True], ignore_index=True)


def by_type_and_base(models: pd.DataFrame) -> pd.DataFrame:
    """Count active models by type and base model; a model on several servers counts once.

    Returns:
        Columns model_type, base_model (both `UNKNOWN` where nothing is known), models; sorted by
        type, the most frequent base model first.
    """
    active = models[models["is_active"]]
    once = active.groupby("model_id", as_index=False)[["model_type", "base_model"]].first()
    texts = once[["model_type", "base_model"]].astype(object).fillna(UNKNOWN)
    counts = texts.groupby(["model_type", "base_model"]).size().reset_index(name="models")
    order = ["model_type", "models", "base_model"]
    return counts.sort_values(order, ascending=[True, False, True], ignore_index=True)


def _latest_first(models: pd.DataFrame, by: str) -> pd.DataFrame:
    ordered = models.sort_values([by, "id"], ascending=[False, True], ignore_index=True)
    return ordered[[*_LISTED_COLUMNS, by]]

"""Files that lie on several servers, or several times on one."""

import pandas as pd

MOST_PLACES = 20
"""Places that are named; the rest is counted."""

_COLUMNS = [
    "model_name", "known_by", "copies", "servers", "size", "bytes_freeable", "places",
]  # fmt: skip


def duplicates(models: pd.DataFrame) -> pd.DataFrame:
    """List files that active models have in common, what would free most bytes first.

    Files are the same by SHA256, else by BLAKE3, else by name and size. A file without a hash
    counts to the one that all others of its name and size are, if that is one.

    Args:
        models: The models (`catalog.reporting.models_frame.models_frame`).

    Returns:
        Columns model_name, known_by (`sha256`, `blake3` or `name and size`), copies, servers (how
        many have it), size, bytes_freeable (all copies but one; servers that share a disk have but
        one already), places (`server: folder/path`, at most `MOST_PLACES`).
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
    """Name what each file is; None where nothing is known."""
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
    more = len(places) - MOST_PLACES
    named = "; ".join(places.iloc[:MOST_PLACES])
    return f"{named}; and {more} more" if more > 0 else named

"""The tree above a picture as a person reads it: lines for a log, Markdown and rows of a table."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storycanvas.faces.lineage.tree import MadeBy, TracedPicture
from storycanvas.faces.sources.trust import shown
from storycanvas.net.wording import counted

_SHORT = 12
"""Characters of a hash that tell pictures apart for a person."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def summary(tree: TracedPicture) -> str:
    """Say in a sentence or two where a picture comes from."""
    made_by = tree.made_by
    if made_by is None:
        return (
            f"No operation made the picture {_name(tree)}: its pixels are not in the ledger, and "
            "its file holds no provenance."
        )
    above = [picture for picture in tree.pictures() if picture.made_by is not None]
    first = [picture for picture in tree.pictures() if picture.made_by is None and not picture.note]
    return (
        f"{_name(tree)} was made by {_head(made_by)}. The tree above it has "
        f"{counted(len(above), 'operation')} and {counted(len(first), 'original')}."
    )


def tree_lines(tree: TracedPicture) -> list[str]:
    """Write the tree as lines, each picture before what it was made from."""
    return [*_lines(tree, "", "")]


def _lines(picture: TracedPicture, first: str, rest: str) -> Iterator[str]:
    made_by = picture.made_by
    yield f"{first}{picture.role} {_name(picture)}{_end(picture)}"
    stem = f"{rest}{'│' if picture.inputs else ' '}  "
    if made_by is not None:
        yield from (f"{stem}{line}" for line in _settings(made_by))
    for number, each in enumerate(picture.inputs, start=1):
        is_last = number == len(picture.inputs)
        yield from _lines(each, f"{rest}{'└─' if is_last else '├─'} ", _below(rest, is_last))


def _end(picture: TracedPicture) -> str:
    if picture.made_by is not None:
        return f": {_head(picture.made_by)}"
    return f" ({picture.note})" if picture.note else ": original"


def _below(rest: str, is_last: bool) -> str:
    return f"{rest}{'   ' if is_last else '│  '}"


def _settings(made_by: MadeBy) -> Iterator[str]:
    yield f"settings: {_written(made_by.settings) or 'none'}"
    if made_by.used:
        yield f"really used: {_written(made_by.used)}"
    if made_by.models:
        yield f"models: {_plain(', '.join(made_by.models))}"
    if made_by.operation_key:
        yield f"operation key: {made_by.operation_key}"
    if made_by.others:
        yield f"the same pixels were also made by: {', '.join(made_by.others)}"


def _head(made_by: MadeBy) -> str:
    when = f"{made_by.made_at:%Y-%m-%d %H:%M}"
    known = " (known from the provenance in the file)" if made_by.known_from == "file" else ""
    engine = f"{made_by.engine} {made_by.engine_version}"
    return _plain(f"{made_by.operation_type} with {engine} on {when} UTC{known}")


def _written(values: Mapping[str, Any]) -> str:
    """Write settings as `name=value`, each value as JSON without quotes around a text."""
    parts = [
        f"{name}={value if isinstance(value, str) else json.dumps(value, default=str)}"
        for name, value in sorted(values.items())
    ]
    return _plain(", ".join(parts))


def _name(picture: TracedPicture) -> str:
    return _plain(shown(picture.address)) if picture.address else picture.sha256[:_SHORT]


def _plain(text: str) -> str:
    """Take out what would break a line or turn its direction; a file's provenance is anybody's."""
    return _CONTROLS.sub(" ", text)


def tree_markdown(tree: TracedPicture, viewing: Callable[[str], str]) -> str:
    """Show the tree as it is, and below it a link for each picture that a browser can open.

    Args:
        tree: The picture and all above it.
        viewing: Finds where a browser shows an address.
    """
    text = "\n".join(tree_lines(tree))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    parts = [summary(tree).replace("`", "'"), f"{fence}\n{text}\n{fence}"]
    links = {viewing(each.address): each.role for each in tree.pictures() if each.address}
    shown_links = [
        f"[{role} {number}](<{url}>)"
        for number, (url, role) in enumerate(links.items(), start=1)
        if url.startswith(("http://", "https://")) and not re.search(r"[<>\s]", url)
    ]
    if shown_links:
        parts.append(f"Open in full size: {' · '.join(shown_links)}")
    return "\n\n".join(parts)


def tree_rows(tree: TracedPicture) -> list[dict[str, Any]]:
    """Write a row for each picture: the same as the tree says."""
    return [_row(picture) for picture in tree.pictures()]


def _row(picture: TracedPicture) -> dict[str, Any]:
    made_by = picture.made_by
    row = {
        "picture": picture.role,
        "address": shown(picture.address),
        "pixel hash": picture.sha256,
        "made by": _head(made_by) if made_by else picture.note or "original",
    }
    if made_by is None:
        return row
    return row | {
        "settings": _written(made_by.settings),
        "really used": _written(made_by.used),
        "models": _plain(", ".join(made_by.models)),
        "made from": ", ".join(sha256[:_SHORT] for sha256 in made_by.inputs),
        "host": made_by.host or "",
        "seconds": "" if made_by.seconds is None else f"{made_by.seconds:.2f}",
        "operation key": made_by.operation_key or "",
    }

"""The gallery in Prefect's UI: the newest results by flow and day, each a link."""

import re
from collections.abc import Sequence

from storycanvas.faces.gallery.results import GalleryResult, by_flow_and_day
from storycanvas.net.wording import counted

MAX_LISTED = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_NO_LINK = re.compile(r"[<>\s]")


def gallery_markdown(name: str, results: Sequence[GalleryResult], page: str) -> str:
    """List the newest results; the page has all of them.

    Args:
        name: Of the character.
        results: Those of the gallery are listed; addresses are those that a browser opens.
        page: Address of the page.
    """
    shown = [result for result in results if result.in_gallery]
    lines = [f"# Gallery of {escaped(name)}", linked(f"All {counted(len(shown), 'picture')}", page)]
    for flow, days in by_flow_and_day(shown[:MAX_LISTED]):
        lines.append(f"## {escaped(flow)}")
        for day, found in days:
            lines += [f"### {escaped(day)}", "\n".join(map(_line, found))]
    if len(shown) > MAX_LISTED:
        lines.append(f"The page has {len(shown) - MAX_LISTED} more.")
    return "\n\n".join(lines)


def _line(result: GalleryResult) -> str:
    facts = "; ".join(f"{name} {text}" for name, text in result.facts() if name != "made")
    return f"- {linked(result.shows, result.address)}{f': {escaped(facts)}' if facts else ''}"


def linked(text: str, address: str) -> str:
    """Make a link of what a browser opens from Prefect's page, which it does with no file."""
    if address.startswith(("http://", "https://")) and not _NO_LINK.search(address):
        return f"[{escaped(text)}](<{address}>)"
    return f"{escaped(text)} (`{_NO_LINK.sub(' ', address).replace('`', ' ')}`)"


def escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))

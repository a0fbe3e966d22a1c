"""The gallery as one HTML page that lies beside the pictures and opens without a network.

Whatever documents say is escaped, nothing is fetched from another place, and no script runs: the
policy in the page's head forbids it, should a text ever get through.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from storycanvas.faces.gallery.results import GalleryResult, by_flow_and_day, gallery_key
from storycanvas.faces.pictures.image_store import PAGES
from storycanvas.net.wording import counted

POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'"
_STYLE = """
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
h1, h2, h3 { line-height: 1.2; }
.day { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 16rem; }
figure img { width: 16rem; height: 16rem; object-fit: contain; background: #eee; }
figcaption { overflow-wrap: anywhere; font-size: .85rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .5rem; margin: .25rem 0; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #1b1b1b; } figure img { background: #333; }
  dt { color: #bbb; } a { color: #9cf; }
}
"""


def page_path(character_id: str) -> str:
    """Name the path in the image store where the gallery's page lies."""
    return f"{PAGES}/{gallery_key(character_id)}.html"


def gallery_page(
    name: str, results: Sequence[GalleryResult], others: Sequence[GalleryResult], now: datetime
) -> str:
    """Write the page.

    Args:
        name: Of the character.
        results: What face flows made.
        others: What is in the gallery besides.
        now: UTC.
    """
    shown = [result for result in results if result.in_gallery]
    between = [result for result in results if not result.in_gallery]
    title = escape(f"Gallery of {name}")
    body = [
        f"<h1>{title}</h1>",
        f"<p>{counted(len(shown), 'result')} of face flows, as of {now:%Y-%m-%d %H:%M} UTC.</p>",
        *_sections(shown),
    ]
    if others:
        body += ["<h2>In the gallery besides</h2>", _figures(others)]
    if between:
        summary = f"{counted(len(between), 'picture')} on the way to these"
        body += [f"<details><summary>{summary}</summary>", *_sections(between), "</details>"]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
{chr(10).join(body)}
</body>
</html>
"""


def _sections(results: Sequence[GalleryResult]) -> list[str]:
    lines: list[str] = []
    for flow, days in by_flow_and_day(results):
        lines.append(f"<h2>{escape(flow)}</h2>")
        for day, found in days:
            lines += [f"<h3>{escape(day)}</h3>", _figures(found)]
    return lines


def _figures(results: Sequence[GalleryResult]) -> str:
    return f'<div class="day">{"".join(map(_figure, results))}</div>'


def _figure(result: GalleryResult) -> str:
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in result.facts()
    )
    told = f"<dl>{facts}</dl>" if facts else ""
    caption = f"<figcaption>{escape(result.shows)}{told}</figcaption>"
    return f"<figure>{_picture(result)}{caption}</figure>"


def _picture(result: GalleryResult) -> str:
    """Show a picture of the store; one that lies elsewhere is only named, and fetched by no one."""
    if result.path is None:
        return f"<p>{escape(result.address)}</p>"
    source = escape(quote(f"../{result.path}"))
    size = 'width="{}" height="{}" '.format(*result.size) if result.size else ""
    image = f'<img src="{source}" alt="{escape(result.shows)}" {size}loading="lazy">'
    return f'<a href="{source}">{image}</a>'

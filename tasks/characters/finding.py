"""Finding characters, and showing them: a table of all, and the pictures of the first."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pymongo.database import Database

from blocks.configured import character_pages, document_trust, open_image_store, viewing_url
from blocks.environment import Environment
from db.character_search.found import CharacterQuery, CharactersFound, FoundCharacter
from db.character_search.search import find_characters
from db.connection import Document
from storycanvas.faces.errors import FaceError
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.sheets.contact_sheet import SheetEntry, cut_out
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import Trust
from storycanvas.net.page_addresses import PageTemplate
from storycanvas.net.wording import counted, plain_markdown
from tasks.artifacts import ReportArtifact
from tasks.faces.reporting.sheet import draw_first_page, inline_sheet
from tasks.retries import database_task

TABLE_KEY, SHEET_KEY = "find-characters", "find-characters-pictures"
MAX_PICTURES = 24
_COLUMNS = 6


@dataclass(frozen=True)
class Finder:
    """Where the pictures of characters are, and their pages.

    Attributes:
        trust: Where the documents may lead.
        pages: Makes the address of a character's page; None where none is known.
    """

    environment: Environment
    store: ImageStore
    trust: Trust
    pages: PageTemplate | None

    @classmethod
    def configured(cls) -> "Finder":
        """Read what is configured."""
        environment = Environment()
        store, trust = open_image_store(environment), document_trust(environment)
        return cls(environment, store, trust, character_pages(environment))

    def page(self, character: FoundCharacter) -> str:
        """Find the page of a character in the app; empty where none is known."""
        return (self.pages and self.pages.of(character.id)) or ""

    def address(self, character: FoundCharacter) -> str:
        """Find where a browser shows the picture of a character; empty without one."""
        if character.picture is None:
            return ""
        return viewing_url(self.store, self.environment, character.picture)

    def small_picture(self, character: FoundCharacter) -> bytes | None:
        """Make a small picture of a character; None where it has none that can be had."""
        try:
            picture = fetch_picture(character.picture or "", self.store, self.trust)
            return cut_out(picture.image, None)
        except FaceError:
            return None


@database_task("find characters")
def search_characters(database: Database[Document], wanted: CharacterQuery) -> CharactersFound:
    """List the characters that are looked for, by name."""
    return find_characters(database, wanted)


def character_table(found: CharactersFound, finder: Finder) -> ReportArtifact:
    """Write a list as a table; where nothing was found, as a sentence."""
    rows = [_row(each, finder) for each in found.characters]
    return ReportArtifact(TABLE_KEY, rows or found.summary())


def _row(character: FoundCharacter, finder: Finder) -> dict[str, str | int]:
    page = finder.page(character)
    return {
        "picture": finder.address(character) or "none",
        "name": character.name,
        "project": character.project or character.project_id or "none",
        "references": character.references,
        "results": character.results,
        "id": character.id,
        **({"page": page} if page else {}),
    }


def picture_sheet(found: CharactersFound, finder: Finder) -> Iterator[ReportArtifact]:
    """Show the first pictures, and a line of links for each of their characters.

    The page shows no picture of a table, and no address of a document is opened by it unasked.
    """
    shown = [each for each in found.characters if each.picture is not None][:MAX_PICTURES]
    if not shown:
        return
    entries = [
        SheetEntry(each.name, each.project or each.id, partial(finder.small_picture, each))
        for each in shown
    ]
    rows = [entries[start : start + _COLUMNS] for start in range(0, len(entries), _COLUMNS)]
    inline = base64.b64encode(inline_sheet(draw_first_page(rows))).decode()
    names = ", ".join(plain_markdown(each.name) for each in shown)
    image = f"![The first reference image of {names}](data:image/jpeg;base64,{inline})"
    lines = "\n".join(f"- {_links(each, finder)}" for each in shown)
    yield ReportArtifact(SHEET_KEY, f"{image}\n\n{lines}", only_newest=True)


def _links(character: FoundCharacter, finder: Finder) -> str:
    name, page = plain_markdown(character.name or character.id), finder.page(character)
    counts: Sequence[str] = (
        plain_markdown(character.project or character.project_id or "no project"),
        counted(character.references, "reference"),
        counted(character.results, "result"),
        f"id `{character.id.replace('`', ' ')}`",
    )
    picture = finder.address(character)
    opens = picture.startswith(("http://", "https://")) and not set(picture) & set(" <>\n")
    shown = [f"[picture](<{picture}>)"] if opens else []
    return " · ".join([f"[{name}]({page})" if page else name, *counts, *shown])

"""The gallery of a character: its page beside the pictures, and its artifact in Prefect's UI."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.logging import get_run_logger
from pydantic import BaseModel, ConfigDict, ValidationError
from pymongo.database import Database

from db.connection import Document
from db.errors import DatabaseError, UnknownCharacter
from db.pictures.results import CharacterResult, CharacterResults, results_of
from storycanvas.faces.errors import FaceError
from storycanvas.faces.gallery.markdown import gallery_markdown
from storycanvas.faces.gallery.page import gallery_page, page_path
from storycanvas.faces.gallery.results import (
    EARLIER,
    GalleryResult,
    gallery_key,
    model_of,
    other_settings,
    what_it_shows,
)
from storycanvas.faces.measures.measure import PictureMeasure
from storycanvas.faces.pictures.image_store import ImageStore, is_inside
from storycanvas.faces.reports.measures import step_measure
from storycanvas.faces.sources.trust import shown
from storycanvas.net.wording import counted
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

NAME = "show-gallery"
_TRIES = 5
_UNNAMED = "the character"


class GalleryReport(BaseModel):
    """What the gallery of a character has.

    Attributes:
        results: Pictures that face flows made and the app shows.
        others: Pictures of the gallery that no face flow made.
        page: Address of the page, as the store names it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    character_id: str
    name: str
    results: int
    others: int
    page: str

    def summary(self) -> str:
        """Say in a sentence what is there, and where."""
        besides = f" and {counted(self.others, 'other picture')}" if self.others else ""
        return (
            f"The gallery of {self.name} has {counted(self.results, 'result')} of face flows"
            f"{besides}. Page: {self.page}"
        )


@dataclass(frozen=True)
class Gallery:
    """A gallery whose page has been written."""

    report: GalleryReport
    shown: tuple[GalleryResult, ...]

    def artifact(self, viewing: Callable[[str], str]) -> ReportArtifact:
        """Show it in Prefect's UI; `viewing` finds what a browser opens."""
        links = [each.model_copy(update={"address": viewing(each.address)}) for each in self.shown]
        text = gallery_markdown(self.report.name, links, viewing(self.report.page))
        key = f"gallery-{gallery_key(self.report.character_id)}"
        return ReportArtifact(key, text, only_newest=True)


@database_task("make the gallery's page")
def make_gallery(database: Database[Document], store: ImageStore, character_id: str) -> Gallery:
    """Write the page of a character's gallery; raises as `write_gallery`."""
    return write_gallery(database, store, character_id)


def write_gallery(database: Database[Document], store: ImageStore, character_id: str) -> Gallery:
    """Write the page of a character's gallery.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
        StoreUnavailable: The image store takes nothing.
    """
    found = results_of(database, character_id)
    for _ in range(_TRIES):
        name = found.gallery.name or _UNNAMED
        results, others = shown_results(found, store)
        page = gallery_page(name, results, others, datetime.now(UTC))
        address = store.put_page(page_path(character_id), page.encode())
        # Another run may have written an older page over a newer one: who writes last looks again.
        written, found = found, results_of(database, character_id)
        if written == found:
            break
    report = GalleryReport(
        character_id=character_id,
        name=name,
        results=sum(result.in_gallery for result in results),
        others=len(others),
        page=address,
    )
    return Gallery(report, (*results, *others))


def shown_results(
    found: CharacterResults, store: ImageStore
) -> tuple[list[GalleryResult], list[GalleryResult]]:
    """Word what was found for people: results of face flows, and what the gallery has besides."""
    name = found.gallery.name or _UNNAMED
    results = [_shown(result, name, store) for result in found.results]
    known = {result.path for result in results}
    others = [
        GalleryResult(path=path, address=shown(address), shows=f"{name}, added by the app")
        for address in found.others
        if (path := _path(store, address)) is None or path not in known
    ]
    return results, others


def _shown(result: CharacterResult, name: str, store: ImageStore) -> GalleryResult:
    parameters = result.parameters
    return GalleryResult(
        path=_path(store, result.address),
        address=result.address,
        flow=result.flow or EARLIER,
        in_gallery=bool(result.galleries),
        shows=what_it_shows(name, result.operation_type, parameters, result.age),
        model=model_of(parameters),
        settings=other_settings(parameters),
        engine=result.engine,
        made_at=result.made_at,
        measured=_measured(result),
        size=result.size,
    )


def _measured(result: CharacterResult) -> str:
    if result.measure is None:
        return ""
    asked = result.parameters.get("target_age", result.age)
    try:
        measure = PictureMeasure.model_validate(result.measure)
    except ValidationError:  # of a later version, or not ours
        return ""
    return step_measure(measure, asked if isinstance(asked, int) else None).line()


def _path(store: ImageStore, address: str) -> str | None:
    path = store.path_of(address)
    return path if path is not None and is_inside(path) else None


def show_new_results(
    database: Database[Document], store: ImageStore, character_id: str
) -> Gallery | None:
    """Make the page anew after a run that added to it; a run does not fail over its page.

    A character that is deleted has none.
    """
    try:
        return write_gallery(database, store, character_id)
    except UnknownCharacter:
        return None
    except (DatabaseError, FaceError) as error:
        message = "The page of the gallery of %s is not made, show-gallery makes it: %s"
        get_run_logger().warning(message, character_id, error)
        return None

"""The sample: a character with a real portrait of free use, and a picture to swap its face into.

`samples/PROVENANCE.md` names the sources of the pictures.
"""

from datetime import UTC, datetime
from pathlib import Path

from pymongo.database import Database

from blocks.image_store import ImageStoreBlock
from db.connection import Document, translated_errors
from db.setup.apply import initialise
from db.setup.report import InitReport
from storycanvas.faces.pictures.image_store import Category

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PORTRAIT = SAMPLES / "portrait.png"
TARGET = SAMPLES / "target.jpg"
CHARACTER_ID = "sample-astronaut"
PROJECT_ID = "sample-project"


def prepare_own_database(database: Database[Document], portrait: str = str(PORTRAIT)) -> InitReport:
    """Give the stack's own database its indexes and the sample; tell what was done to the first.

    The nightly looks then have nothing to report of it. `portrait` is as `add_sample_character`
    takes it.
    """
    report = initialise(database)
    add_sample_character(database, portrait)
    return report


def stored_portrait(store: str) -> str:
    """Put the portrait into an image store, and return its path there.

    A document may not name a file of this machine, so `find-characters` shows none.
    """
    opened = ImageStoreBlock(url=store).open()
    stored = opened.put(PORTRAIT.read_bytes(), Category.SOURCE, "png", datetime.now(UTC))
    return stored.path


def add_sample_character(database: Database[Document], portrait: str = str(PORTRAIT)) -> str:
    """Add the sample character and its project unless they exist, and return the character's id.

    Args:
        database: Where they are added.
        portrait: The character's reference image: a path in the image store or on this machine.
    """
    now = datetime.now(UTC)
    project = {
        "name": "Sample",
        "description": "The sample project of StoryCanvas Pipelines.",
        "created_at": now,
        "updated_at": now,
    }
    character = {
        "project_id": PROJECT_ID,
        "name": "Astronaut",
        "description": "The sample character of StoryCanvas Pipelines.",
        "reference_images": [portrait],
        "facefusion_processing_history": [],
        "facefusion_preferred_settings": None,
        "created_at": now,
        "updated_at": now,
    }
    with translated_errors():
        database["projects"].update_one({"id": PROJECT_ID}, {"$setOnInsert": project}, upsert=True)
        database["characters"].update_one(
            {"id": CHARACTER_ID}, {"$setOnInsert": character}, upsert=True
        )
    return CHARACTER_ID

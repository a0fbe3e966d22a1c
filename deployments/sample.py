"""The sample: a character with a real portrait of free use, and a picture to swap its face into.

`samples/PROVENANCE.md` names the sources of the pictures.
"""

from datetime import UTC, datetime
from pathlib import Path

from pymongo.database import Database

from db.connection import Document, translated_errors
from db.setup.apply import initialise
from db.setup.report import InitReport

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PORTRAIT = SAMPLES / "portrait.png"
TARGET = SAMPLES / "target.jpg"
CHARACTER_ID = "sample-astronaut"
PROJECT_ID = "sample-project"


def prepare_own_database(database: Database[Document]) -> InitReport:
    """Give the stack's own database its indexes and the sample; tell what was done to the first.

    The nightly looks then have nothing to report of it.
    """
    report = initialise(database)
    add_sample_character(database)
    return report


def add_sample_character(database: Database[Document]) -> str:
    """Add the sample character and its project unless they exist, and return the character's id."""
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
        "reference_images": [str(PORTRAIT)],
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

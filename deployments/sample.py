"""The sample character: a real portrait of free use, and a picture to swap its face into.

`samples/PROVENANCE.md` names the sources of the pictures.
"""

from datetime import UTC, datetime
from pathlib import Path

from pymongo.database import Database

from db.connection import Document, translated_errors

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PORTRAIT = SAMPLES / "portrait.png"
TARGET = SAMPLES / "target.jpg"
CHARACTER_ID = "sample-astronaut"


def add_sample_character(database: Database[Document]) -> str:
    """Add the sample character unless it exists, and return its id."""
    now = datetime.now(UTC)
    character = {
        "project_id": "sample-project",
        "name": "Astronaut",
        "description": "The sample character of StoryCanvas Pipelines.",
        "reference_images": [str(PORTRAIT)],
        "facefusion_processing_history": [],
        "facefusion_preferred_settings": None,
        "created_at": now,
        "updated_at": now,
    }
    with translated_errors():
        database["characters"].update_one(
            {"id": CHARACTER_ID}, {"$setOnInsert": character}, upsert=True
        )
    return CHARACTER_ID

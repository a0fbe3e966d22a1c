"""Records and characters for tests of recording."""

from datetime import UTC, datetime, timedelta
from typing import Any

from db.couple_rows import NewImage, NewTemplate
from db.schema.documents.characters import HistoryEntry
from db.schema.documents.faces import (
    Effect,
    GalleryEffect,
    HistoryEffect,
    OperationRecord,
    Output,
    effect_id,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHARACTER = "character-1"


def character(**fields: Any) -> dict[str, Any]:
    return {"id": CHARACTER, "name": "Mira", "reference_images": ["face.png"], **fields}


def output(name: str = "out") -> Output:
    return Output(path=name, url=f"file:///{name}", sha256="0" * 64, width=4, height=4)


def entry(number: int) -> HistoryEntry:
    return HistoryEntry(
        id=f"entry-{number}",
        operation_type="enhance",
        input_image_url="face.png",
        output_image_url=f"out-{number}.png",
        created_at=NOW + timedelta(seconds=number),
    )


def effects(key: str, character_id: str = CHARACTER, repeat: str | None = None) -> list[Effect]:
    history = effect_id(key, repeat, character_id, "history")
    made = entry(1).model_copy(update={"id": history})
    gallery = effect_id(key, repeat, character_id, "age_variants", "45")
    return [
        HistoryEffect(id=history, character_id=character_id, entry=made),
        GalleryEffect(
            id=gallery, character_id=character_id, gallery="age_variants", age=45, url="out.png"
        ),
    ]


def template() -> NewTemplate:
    """A template of the couple face-swap that is to be added."""
    image = NewImage("template", "a" * 64, None, "couple.png", "local/t.png", 9, 4, 4, faces=1)
    box = {"index": 0, "x": 0, "y": 0, "width": 2, "height": 2, "score": None}
    return NewTemplate(image, "Couple", None, None, (box,), is_active=False)


def record(key: str = "key-1", **fields: Any) -> OperationRecord:
    usual: dict[str, Any] = {
        "operation_key": key,
        "key_version": 1,
        "operation_type": "enhance",
        "parameters": {"face_enhancer_blend": 1.0},
        "inputs": ["a"],
        "engine": "preview",
        "engine_version": "1",
        "host": "http://127.0.0.1:9002",
        "output": output(),
        "processing_time_seconds": 0.5,
        "created_at": NOW,
        "effects": effects(key),
    }
    return OperationRecord(**usual | fields)

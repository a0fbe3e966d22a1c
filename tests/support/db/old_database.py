"""An old StoryCanvas database: broken, half-migrated and strange, as it may be found."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from tests.support.db.database_state import Data

Document = dict[str, Any]

HISTORY = "facefusion_processing_history"
SETTINGS = "facefusion_preferred_settings"
GALLERY = "facefusion_output_gallery"
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXT = "2026-01-02T03:04:05.678901+02:00"
ENTRY = {
    "id": "e-1",
    "operation_type": "swap",
    "input_image_url": "a.png",
    "output_image_url": "",
    "created_at": THEN,
}
EMPTY: Document = {
    "enhanced_faces": [],
    "age_variants": {},
    "swapped_faces": [],
    "edited_expressions": [],
    "custom_outputs": [],
}
FULL: Document = {
    "swapped_faces": ["s.png"],
    "age_variants": {"45": "b.png", "12": "a.png"},
    "enhanced_faces": ["e.png", "e.png"],
    "by_the_app": {"$strange": 1, "dotted.name": [None]},
    "edited_expressions": [],
    "custom_outputs": ["c.png"],
}
WISHES = {"enhancement_model": "codeformer", "face_editor_mouth_smile": -100}


def gallery(**fields: Any) -> Document:
    return {**EMPTY, **fields}


def shown(before: object, **fields: Any) -> tuple[Document, Document]:
    """A gallery before and after the repair; what is not named is empty after it."""
    return {GALLERY: before}, {GALLERY: gallery(**fields)}


def ages(before: object, *after: Any) -> tuple[Document, Document]:
    """Ages before and after the repair, then the pictures without an age after it."""
    names = ("age_variants", "custom_outputs")
    return shown({"age_variants": before}, **dict(zip(names, after, strict=False)))


VALID: dict[str, Document] = {
    "all fields empty": {HISTORY: [], SETTINGS: None, GALLERY: EMPTY},
    "all fields full": {HISTORY: [ENTRY], SETTINGS: WISHES, GALLERY: FULL},
    "fields in another order": {GALLERY: FULL, "name": "Nora", SETTINGS: {}, HISTORY: []},
    "ages from 0 to 100": {
        HISTORY: [],
        SETTINGS: None,
        GALLERY: gallery(age_variants={"100": "z.png", "0": "a.png"}),
    },
}

BROKEN: dict[str, tuple[Document, Document]] = {
    "nothing there": ({}, {}),
    "all null": ({HISTORY: None, SETTINGS: None, GALLERY: None}, {}),
    "only the history there": ({HISTORY: [ENTRY]}, {HISTORY: [ENTRY]}),
    "only the settings there": ({SETTINGS: WISHES}, {SETTINGS: WISHES}),
    "only the gallery there": ({GALLERY: FULL}, {GALLERY: FULL}),
    "a null gallery beside a history": ({HISTORY: [], GALLERY: None}, {}),
    "a history that is text": ({HISTORY: "none", GALLERY: EMPTY}, {}),
    "a history that is a number": ({HISTORY: 3}, {}),
    "a history that is an empty object": ({HISTORY: {}}, {}),
    "a history that is one entry": ({HISTORY: ENTRY}, {HISTORY: [ENTRY]}),
    "settings that are a list": ({SETTINGS: [1]}, {}),
    "settings that are text": ({SETTINGS: "{}"}, {}),
    "settings that are false": ({SETTINGS: False}, {}),
    "a gallery that is a number": ({GALLERY: Decimal128("7.0")}, {}),
    "a gallery that is true": ({GALLERY: True}, {}),
    "a gallery that is an empty object": ({GALLERY: {}}, {}),
    "a gallery that is an empty list": ({GALLERY: []}, {}),
    "a gallery that is one URL": shown("a.png", custom_outputs=["a.png"]),
    "a gallery that is a list of URLs": shown(
        ["a.png", "b.png", "a.png"], custom_outputs=["a.png", "b.png", "a.png"]
    ),
    "a gallery that is a list of objects": shown(
        [{"url": "a.png"}, {"image_url": "b.png"}, {"output_image_url": "c.png"}, {}],
        custom_outputs=["a.png", "b.png", "c.png"],
    ),
    "a gallery with one field": shown({"swapped_faces": ["s.png"]}, swapped_faces=["s.png"]),
    "a gallery of nulls": ({GALLERY: dict.fromkeys(EMPTY)}, {}),
    "a gallery with more of the app's": (
        {GALLERY: {"cover": {"$ref": 1, "a.b": 2}}},
        {GALLERY: {"cover": {"$ref": 1, "a.b": 2}, **EMPTY}},
    ),
    "text in the place of a list": shown(
        {"enhanced_faces": "a.png", "custom_outputs": "$b.png"},
        enhanced_faces=["a.png"],
        custom_outputs=["$b.png"],
    ),
    "an object in the place of a list": shown(
        {"enhanced_faces": {"url": "a.png"}, "swapped_faces": {"0": 1}}, enhanced_faces=["a.png"]
    ),
    "lists with nulls": shown(
        {"enhanced_faces": [None, "a.png", None], "swapped_faces": [None]}, enhanced_faces=["a.png"]
    ),
    "lists with objects and numbers": shown(
        {"edited_expressions": [{"url": "a.png"}, 3, "b.png", []]},
        edited_expressions=["a.png", "b.png"],
    ),
    "ages with zeros and spaces": ages(
        {"012": "a.png", "45.0": "b.png", " 7 ": "c.png", "000": "d.png"},
        {"12": "a.png", "45": "b.png", "7": "c.png", "0": "d.png"},
    ),
    "ages that are none": ages(
        {"101": "a.png", "-1": "b.png", "old": "c.png", "": "d.png"},
        {},
        ["a.png", "b.png", "c.png", "d.png"],
    ),
    "ages that are almost numbers": ages(
        {"4.5": "a.png", "1e1": "b.png", "0x10": "c.png", "9999": "d.png"},
        {},
        ["a.png", "b.png", "c.png", "d.png"],
    ),
    "ages with nothing to show": ages(
        {"12": None, "45": 7, "50": {}, "60": "a.png"}, {"60": "a.png"}
    ),
    "ages that show objects": ages(
        {"12": {"url": "a.png"}, "045": {"image_url": "b.png"}}, {"45": "b.png", "12": "a.png"}
    ),
    "one age twice": ages(
        {"12": "right.png", "012": "other.png"}, {"12": "right.png"}, ["other.png"]
    ),
    "one picture twice": shown(
        {"age_variants": {"old": "a.png", "12": "a.png"}, "custom_outputs": ["a.png"]},
        age_variants={"12": "a.png"},
        custom_outputs=["a.png"],
    ),
    "ages as pairs": ages(
        [[12, "a.png"], ["45", "b.png"], [16.0, "c.png"]],
        {"12": "a.png", "16": "c.png", "45": "b.png"},
    ),
    "ages as objects of k and v": ages(
        [{"k": Int64(12), "v": "a.png"}, {"k": 200, "v": "b.png"}], {"12": "a.png"}, ["b.png"]
    ),
    "ages as objects of age and url": ages(
        [{"age": 25.0, "url": "a.png"}, {"age": 25.5, "url": "b.png"}], {"25": "a.png"}, ["b.png"]
    ),
    "ages as a list of pictures": ages(
        ["a.png", None, {"url": "b.png"}, [], {}, 7], {}, ["a.png", "b.png"]
    ),
    "ages that are no numbers at all": ages(
        [[None, "a.png"], [True, "b.png"], [float("nan"), "c.png"]], {}, ["a.png", "b.png", "c.png"]
    ),
    "ages that are a number": ages(45),
    "ages that are one picture": ages("a.png", {}, ["a.png"]),
}
"""What a character's fields are, and which of them are not empty after the repair."""

STRANGE_IDS: list[Any] = [
    MinKey(),
    None,
    float("nan"),
    float("-inf"),
    Int64(-(2**63)),
    -1.5,
    0,
    Decimal128("0.1"),
    2**40,
    float("inf"),
    "",
    "$text.dotted",
    "\U0001f600",
    {},
    {"a": 1},
    {"a": {"b": [1, None]}, "c": "x"},
    b"bytes",
    Binary(b"other", 128),
    Binary.from_uuid(UUID(int=7)),
    ObjectId("0123456789abcdef01234567"),
    ObjectId("1123456789abcdef01234567"),
    False,
    True,
    datetime(1960, 1, 1, tzinfo=UTC),
    THEN,
    Timestamp(5, 1),
    MaxKey(),
]
"""Every kind of `_id`, in MongoDB's order."""

STRANGE_FIELDS: Document = {
    "$dollar": {"$inner": 1, "a.b": {"c.d": None}},
    "dotted.name": Regex("x", "i"),
    "empty": {"": ""},
    "numbers": [1, 1.0, Int64(1), Decimal128("1.00"), float("nan"), -0.0],
    "deep": [[[{"x": [None, {}]}]]],
}


def character(name: str, /, **fields: Any) -> Document:
    """Make a character of which all but the three fields is valid."""
    return {"_id": name, "id": name, "project_id": "p-1", "name": "Mira"} | fields


def broken_characters() -> list[Document]:
    shapes = {name: before for name, (before, _) in BROKEN.items()} | VALID
    return [character(name, **fields) for name, fields in shapes.items()]


def strange_characters() -> list[Document]:
    """Characters under every kind of `_id`, with unexpected fields."""
    shapes = [{}, BROKEN["ages as pairs"][0], VALID["all fields full"]]
    return [
        {"_id": strange, **STRANGE_FIELDS, **shapes[number % 3], "last": "2026-01-02"}
        for number, strange in enumerate(STRANGE_IDS)
    ]


def user(own_id: str | int, username: str, email: str, password: str, **fields: Any) -> Document:
    """Make a user of StoryCanvas, or with a number as id a user of the couple face-swap."""
    name = "hashed_password" if isinstance(own_id, str) else "password_hash"
    return {"id": own_id, "username": username, "email": email, name: password, **fields}


USERS: list[Document] = [
    user("u-mira", "mira", "mira@x.org", "bcrypt", created_at="2026-02-01T00:00:00Z"),
    user(
        7,
        "mira7",
        "mira@x.org",
        "couple",
        created_at="2025-02-01T00:00:00",
        more=STRANGE_FIELDS,
    ),
    user(8, "lone", "Lone@x.org", "p8", is_active=True),
    {"password_hash": "p9", "id": 9, "username": "Nora", "email": "nora9@x.org", "legacy_id": 9},
    user("u-nora", "nora", "nora@x.org", "h"),
    {"id": 10, "username": "nameless", "password_hash": "x", "email": None},
    user("u-twin-1", "twin-1", "twin@x.org", "h"),
    user("u-twin-2", "twin-2", "TWIN@x.org", "h"),
    user(11, "twin-3", "Twin@x.org", "x"),
    user("u-ada", "ada", "ada@x.org", "h", legacy_id=99),
    user(12, "ada12", "ada@x.org", "x"),
    user(13, "nora13", "NORA@x.org", "x"),
    user("u-gone", "gone", "gone@x.org", "h", deleted_at=TEXT, deleted_by="u-mira"),
]

OTHERS: dict[str, list[Document]] = {
    "projects": [
        {"id": "p-1", "name": "Story", "created_at": TEXT, "updated_at": "2026-01-02"},
        {"id": "p-2", "name": "Gone", "deleted_at": TEXT, "created_at": "long ago"},
        {"id": "p-3", "name": "Half", "deleted_by": None, **STRANGE_FIELDS},
    ],
    "scenes": [
        {"id": "s-1", "project_id": "p-1", "name": "Opening", "created_at": TEXT},
        {"id": "s-2", "name": "Without project", "deleted_at": None},
    ],
    "clips": [
        {"duration": 3.5, "id": "c-1", "scene_id": "s-1", "created_at": TEXT},
        {"id": "c-2", "scene_id": "s-2", "length": 2, "duration": 9},
        {"id": "c-3", "scene_id": "gone", "project_id": None, "length": None, "duration": "4"},
        {"id": "c-4", "scene_id": "s-1", "project_id": "p-2", "updated_at": ""},
        {"id": "c-5", "project_id": None, "duration": 4, "scene_id": "s-1", "length": None},
        {"_id": {"strange": 1}, **STRANGE_FIELDS, "scene_id": 7, "duration": -1},
    ],
    "style_templates": [
        {"id": "t-1", "name": "Noir", "created_at": THEN},
        {"id": "t-2", "prompt_template": "noir", "is_global": True, "params": None},
    ],
    "comfyui_servers": [
        {"id": "b-1", "name": "Box", "url": "http://a:1", "last_check": TEXT},
        {"id": "b-2", "name": "Old", "url": "http://b:1", "deleted_at": THEN, "deleted_by": "u"},
        {"id": "b-3", "name": "New", "url": "http://c:1", "deleted_at": "2026-13-45"},
    ],
    "database_models": [
        {"id": "m-1", "name": "a/x.pt", "type": "lora", "server_source": "b-1", "filename": None},
        {
            "name": "x",
            "id": "loras/a/x.pt",
            **STRANGE_FIELDS,
            "type": "lora",
            "catalog_model_id": "loras/a/x.pt",
            "server_source": "Box",
            "civitai_info": {"name": "X", "modelId": 7},
            "created_at": TEXT,
        },
        {"id": "vae/v.pt", "catalog_model_id": "vae/v.pt", "name": "v", "server_source": "Box"},
        {"id": "m-2", "civitai_info": {"modelId": 8.0}},
    ],
    "active_backend_models": [
        {"id": "b-1/embeddings/e.pt", "model_type": "embedding", "last_seen": TEXT},
        {"id": "b-1/vae/v.pt", "model_id": "vae/v.pt", "backend_id": "b-1", "model_type": "vae"},
    ],
    "inference_configurations": [
        {"id": "n-1", "model_id": "loras/a/x.pt", "preset_type": "speed", "created_at": TEXT},
        {"preset_type": "quality", "id": "n-2", "model_id": "loras/a/x.pt", **STRANGE_FIELDS},
        {"id": "n-3", "model_id": "m-1", "preset_type": "quality"},
        {"id": "n-4", "model_id": "vae/v.pt", "preset_type": "quality"},
        {"model_id": "m-1", "configuration_type": "speed", "id": "c-1"},
        {"model_id": "m-1", "preset_type": "quality", "configuration_type": None},
        {"model_id": "m-2", "preset_type": "speed"},
        {"model_id": "m-2", "configuration_type": "speed"},
    ],
    "facefusion_jobs": [{"id": "j-1", "started_at": TEXT, "completed_at": None}],
    "facefusion_presets": [{"id": "r-1", "name": "Soft", "user_id": 8, "updated_at": 1735700000}],
    "images": [
        {"id": "i-1", "user_id": 7, "uploaded_at": TEXT},
        {"user_id": 8, "id": "i-2", "uploaded_at": THEN},
        {"id": "i-3", "user_id": "u-mira"},
        {"id": "i-4", **STRANGE_FIELDS},
    ],
    "faceswap_tasks": [{"id": "f-1", "user_id": 7.0, "started_at": "2026-01-02 03:04"}],
    "crawl_tasks": [{"id": "w-1", "created_at": "2026-01-02T03:04:05Z"}],
    "model_profiles": [{"_id": "lightning", "created_at": TEXT}],
    "queue_jobs": [{"id": "q-1", "created_at": TEXT}],
}

INDEXES: list[tuple[str, Any, Document]] = [
    ("comfyui_servers", [("url", 1)], {"unique": True}),
    ("users", [("username", 1)], {"unique": True}),
    ("users", [("email", 1)], {"name": "same_person"}),
    ("users", [("legacy_id", 1)], {"unique": True, "sparse": True}),
    ("projects", [("deleted_at", -1)], {"name": "deleted_at_1"}),
    (
        "scenes",
        [("deleted_at", 1)],
        {"sparse": True, "name": "marks", "collation": {"locale": "fr"}},
    ),
    ("clips", [("deleted_at", 1)], {}),
    ("characters", [("project_id", 1), ("name", 1)], {}),
]


def add_old_database(database: Data) -> None:
    """Store the documents and make the indexes, as versions before this project left them."""
    characters = [*broken_characters(), *strange_characters()]
    dated = [{**ENTRY, "created_at": TEXT}, {"id": "e-2", "created_at": "soon"}, None, 7]
    characters += [character("dated history", **{HISTORY: dated}, created_at=TEXT)]
    mixed = [ENTRY, {"id": "e-3", "created_at": "soon"}, {"id": "e-4"}]
    characters += [character("mixed history", **{HISTORY: mixed})]
    database["characters"].insert_many(characters)
    database["users"].insert_many({"_id": n, **user} for n, user in enumerate(USERS))
    for name, documents in OTHERS.items():
        database[name].insert_many({"_id": n, **document} for n, document in enumerate(documents))
    for name, keys, options in INDEXES:
        database[name].create_index(keys, **options)

"""The three FaceFusion fields of every character, repaired field by field.

The app's own script looks for a missing history only, so a character with a history and a broken
gallery stays broken (docs/schema.md, Characters). A picture whose age cannot be read goes to
`custom_outputs`; a value without an address, such as a list inside a list, stays in the undo note
only.
"""

from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.check import Check, check_fields
from db.migrations.engine.expressions import NUMBERS, Expression, called, each, is_a, only, when
from db.migrations.engine.fields import FieldChange, changed_fields
from db.migrations.engine.work import Work

FORMER_CHECKSUMS = (
    "aae1a8768c0eeaf35028840406486e4ac40074376868defe4fc46594cb28b175",
    "fb456c79cdd85c93d2fa7a3db50115a3d3c1456feef341fab9f89be700f519cd",
    "c118b764d8b1ddfe3ca33446e8f7217841bbccdb8f00bd0e639a81b30903e2e8",
)
"""Of this file as it was released before; its steps are the same."""

REPEATABLE = True

_EMPTY_GALLERY: Document = {
    "enhanced_faces": [],
    "age_variants": {},
    "swapped_faces": [],
    "edited_expressions": [],
    "custom_outputs": [],
}
_OF_AGES = "0123456789. \t\n\r\f\v"
_AGE = r"^\s*0*([0-9]{1,3})(\.0+)?\s*$"
_OLDEST = 100


def up(work: Work) -> None:
    """Repair what is missing, null or of a wrong type; what is valid stays as it is."""
    work.change(FIELDS)


def down(work: Work) -> None:
    """Restore each field, unless it was written to since."""
    work.undo(FIELDS)


def check(database: Database[Document]) -> Check:
    """Count the characters whose fields are to be repaired, and those that were."""
    return check_fields(database, FIELDS)


def _history(value: Expression) -> Expression:
    """Keep a list; an entry that stands alone becomes a list of one."""

    def list_of_one(entry: str) -> Expression:
        return when(is_a(f"{entry}.operation_type", "string"), [entry], [])

    alone = when(is_a(value, "object"), called("entry", value, list_of_one), [])
    return when(is_a(value, "array"), value, alone)


def _settings(value: Expression) -> Expression:
    """Keep an object; null means none."""
    return when(is_a(value, "object"), value, None)


def _gallery(value: Expression) -> Expression:
    """Keep an object and complete it; pictures in another shape become custom outputs."""
    empty = {"$literal": _EMPTY_GALLERY}
    is_empty = {"$in": [{"$ifNull": [value, empty]}, [empty]]}
    return when(is_empty, empty, called("gallery", value, _completed))


def _completed(gallery: str) -> Expression:
    is_object = is_a(gallery, "object")
    custom = when(is_object, f"{gallery}.custom_outputs", gallery)

    def complete(aged: str) -> Expression:
        fields = {
            "enhanced_faces": _pictures(f"{gallery}.enhanced_faces"),
            "age_variants": {"$arrayToObject": _readable(aged)},
            "swapped_faces": _pictures(f"{gallery}.swapped_faces"),
            "edited_expressions": _pictures(f"{gallery}.edited_expressions"),
            "custom_outputs": called("kept", _pictures(custom), lambda kept: _all(kept, aged)),
        }
        return {"$mergeObjects": [when(is_object, gallery, {}), fields]}

    variants = when(is_object, f"{gallery}.age_variants", None)
    return called("aged", called("variants", variants, _aged), complete)


def _pictures(value: Expression) -> Expression:
    """Read the addresses in a list of texts or of objects, in an object's fields, or one alone."""

    def listed(given: str) -> Expression:
        fields = each("field", {"$objectToArray": given}, lambda field: f"{field}.v")
        in_object = when(is_a(_address(given), "string"), [given], fields)
        items = when(is_a(given, "object"), in_object, [given])
        return when(is_a(given, "array"), given, items)

    addresses = each("picture", called("given", value, listed), _address)
    return only("address", addresses, lambda address: is_a(address, "string"))


def _address(value: str) -> Expression:
    """Read a text, or the first text of an object's fields that name a picture."""
    fields = [f"{value}.{name}" for name in ("url", "image_url", "output_image_url", "path")]
    texts = only("text", fields, lambda text: {"$and": [is_a(text, "string"), {"$ne": [text, ""]}]})
    return when(is_a(value, "object"), {"$arrayElemAt": [texts, 0]}, value)


def _aged(variants: str) -> Expression:
    """List pictures with their age as the app writes it, or null where it cannot be read."""
    pairs = when(
        is_a(variants, "object"),
        {"$objectToArray": variants},
        each("item", when(is_a(variants, "array"), variants, [variants]), _pair),
    )
    read = each(
        "pair",
        pairs,
        lambda pair: {"was": f"{pair}.k", "k": _age(f"{pair}.k"), "v": _address(f"{pair}.v")},
    )
    return only("read", read, lambda pair: is_a(f"{pair}.v", "string"))


def _pair(item: str) -> Expression:
    """Read an item of a list: an age and a picture, as an object or as a list of two."""
    age = {"$ifNull": [f"{item}.k", f"{item}.age", None]}
    picture = {"$ifNull": [f"{item}.v", _address(item), None]}
    listed = {"k": {"$arrayElemAt": [item, 0]}, "v": {"$arrayElemAt": [item, 1]}}
    other = {"k": None, "v": item}
    return when(
        is_a(item, "object"),
        {"k": age, "v": picture},
        when(is_a(item, "array"), listed, other),
    )


def _age(key: str) -> Expression:
    """Write an age in years as text without zeros before or behind; null if it is none."""
    # MongoDB stops with an error where a regular expression meets text that is not UTF-8.
    may_be_age = {"$eq": [{"$trim": {"input": key, "chars": _OF_AGES}}, ""]}
    in_text = called(
        "found",
        {"$regexFind": {"input": key, "regex": _AGE}},
        lambda found: {"$toInt": {"$arrayElemAt": [f"{found}.captures", 0]}},
    )
    whole = {"$eq": [key, {"$trunc": key}]}
    number = when(whole, key, None)
    text = when(may_be_age, in_text, None)
    years = when(is_a(key, "string"), text, when(is_a(key, *NUMBERS), number, None))
    return called(
        "years",
        years,
        lambda age: when(
            {"$and": [{"$gte": [age, 0]}, {"$lte": [age, _OLDEST]}]},
            {"$toString": {"$toInt": age}},
            None,
        ),
    )


def _readable(aged: str) -> Expression:
    """Keep the pictures of known age, those last whose age was written as it should be.

    Of two pictures for one age the last one counts.
    """

    def pairs(rewritten: bool) -> Expression:
        operator = "$ne" if rewritten else "$eq"
        some = only(
            "pair",
            aged,
            lambda pair: {
                "$and": [is_a(f"{pair}.k", "string"), {operator: [f"{pair}.k", f"{pair}.was"]}]
            },
        )
        return each("pair", some, lambda pair: {"k": f"{pair}.k", "v": f"{pair}.v"})

    return {"$concatArrays": [pairs(True), pairs(False)]}


def _all(kept: str, aged: str) -> Expression:
    """Add to the custom outputs the pictures that have found no place under an age."""
    ages = {"$objectToArray": {"$arrayToObject": _readable(aged)}}
    shown = called("placed", ages, lambda placed: {"$concatArrays": [kept, f"{placed}.v"]})
    pictures = {"$setUnion": [each("pair", aged, lambda pair: f"{pair}.v")]}

    def add_unplaced(seen: str) -> Expression:
        unplaced = only("picture", pictures, lambda picture: {"$not": [{"$in": [picture, seen]}]})
        return {"$concatArrays": [kept, unplaced]}

    return called("seen", shown, add_unplaced)


FIELDS = FieldChange(
    "m0001",
    "characters",
    {
        "facefusion_processing_history": _history,
        "facefusion_preferred_settings": _settings,
        "facefusion_output_gallery": _gallery,
    },
    defaults={
        "facefusion_processing_history": [],
        "facefusion_preferred_settings": None,
        "facefusion_output_gallery": _EMPTY_GALLERY,
    },
)
CHANGES = changed_fields([FIELDS])

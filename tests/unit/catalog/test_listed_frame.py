"""A listing is laid out as the database takes it; neither of the two rooms knows the other."""

from db.catalog.listing.compare import ListedModel
from storycanvas.catalog.entries import ModelEntry
from storycanvas.catalog.reporting.models_frame import listed_frame


def test_a_listing_has_the_columns_that_the_database_reads() -> None:
    entry = ModelEntry(
        "loras",
        "sub/a.pt",
        "sub\\a.pt",
        size=2**60 + 1,
        hashes={"SHA256": "A"},
        metadata={"k": "v"},
    )

    [row] = listed_frame([entry]).itertuples(index=False)

    assert ListedModel(**row._asdict()) == ListedModel(
        folder="loras",
        path="sub/a.pt",
        raw_name="sub\\a.pt",
        size=2**60 + 1,
        modified=None,
        hashes={"SHA256": "A"},
        metadata=[["k", "v"]],
        model_type="lora",
    )


def test_nothing_listed_is_a_frame_without_rows() -> None:
    frame = listed_frame([])

    assert (len(frame), tuple(frame.columns)) == (0, ListedModel._fields)

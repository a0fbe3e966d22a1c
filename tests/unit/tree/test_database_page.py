"""docs/database.md tells what the registry holds."""

from db.schema.collections import COLLECTIONS
from deployments.database_page import PAGE, main, page


def test_the_page_is_not_stale() -> None:
    assert main(["--check"]) == 0, "run: python -m deployments.database_page"


def test_every_collection_field_and_index_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")

    for collection in COLLECTIONS:
        section = text.split(f"## `{collection.name}`\n")[1].split("\n## ")[0]
        names = [info.alias or name for name, info in collection.document.model_fields.items()]
        names += [index.name for index in collection.indexes]
        assert [name for name in names if f"`{name}`" not in section] == []


def test_a_link_leads_to_a_part_of_the_page() -> None:
    headings = {line[4:].lower() for line in page().splitlines() if line.startswith("### ")}
    links = {part.split(")")[0] for part in page().split("](#")[1:]}

    assert links
    assert links - headings == set()

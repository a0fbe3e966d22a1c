"""Links to a page of a document: a template is checked, and an id leads nowhere else."""

import pytest

from storycanvas.net.page_addresses import PageTemplate


@pytest.mark.parametrize(
    ("document_id", "address"),
    [
        ("c1", "https://app.example/characters/c1?tab=face"),
        ("../a b?c#d)", "https://app.example/characters/..%2Fa%20b%3Fc%23d%29?tab=face"),
        ("{id}", "https://app.example/characters/%7Bid%7D?tab=face"),
        ("мара", "https://app.example/characters/%D0%BC%D0%B0%D1%80%D0%B0?tab=face"),
        ("..", None),
        ("", None),
    ],
)
def test_an_id_is_quoted(document_id: str, address: str | None) -> None:
    pages = PageTemplate("https://app.example/characters/{id}?tab=face")

    assert pages.of(document_id) == address


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("https://app.example/characters", "once"),
        ("https://app.example/{id}/{id}", "once"),
        ("javascript:alert({id})", "character that no address has"),
        ("javascript:{id}", "begin with http"),
        ("file:///characters/{id}", "begin with http"),
        ("app.example/characters/{id}", "begin with http"),
        ("https://{id}.example/", "begin with http"),
        ("https://app.example{id}", "behind the server"),
        ("https://user:word@app.example/{id}", "password"),
        ("https://app.example/a b/{id}", "%20"),
    ],
)
def test_a_template_that_makes_no_address_is_refused(template: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PageTemplate(template)

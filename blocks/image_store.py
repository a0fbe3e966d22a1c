"""The image store block: where pictures are kept and where the app serves them."""

from collections.abc import Mapping

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field

from blocks.environment import ConfigurationUnusable, docs_page
from blocks.optional_fields import optional_field
from blocks.stored import name_of
from storycanvas.catalog.health.probes import ask_image_store
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.net.redact import redact_url


class ImageStoreBlock(Block):
    """A folder or bucket of pictures.

    Attributes:
        url: Where pictures are kept.
        base_url: Where the app serves them.

    Example:
        Load the stored image store and read a picture:

        ```python
        from blocks import ImageStoreBlock

        block = ImageStoreBlock.load("BLOCK_NAME")
        store = block.open()
        data = store.read("local/result/2026/11/name.png")
        ```
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    _block_type_name = "Image Store"
    _block_type_slug = "image-store"
    _documentation_url = docs_page("pictures.md")

    url: str = Field(
        title="Root",
        description="fsspec URL of the root, such as file:///srv/images or s3://bucket/images.",
    )
    base_url: str | None = optional_field(
        title="Base address",
        description="Where the app serves the root, such as http://127.0.0.1:8000/uploads.",
    )

    def open(self, others: Mapping[str, ImageStore] | None = None) -> ImageStore:
        """Open the store, or refuse its root with `ConfigurationUnusable`.

        Args:
            others: Stores beside it, by name.
        """
        try:
            return ImageStore(self.url, self.base_url, others)
        except (ValueError, ImportError, OSError) as error:
            raise ConfigurationUnusable(
                f"No image store can be opened at {redact_url(self.url)} ({type(error).__name__}); "
                "correct IMAGE_STORE, IMAGE_STORES or the block, and install the extra s3 for "
                "s3:// addresses."
            ) from error

    def check(self) -> str:
        """Look at the store's root, and say in a sentence that it is there; nothing is written.

        Raises:
            ConfigurationUnusable: There is none, or this user may not write to it.
        """
        answer = ask_image_store(self.url)
        if answer.state != "up":
            raise ConfigurationUnusable(f"{name_of(self)}: {answer.note}")
        free = answer.free_disk_bytes
        room = [] if free is None else [f"{free / 1e9:.1f} GB are free."]
        there = f"{name_of(self)} answers: its root is {redact_url(self.url)}."
        return " ".join([there, *room, *filter(None, [answer.note])])

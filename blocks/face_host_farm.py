"""The farm block: several face hosts that share the work of a run."""

from prefect.blocks.core import Block
from pydantic import Field, field_validator

from blocks.environment import ConfigurationUnusable, docs_page
from blocks.face_host import FaceHost
from blocks.stored import DEFAULT, name_of, stored_block
from storycanvas.net.wording import counted


class FaceHostFarm(Block):
    """Several face hosts; each operation goes to the first free one that can do it.

    It names saved Face Host blocks, so that each host's address and token have one place, where
    Prefect keeps the token as a secret.

    Attributes:
        hosts: Names of Face Host blocks.

    Example:
        Load the stored farm and list its hosts:

        ```python
        from blocks import FaceHostFarm

        farm = FaceHostFarm.load("BLOCK_NAME")
        print(farm.hosts)
        ```
    """

    _block_type_name = "Face Host Farm"
    _block_type_slug = "face-host-farm"
    _documentation_url = docs_page("configuration.md#face-hosts")

    hosts: list[str] = Field(
        title="Hosts",
        min_length=1,
        description="Names of saved Face Host blocks, such as gpu-1 and gpu-2.",
    )

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: list[str]) -> list[str]:
        """Drop spaces around names, and repeated names."""
        names = list(dict.fromkeys(name.strip() for name in hosts))
        if not all(names):
            msg = "a host of the farm has no name; name a saved Face Host block or remove the row"
            raise ValueError(msg)
        return names

    def members(self) -> tuple[FaceHost, ...]:
        """Load the hosts that it names.

        Raises:
            ConfigurationUnusable: One of them does not exist, or cannot be used.
        """
        return tuple(map(self._member, self.hosts))

    def _member(self, name: str) -> FaceHost:
        host = stored_block(FaceHost, name)
        if host is None:
            farm = self._block_document_name or DEFAULT
            raise ConfigurationUnusable(
                f"The block {self.get_block_type_slug()}/{farm} names the Face Host block "
                f"'{name}', which does not exist; create it or correct the farm in the Prefect UI "
                "under Blocks."
            )
        return host

    def check(self) -> str:
        """Ask each of its hosts for its status, and say in a sentence that all answer.

        Raises:
            ConfigurationUnusable: A host that it names does not exist, or cannot be used.
            FaceError: One does not answer, or not as a face host does.
        """
        members = self.members()
        said = [member.check().rstrip(".") for member in members]
        return f"{name_of(self)} answers with {counted(len(members), 'host')}: {'; '.join(said)}."

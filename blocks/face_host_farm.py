"""The farm block: several face hosts that share the work of a run."""

from prefect.blocks.core import Block
from pydantic import Field, field_validator


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

        print(FaceHostFarm.load("default").hosts)
        ```
    """

    _block_type_name = "Face Host Farm"
    _block_type_slug = "face-host-farm"

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

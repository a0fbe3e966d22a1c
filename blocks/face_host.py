"""The face host block: where a GPU host listens and by which limit it is guarded."""

from urllib.parse import urlsplit

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, field_validator

from faces.client import FaceHostClient


class FaceHost(Block):
    """A FaceFusion host that turns faces into pictures.

    Attributes:
        url: The host's address.
        token: The host's token.

    Example:
        Load a stored host and ask for its status:

        ```python
        from blocks import FaceHost

        with FaceHost.load("default").client() as host:
            print(host.status())
        ```
    """

    _block_type_name = "Face Host"
    _block_type_slug = "face-host"

    url: str = Field(
        title="Address",
        description="Address of the host without a path, such as http://127.0.0.1:9002.",
    )
    token: SecretStr | None = Field(
        None,
        title="Token",
        description="Token of the host, needed unless it listens on loopback only.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"{url!r} is no address of a host; its form is http://host:port"
            raise ValueError(msg)
        if parts.username or parts.password or parts.query:
            msg = "the address holds a secret; put the token into its own field"
            raise ValueError(msg)
        return url.rstrip("/")

    @property
    def limit_name(self) -> str:
        """Name of the Prefect global concurrency limit that guards this host.

        It comes from the address, so that two blocks for one host share one limit.
        """
        parts = urlsplit(self.url)
        name = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"gpu:{name}:{port}"

    def client(self) -> FaceHostClient:
        """Open a connection to the host; close it, or use it as a context."""
        return FaceHostClient(self.url, self.token.get_secret_value() if self.token else None)

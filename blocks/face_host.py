"""The face host block: where a GPU host listens and by which limit it is guarded."""

from urllib.parse import SplitResult, urlsplit

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr, field_validator

from blocks.environment import docs_page
from blocks.optional_fields import optional_field
from blocks.stored import name_of
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import HostStatus
from storycanvas.gpu.guard.status import read_state
from storycanvas.gpu.pool.health import GpuHost
from storycanvas.net.wording import counted


class FaceHost(Block):
    """A FaceFusion host that turns faces into pictures.

    Attributes:
        url: The host's address.
        token: The host's token.

    Example:
        Load a stored host and ask for its status:

        ```python
        from blocks import FaceHost

        host = FaceHost.load("BLOCK_NAME")
        print(host.check())
        ```
    """

    model_config = ConfigDict(hide_input_in_errors=True, str_strip_whitespace=True)

    _block_type_name = "Face Host"
    _block_type_slug = "face-host"
    _documentation_url = docs_page("configuration.md#face-hosts")

    url: str = Field(
        title="Address",
        description="Address of the host without a path, such as http://127.0.0.1:9002.",
    )
    token: SecretStr | None = optional_field(
        title="Token",
        description="Token of the host, needed unless it listens on loopback only.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        """Check it; the message does not repeat it, because the wrong part may be a password."""
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_port(parts):
            msg = "the address of the face host is none; its form is http://host:port"
            raise ValueError(msg)
        if parts.username or parts.password or parts.query or parts.path:
            msg = (
                "the address of the face host holds more than http://host:port; leave out path and "
                "secrets, the token has its own field"
            )
            raise ValueError(msg)
        return url.rstrip("/")

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        """Drop the line end that secret files bring along."""
        if token is None:
            return None
        text = token.get_secret_value().strip()
        if not text.isascii() or not text.isprintable():
            msg = "the token of the face host holds characters that cannot be sent"
            raise ValueError(msg)
        return SecretStr(text) if text else None

    @property
    def limit_name(self) -> str:
        """Name of the Prefect global concurrency limit that guards this host.

        It comes from the address, so that two blocks for one host share one limit.
        """
        parts = urlsplit(self.url)
        name = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"gpu:{name}:{port}"

    @property
    def gpu_host(self) -> GpuHost:
        """The host as a plain value, for the guard and the pool."""
        token = self.token.get_secret_value() if self.token else None
        return GpuHost(self.url, self.limit_name, token)

    def client(self) -> FaceHostClient:
        """Open a connection to the host; close it, or use it as a context."""
        return self.gpu_host.client()

    def check(self) -> str:
        """Ask the host for its status, and say in a sentence what it is and what guards it.

        Raises:
            FaceError: It does not answer, or not as a face host does.
        """
        with self.client() as client:
            status = client.status()
        return f"{name_of(self)} answers: {_described(status)}, {self._guard()}."

    def _guard(self) -> str:
        state = read_state(self.limit_name)
        if state.slots and state.active:
            return f"guarded by {self.limit_name}"
        trouble = "does not exist" if state.slots is None else "is switched off or 0"
        return f"and gets no work, because its limit {self.limit_name} {trouble}"


def _described(status: HostStatus) -> str:
    slots = counted(status.gpu_slots, "slot")
    state = "" if status.status == "ok" else f", {status.status}"
    return f"{status.engine} {status.engine_version}, {slots}{state}"


def _has_port(parts: SplitResult) -> bool:
    """Check whether the port, if there is one, is a number that ports can have."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False

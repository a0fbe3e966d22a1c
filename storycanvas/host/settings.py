"""What the operator decides about a host when it is started."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from storycanvas.host.sources.url_hosts import UrlHost, parse_url_host

DAY_SECONDS = 24 * 3600
GIB = 2**30


def is_loopback(host: str) -> bool:
    """Check whether an address is local to this machine; of the names only `localhost` is."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _existing_folder(path: Path) -> Path:
    folder = path.expanduser().absolute()
    if not folder.is_dir():
        raise ValueError(f"{path} is not an existing folder")
    return folder


class HostSettings(BaseModel):
    """All settings of a host; every one has a safe default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: str = Field("preview", description="What does the operations.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(9002, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    slots: int = Field(1, ge=1, le=64, description="Operations that run at one time.")
    queue: int = Field(16, ge=0, le=10_000, description="Operations that may wait beyond those.")
    data_dir: Path = Field(
        Path(".storycanvas/host"), description="Where pictures and results are kept."
    )
    allow_roots: tuple[Annotated[Path, AfterValidator(_existing_folder)], ...] = Field(
        (), description="Folders from which pictures may be named by path."
    )
    allow_url_hosts: tuple[Annotated[UrlHost, BeforeValidator(parse_url_host)], ...] = Field(
        (), description="Servers from which pictures may be fetched, as HOST or HOST:PORT."
    )
    allow_private_urls: bool = Field(
        False, description="Whether the names of those servers may lead to private addresses."
    )
    operation_seconds: float = Field(
        300.0, gt=0, allow_inf_nan=False, description="Longest wait for the engine."
    )
    download_seconds: float = Field(
        30.0, gt=0, allow_inf_nan=False, description="Longest download of one picture."
    )
    stop_seconds: float = Field(
        30.0, ge=0, allow_inf_nan=False, description="Time that running operations get at a stop."
    )
    keep_seconds: float = Field(
        DAY_SECONDS, ge=DAY_SECONDS, description="How long results are kept by their key."
    )
    keep_gib: float = Field(
        20.0, gt=0, allow_inf_nan=False, description="Bound on all kept pictures, in GiB."
    )
    isolated: bool = Field(
        False, description="Whether every operation gets a FaceFusion process of its own."
    )
    renew_operations: int = Field(
        500, ge=1, description="Operations after which a FaceFusion process is replaced."
    )
    renew_gib: float = Field(
        16.0, gt=0, allow_inf_nan=False, description="Memory above which it is replaced, in GiB."
    )
    video_memory: Literal["strict", "moderate", "tolerant"] = Field(
        "tolerant", description="How many models FaceFusion keeps loaded; tolerant keeps all."
    )
    allow_downloads: bool = Field(
        False, description="Whether FaceFusion may load weights from the internet."
    )
    token: SecretStr | None = Field(None, min_length=1, description="What a caller has to show.")

    @property
    def keep_bytes(self) -> int:
        """Bound on all kept pictures together, in bytes."""
        return max(1, int(self.keep_gib * GIB))

    @model_validator(mode="after")
    def _token_beyond_loopback(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} lets other machines in: set the environment variable "
                "FACEFUSION_TOKEN, or listen on 127.0.0.1"
            )
        return self

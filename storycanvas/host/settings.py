"""What the operator decides about a host when it is started."""

import ipaddress
import ssl
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

from storycanvas.host.engines.preloading import parse_preload
from storycanvas.host.sources.allowed_folders import AllowedFolder
from storycanvas.host.storage.outputs import PublishedFolder
from storycanvas.host.tokens import read_tokens
from storycanvas.net.url_hosts import UrlHost, parse_url_host

DAY_SECONDS = 24 * 3600
GIB = 2**30
MAX_FILES = 65_536
"""More is of no use, and some programs go through all numbers of files below the limit."""


def is_loopback(host: str) -> bool:
    """Check whether an address is local to this machine; of the names only `localhost` is."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tokens_file(path: Path) -> Path:
    file = path.expanduser().absolute()
    read_tokens(file)
    return file


def load_certificate(chain: Path, key: Path, context: ssl.SSLContext | None = None) -> None:
    """Load a certificate with its key, by default to see whether they can be used.

    Raises:
        ValueError: They cannot; the message names the files.
    """
    try:
        # OpenSSL asks for a key's password on the terminal unless it gets one.
        context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key, password="")
    except OSError as error:  # ssl.SSLError, too
        reason = error.strerror or str(error)
        raise ValueError(
            f"--tls-cert {chain} and --tls-key {key} cannot be used: {reason}"
        ) from error


class HostSettings(BaseModel):
    """All settings of a host; every one has a safe default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: str = Field("preview", description="What does the operations.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(9002, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    slots: int = Field(1, ge=1, le=64, description="Operations that run at one time.")
    queue: int = Field(16, ge=0, le=10_000, description="Operations that may wait beyond those.")
    connections: int = Field(
        4096, ge=1, le=MAX_FILES, description="Connections that may be open at one time."
    )
    head_seconds: float = Field(
        10.0, gt=0, allow_inf_nan=False, description="Time for a request's head to arrive."
    )
    data_dir: Path = Field(
        Path(".storycanvas/host"), description="Where pictures and results are kept."
    )
    allow_roots: tuple[Annotated[AllowedFolder, BeforeValidator(AllowedFolder.parse)], ...] = Field(
        (), description="Folders from which pictures may be named by path."
    )
    publish: Annotated[PublishedFolder, BeforeValidator(PublishedFolder.parse)] | None = Field(
        None, description="Where outputs are shown to callers who name pictures by path or URL."
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
    log_file: Path | None = Field(None, description="Where the log goes; None: standard error.")
    keep_seconds: float = Field(
        DAY_SECONDS, ge=DAY_SECONDS, description="How long results are kept by their key."
    )
    keep_hours: float = Field(
        48.0, ge=24, allow_inf_nan=False, description="How long an unused picture is kept."
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
    preload: Annotated[tuple[str, ...], BeforeValidator(parse_preload)] = Field(
        (), description="What is loaded before the host is ready: operations, or models."
    )
    idle_unload_minutes: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="Minutes without work after which the engine's memory is freed; 0 keeps it.",
    )
    allow_downloads: bool = Field(
        False, description="Whether FaceFusion may load weights from the internet."
    )
    require_gpu: bool = Field(
        False, description="Whether FaceFusion may not work where its sessions have the CPU alone."
    )
    token: SecretStr | None = Field(None, min_length=1, description="What a caller has to show.")
    tokens_file: Annotated[Path, AfterValidator(_tokens_file)] | None = Field(
        None, description="File of named tokens, each with a limit of its own."
    )
    tls_cert: Path | None = Field(None, description="Certificate chain of the host, PEM.")
    tls_key: Path | None = Field(None, description="Key of that certificate, PEM.")

    @property
    def scheme(self) -> str:
        """How URLs of this host begin."""
        return "https" if self.tls_cert else "http"

    @property
    def keep_bytes(self) -> int:
        """Bound on all kept pictures together, in bytes."""
        return max(1, int(self.keep_gib * GIB))

    @model_validator(mode="after")
    def _token_beyond_loopback(self) -> Self:
        if self.token is None and self.tokens_file is None and not is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} lets other machines in: set the environment variable "
                "FACEFUSION_TOKEN, name a --named-tokens, or listen on 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _usable_certificate(self) -> Self:
        if self.tls_cert is None and self.tls_key is None:
            return self
        if self.tls_cert is None or self.tls_key is None:
            raise ValueError("--tls-cert and --tls-key belong together; name both, or none")
        load_certificate(self.tls_cert, self.tls_key)
        return self

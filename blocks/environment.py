"""The environment variables, for machines without blocks: the one place that reads them."""

import os
from pathlib import Path
from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigurationUnusable(Exception):
    """A block or a variable holds a value that cannot be used."""

    retryable: ClassVar[bool] = False


class FaceHostNotNamed(ConfigurationUnusable):
    """A MongoDB is named and no face host, so no picture can be made."""


PREVIEW = "preview"
"""As `FACEFUSION_URL`: a local host whose pictures show what a run would do, and no more."""


DOCS_URL = "http://127.0.0.1:9003/docs"
"""Where the local stack's picture server shows `docs`, on its usual port."""


def docs_page(page: str) -> HttpUrl:
    """Give the address of a page of `docs`: Prefect's blocks take it when they are imported.

    Args:
        page: The file's name with a heading, such as `configuration.md#blocks`.
    """
    named = os.environ.get("STORYCANVAS_DOCS_URL", "").strip()
    try:
        return HttpUrl(f"{(named or DOCS_URL).rstrip('/')}/{page}")
    except ValidationError:  # a link of no use is no reason for every command to fail
        return HttpUrl(f"{DOCS_URL}/{page}")


class Environment(BaseSettings):
    """Settings from environment variables; docs/configuration.md lists them.

    An empty variable counts as not set.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    mongo_url: SecretStr | None = Field(
        None, description="MongoDB connection string; without it a local mongod is started."
    )
    db_name: str | None = Field(
        None,
        description="Name of the StoryCanvas database; without it that in the path of `MONGO_URL`, "
        "else `storyboard`.",
    )
    facefusion_url: str | None = Field(
        None,
        description="Address of the face host, or of several, separated by commas; `preview` "
        "starts a local preview host, as does a run that names no MongoDB either.",
    )
    facefusion_token: SecretStr | None = Field(None, description="Token of the face hosts.")
    image_store: str | None = Field(
        None,
        description="fsspec URL where pictures are kept; without it a folder of the state.",
    )
    image_base_url: str | None = Field(
        None, description="Where the app serves the image store's root."
    )
    image_stores: str | None = Field(
        None,
        description="Stores beside the image store, as `NAME=URL` and separated by commas, below "
        "which pictures of the couple face-swap lie; they are read only.",
    )
    image_url_hosts: str | None = Field(
        None,
        description="Servers, as `host` or `host:port` and separated by commas, from which a "
        "picture is fetched that a document names by a URL.",
    )
    storycanvas_pictures_url: str | None = Field(
        None,
        description="Where a browser finds what `IMAGE_STORE` keeps, for artifacts and messages "
        "only; the local stack sets it.",
    )
    app_character_url: str | None = Field(
        None,
        description="Address of a character's page in the app, with `{id}` for its id: runs link "
        "to it.",
    )
    notify_block: str | None = Field(
        None,
        description="Block of the Prefect UI that sends the messages of the automations, as "
        "`KIND/NAME`; without it none are sent.",
    )
    storycanvas_docs_url: str = Field(
        DOCS_URL,
        description="Where a browser finds this repository's `docs`, for the links at blocks; the "
        "local stack sets it to its picture server.",
    )
    comfyui_urls: str | None = Field(
        None,
        description="Addresses of ComfyUI servers, separated by commas, where `comfyui_servers` "
        "names none.",
    )
    civitai_url: str = Field("https://civitai.com", description="Address of Civitai.")
    civitai_api_key: SecretStr | None = Field(
        None, description="Key of a Civitai account; reading models needs none."
    )
    couple_swap_postgres_url: SecretStr | None = Field(
        None, description="PostgreSQL connection string of a couple face-swap database to import."
    )
    storycanvas_state: Path = Field(
        Path(".storycanvas"), description="Directory for the files of local services."
    )
    storycanvas_prefect_database: str | None = Field(
        None,
        description="Where the local stack's Prefect server keeps its runs: `sqlite` or "
        "`postgresql`; without it PostgreSQL where one is installed and no run is in SQLite.",
    )
    storycanvas_step_retries: int = Field(
        8, ge=0, le=50, description="Tries of a step after the first, for errors that may pass."
    )
    storycanvas_retry_seconds: float = Field(
        2.0, ge=0, description="Wait before the second try; it doubles with each try up to 60 s."
    )
    storycanvas_slot_wait_seconds: float = Field(
        1800.0,
        gt=0,
        description="Longest wait of an operation for a slot of its GPU host.",
    )
    storycanvas_store_min_free_mb: int = Field(
        200,
        ge=0,
        description="Megabytes that a local image store must have free; with less no operation is "
        "sent to a host.",
    )

    storycanvas_archive_mb: int = Field(
        500,
        ge=0,
        description="Megabytes of a run's pictures up to which its report links a ZIP file of "
        "them, else their folder; 0 makes none.",
    )

    @property
    def facefusion_urls(self) -> list[str]:
        """The addresses that `FACEFUSION_URL` names; empty when it is not set, or `preview`."""
        if self.facefusion_url is None or self.facefusion_url.strip() == PREVIEW:
            return []
        named = [url.strip() for url in self.facefusion_url.split(",") if url.strip()]
        return named or [self.facefusion_url]

    @property
    def comfyui_server_urls(self) -> list[str]:
        """The addresses that `COMFYUI_URLS` names; empty when it is not set."""
        return [url.strip() for url in (self.comfyui_urls or "").split(",") if url.strip()]

    @property
    def retry_delays(self) -> list[float]:
        """Seconds to wait before each retry; empty when there are none."""
        first = self.storycanvas_retry_seconds
        return [min(first * 2**turn, 60.0) for turn in range(self.storycanvas_step_retries)]

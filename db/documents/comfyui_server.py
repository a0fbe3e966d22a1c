"""A ComfyUI server that the app generates with."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Id, SoftDeletable


class ComfyuiServer(SoftDeletable):
    """A document of `comfyui_servers` (seeds 001 and 004).

    Attributes:
        url: Without a slash at its end, so that one server has one spelling.
        api_key: A secret that no answer and no log may show.
        endpoint_id: Of a RunPod server.
        last_check: When it was asked last, UTC.
        last_error: Why it was not online then, or why its models are unknown.
        capabilities: What the server said about itself.
    """

    id: Id
    name: str
    url: str = Field(min_length=1)
    is_active: bool = True
    server_type: Literal["standard", "runpod"] = "standard"
    api_key: str | None = None
    endpoint_id: str | None = None
    status: Literal["online", "offline", "error"] | None = None
    last_check: datetime | None = None
    last_error: str | None = None
    capabilities: dict[str, Any] | None = None

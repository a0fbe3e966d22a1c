"""Whether a generation server is there, and what it holds."""

from datetime import datetime

from db.documents.stored import Count, Id, Stored


class Backend(Stored):
    """A document of `backends`: the status of a row of `comfyui_servers` (seed 004).

    Attributes:
        id: The id of the server.
        url: Without a slash at its end, a user or a query.
        last_check: When the server was asked last, UTC.
        model_count: Models of the last complete listing.
        listing_digest: Names the listing that the stored models agree with.
        compared_at: When they were compared with it, UTC.
        compared_models: How many models were stored then, gone ones too.
    """

    id: Id
    name: str | None = None
    url: str | None = None
    is_online: bool = False
    last_check: datetime | None = None
    model_count: Count = 0
    listing_digest: str | None = None
    compared_at: datetime | None = None
    compared_models: Count | None = None

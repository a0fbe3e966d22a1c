"""A backend as its models name it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackendRef:
    """The backend that models belong to.

    Attributes:
        id: Of the server; model ids begin with it.
        name: For people.
        url: Without a user or a query.
    """

    id: str
    name: str
    url: str

"""What can be wrong with the configuration."""

from typing import ClassVar


class ConfigurationUnusable(Exception):
    """A block or a variable holds a value that cannot be used."""

    retryable: ClassVar[bool] = False

"""What the work could run on."""


def get_available_execution_providers() -> list[str]:
    """Return the providers: the stand-in has no networks to run on a GPU."""
    return ["cpu"]


def has_execution_provider(execution_provider: str) -> bool:
    """Return whether there is a provider of this name."""
    return execution_provider in get_available_execution_providers()

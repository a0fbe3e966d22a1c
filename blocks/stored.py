"""Blocks as the operator saved them; one that cannot be used is named in a sentence."""

from typing import TypeVar

from prefect.blocks.core import Block
from pydantic import ValidationError

from blocks.environment import ConfigurationUnusable

DEFAULT = "default"

Kind = TypeVar("Kind", bound=Block)


def stored_block(kind: type[Kind], name: str = DEFAULT) -> Kind | None:
    """Load a block; None where there is none, for which Prefect raises `ValueError`.

    Raises:
        ConfigurationUnusable: What was saved cannot be used.
    """
    try:
        loaded = kind.load(name)
    except ValidationError as error:
        raise unusable(f"block {kind.get_block_type_slug()}/{name}", error) from None
    except RuntimeError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise  # Prefect's temporary server did not start
        raise ConfigurationUnusable(
            f"The block {kind.get_block_type_slug()}/{name} holds values that cannot be used; "
            "correct it in the Prefect UI under Blocks."
        ) from None
    except ValueError:
        return None
    return loaded if isinstance(loaded, kind) else None


def unusable(what: str, error: ValidationError) -> ConfigurationUnusable:
    """Make the error for a value that cannot be used, without the value: it may be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    return ConfigurationUnusable(f"The {what} cannot be used: {reason}.")


def name_of(block: Block) -> str:
    """Name a block in a sentence, such as `Face Host default`."""
    return f"{block.get_block_type_name()} {block._block_document_name or 'that is not saved'}"  # noqa: SLF001 - Prefect has no other way

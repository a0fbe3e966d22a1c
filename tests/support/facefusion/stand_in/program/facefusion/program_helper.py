"""A parser that remembers its options, and the check of their defaults."""

from argparse import Action, ArgumentParser
from typing import Any


class Program(ArgumentParser):
    """An `ArgumentParser` that knows the options it was given."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.options: list[Action] = []
        super().__init__(*args, **keywords)

    def remember(self, options: list[Action]) -> None:
        """Add options whose defaults are to be checked."""
        self.options.extend(options)


def validate_args(program: ArgumentParser) -> bool:
    """Return whether every default, from facefusion.ini too, is one of its option's choices."""
    return all(is_valid(option) for option in getattr(program, "options", []))


def is_valid(option: Action) -> bool:
    """Return whether the default of one option is among its choices."""
    if not option.default or not option.choices:
        return True
    defaults = option.default if isinstance(option.default, list) else [option.default]
    return all(default in option.choices for default in defaults)

"""Reading YAML that a stranger may have written: small, plain, and without aliases."""

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import yaml

from storycanvas.faces.errors import BadField, ChainInvalid, FaceError

_MAX_DEPTH = 10


@dataclass(frozen=True)
class TextKind:
    """What a text is to be, and how large it may be.

    Attributes:
        name: What sentences call it.
        error: What is raised if it cannot be read.
        max_bytes: Of the text.
        max_nodes: Names, values, lists and mappings in it.
        limit: What it may hold, for the sentence.
    """

    name: str
    error: type[FaceError]
    max_bytes: int
    max_nodes: int
    limit: str


# Fifty steps with all fields of their operations have half as many nodes.
CHAIN_TEXT = TextKind("chain", ChainInvalid, 64 * 1024, 5_000, "at most 50 steps")
VALUES_TEXT = TextKind("text", BadField, 64 * 1024, 5_000, "a name and a value a line")
JOB_TEXT = TextKind("text", BadField, 1024 * 1024, 30_000, "a name and a value a line")
MAPPINGS_TEXT = TextKind("list", BadField, 64 * 1024, 1_000, "at most 64 swaps")
BATCH_TEXT = TextKind("list", BadField, 1024 * 1024, 30_000, "at most 500 operations")


class _PlainLoader(yaml.SafeLoader):
    """Refuses what makes a small text large or deep, and keys that stand twice."""

    def __init__(self, text: str, kind: TextKind) -> None:
        super().__init__(text)
        self._kind = kind
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as PyYAML's own
        if self.check_event(yaml.events.AliasEvent):
            raise self._kind.error(
                f"A {self._kind.name} has no aliases (*name); write each part out."
            )
        self._nodes += 1
        self._depth += 1
        if self._nodes > self._kind.max_nodes or self._depth > _MAX_DEPTH:
            raise self._kind.error(
                f"A {self._kind.name} has {self._kind.limit}: the text has more than "
                f"{self._kind.max_nodes} parts, or more than {_MAX_DEPTH} within each other."
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise self._kind.error(f"The name {twice[0]!r} stands twice{_at(node.start_mark)}.")
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str, kind: TextKind = CHAIN_TEXT) -> object:
    """Read YAML or JSON into plain values.

    Raises:
        FaceError: It is too large, has aliases, or is no YAML; of the kind's class.
    """
    size = len(text.encode(errors="replace"))
    if size > kind.max_bytes:
        raise kind.error(f"The {kind.name} has {size} bytes; at most {kind.max_bytes} are read.")
    text = dedent(text).strip()  # a block that is copied from elsewhere is indented as a whole
    if text.startswith(("{", "[")):  # JSON may be indented by tabs, which YAML refuses
        text = text.replace("\t", " ")
    try:
        return _PlainLoader(text, kind).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise kind.error(f"The {kind.name} is no YAML: {problem}{_at(mark)}.") from error
    except (ValueError, RecursionError) as error:  # of a date or number that there is not
        raise kind.error(f"The {kind.name} is no YAML: {type(error).__name__}.") from error


def _at(mark: Any) -> str:  # noqa: ANN401 - PyYAML's
    return f" (line {mark.line + 1})" if mark is not None else ""

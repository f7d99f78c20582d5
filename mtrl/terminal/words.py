"""Parsers for command-line values in place of tyro's: whole numbers and paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrl.terminal.numbers import whole_number
from mtrl.terminal.paths import path_of

if TYPE_CHECKING:
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo


def reading_words() -> ConstructorRegistry:
    """Return a context in which tyro parses every ``int`` and every ``Path`` with the kit's own functions."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec

    registry = ConstructorRegistry()

    @registry.primitive_rule
    def rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        if info.type is int:
            return PrimitiveConstructorSpec(
                nargs=1,
                metavar="INT",
                instance_from_str=lambda words: whole_number(words[0]),
                is_instance=lambda value: isinstance(value, int) and not isinstance(value, bool),
                str_from_instance=lambda value: [str(value)],
            )
        if info.type is Path:
            return PrimitiveConstructorSpec(
                nargs=1,
                metavar="PATH",
                instance_from_str=lambda words: path_of(words[0]),
                is_instance=lambda value: isinstance(value, Path),
                str_from_instance=lambda value: [str(value)],
            )
        return None

    return registry

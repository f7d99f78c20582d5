"""Validation of values from command lines, ``mtrl.learn`` and configuration files alike."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from agents.registry.facts import facts_of
from envs.printable import unprintable
from mtrl.errors import UsageError

IN_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
}


def check_fields(values: Any) -> None:
    """Raise ``UsageError`` for a field of a dataclass whose value has the wrong type or is out of range.

    Text may not contain control characters. The message names the flag, the value and the values allowed.
    """
    kinds = get_type_hints(type(values))
    for field in dataclasses.fields(values):
        value, kind = getattr(values, field.name), kinds[field.name]
        if (
            fault := facts_of(field).fault(value)
            or _type_fault(kind, value)
            or _float_fault(value)
            or _text_fault(value)
        ):
            raise UsageError(f"--{field.name.replace('_', '-')} is {_shown(value)}; {fault}")


def _type_fault(kind: Any, value: Any) -> str:
    """Return what a value must be, as ``it must be ...``; empty where it is that, or where the kind is unknown."""
    if get_origin(kind) is Literal:
        return "" if _is(kind, value) else f"it may be {' or '.join(map(str, get_args(kind)))}"
    return "" if _is(kind, value) else f"it must be {_in_words(kind)}"


def _is(kind: Any, value: Any) -> bool:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in arguments
    if origin in (Union, UnionType):
        return any(_is(arm, value) for arm in arguments)
    if origin is tuple and arguments[1:] == (...,):
        return isinstance(value, tuple) and all(_is(arguments[0], one) for one in value)
    if isinstance(value, bool) and kind in (int, float):
        return False
    if kind is float:
        return isinstance(value, int | float)
    return not isinstance(kind, type) or kind not in (*IN_WORDS, NoneType) or isinstance(value, kind)


def _in_words(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list, each {_in_words(get_args(kind)[0])}"
    arms = [arm for arm in get_args(kind) if arm is not NoneType] or [kind]
    return " or ".join(IN_WORDS.get(arm, str(arm)) for arm in arms)


def _float_fault(value: Any) -> str:
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, float) and not math.isfinite(number):
            return "it must be finite"
    return ""


def _text_fault(value: Any) -> str:
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str | Path) and (character := unprintable(str(text))):
            return f"it has the character {character!a}, which cannot be shown; leave it out"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "empty"
    return repr(str(value) if isinstance(value, Path) else value)

"""What ``check_agent`` verifies of a state: that a checkpoint can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from agents.checks.pieces import Broken


def check_storable(name: str, state: Any) -> None:
    """Raise ``Broken`` if the state that ``name`` returned has a value that a checkpoint cannot hold."""
    for where, value in _unstorable(state, ""):
        raise Broken(
            f"{name} returned a {type(value).__name__}{where and f' under {where}'}, which a checkpoint cannot hold; "
            "return tensors, arrays, numbers, strings and None, in dicts, lists and tuples (of a generator, its "
            "get_state())"
        )


def _unstorable(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, own in pairs:
            yield from _unstorable(own, f"{where}[{key!r}]")
    elif value is not None and not isinstance(value, Tensor | np.ndarray | np.generic | bool | int | float | str):
        yield where, value

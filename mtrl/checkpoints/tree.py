"""States as files: nested dicts and lists as JSON, the arrays in them as safetensors. The files contain no code."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

# A value that JSON cannot express is an object with one entry, which has one of these names.
TENSOR, ARRAY, TUPLE, PAIRS, FLOAT = "$tensor", "$array", "$tuple", "$pairs", "$float"


def split_arrays(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """Return a state as JSON values, and its tensors and NumPy arrays by the names that replace them there.

    Raises ``TypeError`` for a value that is neither of these, nor a dict, list, tuple, string, number or None.
    """
    arrays: dict[str, Tensor] = {}
    return _encoded(state, "", arrays), arrays


def join_arrays(values: Any, arrays: dict[str, Tensor]) -> Any:
    """Return the state that ``split_arrays`` has split."""
    if isinstance(values, list):
        return [join_arrays(value, arrays) for value in values]
    if not isinstance(values, dict):
        return values
    if len(values) == 1:
        ((kind, value),) = values.items()
        if kind == TENSOR:
            return arrays[value]
        if kind == ARRAY:
            return arrays[value].numpy()
        if kind == TUPLE:
            return tuple(join_arrays(value, arrays))
        if kind == PAIRS:
            return {key: join_arrays(own, arrays) for key, own in value}
        if kind == FLOAT:
            return float(value)
    return {key: join_arrays(value, arrays) for key, value in values.items()}


def save_arrays(arrays: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write arrays by name as safetensors, with ``metadata`` in the header.

    Raises ``OSError`` if they cannot be written.
    """
    try:
        save_file(arrays, path, metadata)
    except SafetensorError as error:  # newer versions of safetensors wrap system errors in it
        raise OSError(f"{path}: {error}") from None


def _encoded(value: Any, name: str, arrays: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # A copy, since safetensors refuses tensors that share memory.
        return {TENSOR: _kept(value.detach().cpu().contiguous().clone(), name, arrays)}
    if isinstance(value, np.ndarray):
        return {ARRAY: _kept(torch.from_numpy(np.array(value)), name, arrays)}
    if isinstance(value, np.generic):
        return _encoded(value.item(), name, arrays)
    if isinstance(value, dict):
        pairs = [(key, _encoded(own, f"{name}/{key}", arrays)) for key, own in value.items()]
        plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
        return dict(pairs) if plain else {PAIRS: [list(pair) for pair in pairs]}
    if isinstance(value, list | tuple):
        own = [_encoded(one, f"{name}/{k}", arrays) for k, one in enumerate(value)]
        return own if isinstance(value, list) else {TUPLE: own}
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT: str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name.lstrip('/') or 'the state'} is a {type(value).__name__}, which a checkpoint cannot hold")


def _kept(array: Tensor, name: str, arrays: dict[str, Tensor]) -> str:
    """Add an array, and return the name under which it is kept."""
    own = name if name not in arrays else f"{name}#{len(arrays)}"
    arrays[own] = array
    return own

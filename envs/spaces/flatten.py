"""Observations with parts as one row of numbers: which spaces allow it, and which part of a value does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

from envs.spaces.values import as_numbers, kind, short

Parts = list[tuple[Any, str, gym.Space[Any]]]  # key, name for a message, space


def flattened(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Return ``env`` in Gymnasium's ``FlattenObservation``, or unchanged if it is flat or cannot be flattened.

    A Dict's parts come in the order of its space, a Discrete part as one-hot.
    """
    space = env.observation_space
    if (isinstance(space, Box) and len(space.shape) == 1) or obstacle(space):
        return env
    return gym.wrappers.FlattenObservation(env)


def obstacle(space: gym.Space[Any], where: str = "observation") -> str:
    """Return why a space cannot become a row of numbers, in words, or an empty string if it can."""
    if isinstance(space, Dict | Tuple):
        found = [obstacle(own, name) for _, name, own in _parts(space, where)]
        return next(filter(None, found), "") if found else f"{where} has no parts"
    if isinstance(space, Box) and space.dtype == np.uint8 and len(space.shape) > 1:
        return f"{where} is a picture, {in_words(space)}"
    categories = isinstance(space, Discrete | MultiDiscrete | MultiBinary) and where != "observation"
    return "" if isinstance(space, Box) or categories else f"{where} is {in_words(space)}"


def misfit(space: gym.Space[Any], value: Any, where: str = "observation") -> str:
    """Return what is wrong with an observation, naming the part if it has parts, or an empty string if nothing is."""
    if isinstance(space, Box):
        return _box_misfit(space, value, where)
    if not isinstance(space, Dict | Tuple):
        return "" if space.contains(value) else f"{where} {short(value)}; its space is {in_words(space)}"
    if not isinstance(value, Mapping if isinstance(space, Dict) else tuple | list):
        return f"{where} {short(value)}, of {kind(value)}; its space is {in_words(space)}"
    parts = _parts(space, where)
    if isinstance(space, Tuple) and len(value) != len(parts):
        return f"{where} of {len(value)} parts; its space has {len(parts)}"
    for key, name, own in parts:
        problem = misfit(own, value[key], name) if isinstance(space, Tuple) or key in value else f"no {name}"
        if problem:
            return problem
    return ""


def in_words(space: gym.Space[Any]) -> str:
    """Return a space's kind and shape, for a message."""
    if isinstance(space, Box):
        return f"Box of shape {space.shape}" + (f" and dtype {space.dtype}" if space.dtype == np.uint8 else "")
    return str(space)[:80]


def _box_misfit(space: Box, value: Any, where: str) -> str:
    array = as_numbers(value)
    if array is None:
        return f"{where} {short(value)}, of {kind(value)}; expected numbers"
    if array.shape != space.shape:
        return f"{where} of shape {array.shape}; its space has {space.shape}"
    if not np.isfinite(array).all():
        return f"{where} with {array[~np.isfinite(array)][0]} in it; expected finite numbers"
    if space.dtype.kind in "iu":
        if (array != np.round(array)).any():
            return f"{where} {short(value)}; its space has {space.dtype}, which would truncate fractions"
        limits = np.iinfo(str(space.dtype))
        if ((np.asarray(value) < limits.min) | (np.asarray(value) > limits.max)).any():
            return f"{where} {short(value)}; its space has {space.dtype}, which cannot hold it"
    return ""


def _parts(space: Dict | Tuple, where: str) -> Parts:
    keyed = space.spaces.items() if isinstance(space, Dict) else enumerate(space.spaces)
    return [(key, f"{where}[{key!r}]", own) for key, own in keyed]

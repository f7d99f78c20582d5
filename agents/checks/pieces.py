"""What ``check_agent`` verifies first: that an agent's pieces can be built and called, and return finite numbers."""

from __future__ import annotations

import math
import os
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from agents.base import Batch
from agents.build import built_piece
from agents.registry.spec import RegistryError
from agents.sac import SAC

T = TypeVar("T")
KIT = Path(__file__).parents[2]
STANDARD_LIBRARY = os.path.join(sysconfig.get_path("stdlib"), "")
PACKAGES = (KIT / "agents", KIT / "envs", KIT / "mtrl", Path(torch.__file__).parent)
NOT_USER_CODE = (*(os.path.join(package, "") for package in PACKAGES), "<")  # "<string>" is generated code
MESSAGE_LENGTH, VALUE_LENGTH = 300, 80


class Broken(Exception):
    """A piece breaks its contract; the message is one line."""


def described(error: BaseException) -> str:
    """Return ``Type: message (file:line)`` of an exception, without the place if no code of the user's is involved."""
    place = _user_place(error)
    text = f"{type(error).__name__}: {' '.join(str(error).split())[:MESSAGE_LENGTH]}"
    return f"{text} ({place})" if place else text


def shown(value: Any) -> str:
    """Return a value that a piece returned as a short line."""
    if type(value).__repr__ is object.__repr__:
        return f"an object of class {type(value).__name__}"
    text = " ".join(repr(value.detach() if isinstance(value, Tensor) else value).split())
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 3]}..."


def built(make: Callable[[], T], expected: str = "") -> T:
    """Return what ``make`` builds. Raises ``Broken``, which names the piece, if it fails; ``expected`` is appended."""
    try:
        return make()
    except RegistryError:
        raise
    except Exception as error:
        raise Broken(f"{built_piece(error) or 'the agent'} cannot be built: {described(error)}{expected}") from error


def called(name: str, call: Callable[[], T], expected: str = "") -> T:
    """Return what ``call`` returns. Raises ``Broken`` if it raises; ``expected`` is appended to the message."""
    try:
        return call()
    except Exception as error:
        raise Broken(f"{name} raised {described(error)}{expected}") from error


def check_finite(name: str, values: Any) -> None:
    """Raise ``Broken`` unless ``values``, which ``name`` returned, is a tensor of finite numbers."""
    if not isinstance(values, Tensor):
        raise Broken(f"{name} returned {shown(values)}; return a tensor")
    bad = int((~values.isfinite()).sum())
    if bad:
        raise Broken(f"{name} returned NaN or infinity in {bad} of {values.numel()} numbers; return finite ones")


def check_pieces(agent: SAC, names: Mapping[str, str], batch: Batch) -> None:
    """Call encoder, trunks and penalty once each, and look at their parameters by task.

    ``names`` are the pieces' names by slot. Raises ``Broken`` for what they raise or return.
    """
    encoder, trunk = (f"{slot} {names[slot]!r}" for slot in ("encoder", "trunk"))
    with torch.no_grad():
        z = called(encoder, partial(agent.encoder, batch.obs))
        _check_features(encoder, z, batch, agent.encoder.size)
        check_finite(encoder, z)
        _check_outputs(f"{trunk}, as the actor,", partial(agent.actor, z), (1, *z.shape[:2], 2 * batch.action.shape[2]))
        with_action = torch.cat([z, batch.action], dim=-1)
        critics = (2, *z.shape[:2], agent.head.size)
        _check_outputs(f"{trunk}, as the critic,", partial(agent.critic, with_action), critics)
    _check_own(encoder, agent.encoder.own_parameters(), len(batch.obs), "T")
    _check_own(trunk, agent.actor.own_parameters(), len(batch.obs), "E * T")
    if agent.penalty is not None:
        for part in ("encoder", "critic", "actor"):
            _check_penalty(f"penalty {names['penalty']!r}", part, partial(agent.penalty, getattr(agent, part)))


def check_weights(agent: Any, updates: int) -> None:
    """Raise ``Broken`` unless all weights of an agent are finite, after this many updates."""
    weights = dict(agent.named_parameters()) if hasattr(agent, "named_parameters") else {}
    bad = [name for name, weight in weights.items() if not bool(weight.isfinite().all())]
    if bad:
        raise Broken(
            f"after {updates} updates, {len(bad)} of {len(weights)} weights are NaN or infinite ({bad[0]}, for one): "
            "a loss or its gradient is not finite"
        )


def _check_features(name: str, z: Any, batch: Batch, size: int) -> None:
    if not isinstance(z, Tensor):
        raise Broken(f"{name} returned {shown(z)}; return a tensor (T, N, {size})")
    leading = batch.obs.shape[:2]
    if z.shape[:-1] != leading:
        raise Broken(f"{name} returned {(*z.shape,)} for T = {leading[0]}, N = {leading[1]}; return (T, N, {size})")
    if z.shape[-1] != size:
        raise Broken(f"{name} returned (T, N, {z.shape[-1]}) but its size is {size}")


def _check_outputs(name: str, call: Callable[[], Any], expected: tuple[int, ...]) -> None:
    out = called(name, call)
    check_finite(name, out)
    if out.shape != expected:
        raise Broken(f"{name} returned {(*out.shape,)}; return {expected}, (E, T, N, size_out)")


def _check_own(name: str, own: list[nn.Parameter], tasks: int, stacked: str) -> None:
    for parameter in own:
        if not parameter.dim() or len(parameter) % tasks:
            raise Broken(
                f"own_parameters of {name} returned one of shape {(*parameter.shape,)}; its first axis must be "
                f"{stacked}, here T = {tasks}"
            )


def _check_penalty(name: str, part: str, call: Callable[[], Any]) -> None:
    value = called(name, call)
    number: Any = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if not isinstance(number, Real) or not math.isfinite(number):
        raise Broken(f"{name} returned {shown(value)} for the {part}; return a finite number, a tensor of shape ()")


def _user_place(error: BaseException) -> str:
    """Return ``file:line`` of the innermost frame outside the kit, torch and the standard library; empty if none."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next((f"{frame.filename}:{frame.lineno}" for frame in frames if _is_user_code(frame.filename)), "")


def _is_user_code(file: str) -> bool:
    standard = file.startswith(STANDARD_LIBRARY) and "site-packages" not in file
    return not standard and not file.startswith(NOT_USER_CODE)

"""What ``check_agent`` verifies of a sampler: that it can be built, and draws tasks of the suite."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from agents.base import seeded_generator
from agents.checks.pieces import Broken, built, called, shown
from agents.checks.state import check_storable

METHODS = ("draw", "observe_losses", "observe_scores", "state_dict", "load_state_dict")
OBSERVING = ("observe_losses", "observe_scores", "observe_gradients", "observe_returns")  # the last two are optional
ROUNDS = 4


def check_sampler(name: str, make: Callable[[], Any], tasks: int, rows_per_task: int) -> None:
    """Build a sampler, draw from it as training does, and restore it in a new one.

    Raises ``Broken`` for what it raises or returns, and if the restored one draws differently.
    """
    expected = f"called with a PieceShape, it must return an object with the methods {', '.join(METHODS)}"
    sampler = built(make, f"; {expected}")
    missing = [method for method in METHODS if not callable(getattr(sampler, method, None))]
    if missing:
        raise Broken(f"{name} returned {shown(sampler)}, which has no {', '.join(missing)}; {expected}")
    generator = seeded_generator(0)
    for _ in range(ROUNDS):
        _check_draw(name, sampler, tasks, rows_per_task)
        for method in OBSERVING:
            observe = getattr(sampler, method, None)
            if observe is not None:
                called(f"{method} of {name}", partial(observe, torch.rand(tasks, generator=generator)))
    called(f"metrics of {name}", getattr(sampler, "metrics", dict))
    state = called(f"state_dict of {name}", sampler.state_dict)
    check_storable(f"state_dict of {name}", state)
    restored = built(make)
    called(f"load_state_dict of {name}", partial(restored.load_state_dict, copy.deepcopy(state)))
    for _ in range(ROUNDS):
        (tasks_drawn, rows), (again, rows_again) = (one.draw(rows_per_task) for one in (sampler, restored))
        if rows != rows_again or not _same(tasks_drawn, again):
            raise Broken(
                f"{name} draws differently after its state was restored in a new one; return everything that draws "
                "depend on from state_dict, the generator's state included"
            )


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    return torch.equal(one, other) if one is not None and other is not None else one is other


def _check_draw(name: str, sampler: Any, tasks: int, rows_per_task: int) -> None:
    draw = f"draw({rows_per_task}) of {name}"
    expected = (
        "; it must return (tasks, rows): tasks int64 of shape (T',), with at least one entry and each from 0 to "
        f"T - 1 (here {tasks - 1}), or None for all tasks; rows an int of at least 1"
    )
    drawn = called(draw, partial(sampler.draw, rows_per_task), expected)
    if not _is_valid(drawn, tasks):
        raise Broken(f"{draw} returned {shown(drawn)}{expected}")


def _is_valid(drawn: Any, tasks: int) -> bool:
    if not isinstance(drawn, tuple | list) or len(drawn) != 2:
        return False
    chosen, rows = drawn
    if not isinstance(rows, Integral) or int(rows) < 1:
        return False
    if chosen is None:
        return True
    if not isinstance(chosen, Tensor) or chosen.dtype != torch.int64 or chosen.dim() != 1 or not len(chosen):
        return False
    return bool(((chosen >= 0) & (chosen < tasks)).all())

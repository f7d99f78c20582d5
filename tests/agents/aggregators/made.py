"""Aggregators by name, and losses with known gradients for them."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from agents.aggregators import Parameters
from agents.aggregators.aggregator import Aggregate
from agents.base import PieceShape, seeded_generator
from agents.registry.pieces import PIECES


def made(name: str, tasks: int, **settings: Any) -> Any:
    """A built-in aggregator, with default settings except those given."""
    piece = PIECES["aggregator"][name]
    target = piece.load()
    if not isinstance(target, type):
        return target
    kind = piece.settings
    return target(PieceShape(tasks, torch.device("cpu"), kind(**settings) if kind else None))


def linear_losses(rows: list[list[float]], parameter: nn.Parameter) -> Tensor:
    """Losses (T,) whose gradients are ``rows``, (T, P)."""
    return torch.tensor(rows) @ parameter


def sides(
    shared: nn.Parameter,
    own: nn.Parameter | None = None,
    seed: int = 0,
    role: Literal["critic", "actor"] = "critic",
    task: Tensor | None = None,
) -> Parameters:
    """One shared parameter, and one that is task-specific."""
    return Parameters((shared,), () if own is None else (own,), role, seeded_generator(seed), task)


def gradient_of(rows: list[list[float]], aggregate: Aggregate) -> list[float]:
    """The gradient that an aggregator makes from ``rows``, (T, P)."""
    parameter = nn.Parameter(torch.zeros(len(rows[0])))
    aggregate(linear_losses(rows, parameter), sides(parameter))
    assert parameter.grad is not None
    return parameter.grad.tolist()

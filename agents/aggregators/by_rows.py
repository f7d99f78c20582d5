"""Each task's gradient out of one backward pass, where the rows of different tasks stay apart.

A layer's weight gradient is a sum over the rows of its input. Where every row belongs to one task and no row reads
another, the sum over a task's own rows is the gradient of that task's loss, so that T gradients cost what one does
(Goodfellow 2015, "Efficient Per-Example Gradient Computations", by tasks in place of examples).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge

from agents.aggregators.gradients import task_gradients

BIAS, WEIGHT = 0, 2  # the arguments of ``baddbmm`` that a layer's parameters are
FAR = 0.05  # of a gradient's norm: what bfloat16 rounds is below, what belongs to another task above


class Products:
    """The batched products (G, R, in) x (G, in, out) in the graph of T losses that parameters enter directly.

    The R rows have to be T equal blocks, in the losses' order; what enters anything else is in ``others``, by position
    among ``parameters``.
    """

    def __init__(self, losses: Tensor, parameters: Sequence[nn.Parameter]) -> None:
        self.tasks = len(losses)
        self.entries: list[tuple[Any, int, int]] = []  # node, argument, position of the parameter
        self.others: set[int] = set()
        self._position = {id(parameter): position for position, parameter in enumerate(parameters)}
        self._walk(losses.grad_fn)

    def _walk(self, root: Any) -> None:
        waiting, seen = [root], {root}
        while waiting:
            node = waiting.pop()
            direct = node.name() == "BaddbmmBackward0" and self._in_blocks(node)
            for argument, (parent, _) in enumerate(node.next_functions):
                position = self._position.get(_leaf(parent))
                if position is not None and direct and argument in (BIAS, WEIGHT):
                    self.entries.append((node, argument, position))
                elif position is not None and hasattr(parent, "variable"):
                    self.others.add(position)
                elif parent is not None and parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)

    def _in_blocks(self, node: Any) -> bool:
        plain = node._saved_alpha == node._saved_beta == 1
        return plain and node._saved_batch1 is not None and node._saved_batch1.shape[1] % self.tasks == 0


def gradients_by_rows(
    losses: Tensor, shared: Sequence[nn.Parameter], own: Sequence[nn.Parameter] = ()
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return each task's gradient of ``shared``, (T, P), and the summed loss's gradients of ``own``.

    The graph is retained. Parameters that enter something else than a batched product are differentiated task by task.
    That rows of different tasks stay apart is taken for granted.
    """
    products = Products(losses, shared)
    nodes = list(dict.fromkeys(node for node, _, _ in products.entries))
    inputs = {node: node._saved_batch1.detach() for node in nodes}
    asked: list[Any] = [*(GradientEdge(node, 0) for node in nodes), *own]
    found = torch.autograd.grad(losses.sum(), asked, retain_graph=True, allow_unused=True) if asked else ()
    outputs = dict(zip(nodes, found, strict=False))
    parts = [losses.new_zeros(len(losses), parameter.numel()) for parameter in shared]
    for node, argument, position in products.entries:
        if position not in products.others and outputs[node] is not None:
            parts[position] = parts[position] + _of_blocks(inputs[node], outputs[node], argument, len(losses))
    if others := sorted(products.others):
        exact = task_gradients(losses, [shared[position] for position in others])
        pieces = exact.split([shared[position].numel() for position in others], dim=1)
        parts = [dict(zip(others, pieces, strict=True)).get(position, part) for position, part in enumerate(parts)]
    rest = zip(found[len(nodes) :], own, strict=True)
    return (
        torch.cat([losses.new_zeros(len(losses), 0), *parts], dim=1),
        tuple(torch.zeros_like(parameter) if gradient is None else gradient for gradient, parameter in rest),
    )


class TaskGradients:
    """Takes per-task gradients by rows, once it has seen that this gives what a pass for each task does.

    It compares both at the first losses of each role and number of tasks, where the host waits for the device once;
    afterwards one backward pass is enough, or one for each task where rows of different tasks mix.
    """

    def __init__(self) -> None:
        self._apart: dict[tuple[str, int], bool] = {}

    def __call__(
        self, losses: Tensor, shared: Sequence[nn.Parameter], own: Sequence[nn.Parameter], role: str
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return what ``gradients_by_rows`` does; the graph is retained."""
        key = role, len(losses)
        if self._apart.get(key, True):
            gradients, rest = gradients_by_rows(losses, shared, own)
            if key not in self._apart:
                exact = task_gradients(losses, shared)
                self._apart[key] = bool(((gradients - exact).norm(dim=1) <= FAR * exact.norm(dim=1)).all())
            if self._apart[key]:
                return gradients, rest
        return task_gradients(losses, shared), gradients_by_rows(losses, (), own)[1]


def _leaf(node: Any) -> int:
    """Return the id of the parameter whose gradient a node passes on, as it is or as autocast's cast; 0 for none."""
    if node is not None and node.name() == "ToCopyBackward0":
        node = node.next_functions[0][0]
    return id(node.variable) if hasattr(node, "variable") else 0


def _of_blocks(x: Tensor, gradient: Tensor, argument: int, tasks: int) -> Tensor:
    """Return a bias's or a weight's gradient for each block of rows, (T, numbers)."""
    gradient = gradient.unflatten(1, (tasks, -1))
    if argument == BIAS:
        per_group = gradient.sum(dim=2)
    else:
        per_group = x.unflatten(1, (tasks, -1)).transpose(-1, -2) @ gradient
    return per_group.transpose(0, 1).flatten(1).float()

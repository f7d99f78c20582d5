"""Each task's gradient from one backward pass, where the rows of different tasks do not mix.

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

from agents.aggregators.aggregator import ROLES, Parameters
from agents.aggregators.gradients import task_gradients

BIAS, WEIGHT, SCALE = 0, 2, 1  # what a parameter does to a layer's rows: added, a matrix product, multiplied
# The operations of ``StackedLinear``, and what the parameter at each argument does there.
LAYERS = {"BaddbmmBackward0": {0: BIAS, 2: WEIGHT}, "MulBackward0": {1: SCALE}, "AddBackward0": {1: BIAS}}
ROWS_OF = {"BaddbmmBackward0": "_saved_batch1", "MulBackward0": "_saved_self"}
TOLERANCE = 0.05  # of a gradient's norm: above the rounding of bfloat16, below a mix-up of tasks


class Products:
    """The layers of rows (G, R, in) in the graph of T losses that parameters enter directly.

    The R rows must be T equal blocks, in the losses' order. Parameters that enter anything else are in ``others``, by
    position.
    """

    def __init__(self, losses: Tensor, parameters: Sequence[nn.Parameter]) -> None:
        self.tasks = len(losses)
        self.entries: list[tuple[Any, int, int]] = []  # node, role of the parameter, its position
        self.others: set[int] = set()
        self._position = {id(parameter): position for position, parameter in enumerate(parameters)}
        self._parameters = parameters
        self._walk(losses.grad_fn)

    def _walk(self, root: Any) -> None:
        pending, seen = [root], {root}
        while pending:
            node = pending.pop()
            for argument, (parent, _) in enumerate(node.next_functions):
                role = LAYERS.get(node.name(), {}).get(argument)
                position = self._position.get(_leaf(parent, transposed=role == SCALE))
                if position is not None and role is not None and self._in_blocks(node, role, position):
                    self.entries.append((node, role, position))
                elif position is not None and hasattr(parent, "variable"):
                    self.others.add(position)
                elif parent is not None and parent not in seen:
                    seen.add(parent)
                    pending.append(parent)

    def _in_blocks(self, node: Any, role: int, position: int) -> bool:
        output, parameter = node._input_metadata[0].shape, self._parameters[position].shape
        if len(output) != 3 or len(parameter) != 3:
            return False
        groups, rows, size = output
        fits = parameter[0] == groups and (
            parameter[2] == size if role == WEIGHT else parameter.numel() == groups * size
        )
        plain = all(getattr(node, name, 1) == 1 for name in ("_saved_alpha", "_saved_beta"))
        kept = role == BIAS or getattr(node, ROWS_OF[node.name()]) is not None
        return fits and plain and kept and rows % self.tasks == 0


def gradients_by_rows(
    losses: Tensor, shared: Sequence[nn.Parameter], own: Sequence[nn.Parameter] = ()
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return each task's gradient of ``shared``, (T, P), and the summed loss's gradients of ``own``.

    The graph is retained. Parameters that enter anything but a batched product are differentiated task by task. Rows of
    different tasks are assumed not to mix.
    """
    products = Products(losses, shared)
    nodes = list(dict.fromkeys(node for node, _, _ in products.entries))
    inputs = {node: getattr(node, ROWS_OF.get(node.name(), ""), None) for node in nodes}
    targets: list[Any] = [*(GradientEdge(node, 0) for node in nodes), *own]
    found = torch.autograd.grad(losses.sum(), targets, retain_graph=True, allow_unused=True) if targets else ()
    outputs = dict(zip(nodes, found, strict=False))
    parts = [losses.new_zeros(len(losses), parameter.numel()) for parameter in shared]
    for node, role, position in products.entries:
        if position not in products.others and outputs[node] is not None:
            parts[position] = parts[position] + _of_blocks(inputs[node], outputs[node], role, len(losses))
    if others := sorted(products.others):
        exact = task_gradients(losses, [shared[position] for position in others])
        pieces = exact.split([shared[position].numel() for position in others], dim=1)
        parts = [dict(zip(others, pieces, strict=True)).get(position, part) for position, part in enumerate(parts)]
    rest = zip(found[len(nodes) :], own, strict=True)
    return (
        torch.cat([losses.new_zeros(len(losses), 0), *parts], dim=1),
        tuple(torch.zeros_like(parameter) if gradient is None else gradient for gradient, parameter in rest),
    )


class TaskGradients(nn.Module):
    """Takes per-task gradients by rows, after verifying that they equal those of one backward pass per task.

    It compares both at the first losses of each role and number of tasks, where the host waits for the device once.
    Afterwards one backward pass is enough, or one per task if rows of different tasks mix. The losses' common term may
    mix rows, so it is differentiated separately. The verdicts are saved with the module's state.
    """

    def __init__(self) -> None:
        super().__init__()
        self._separate: dict[tuple[str, int], bool] = {}
        self.register_load_state_dict_pre_hook(_without_verdicts)

    def forward(self, losses: Tensor, parameters: Parameters) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return each of the (T',) losses' gradient of the shared parameters, (T', P), and the sum's of the own ones.

        The graph is retained.
        """
        shared, own, common = parameters.shared, parameters.own, parameters.common
        if common is None:
            return self._of_rows(losses, shared, own, parameters.role)
        # A term that enters twice, with opposite signs, leaves no gradient, to the last bit.
        gradients, of_own = self._of_rows(losses - common, shared, own, parameters.role)
        of_common = task_gradients(common[None], [*shared, *own])[0]
        parts = of_common.split([gradients.shape[1], *(p.numel() for p in own)])
        counted = (~parameters.left_out(losses)).to(of_common.dtype)
        pairs = zip(of_own, parts[1:], strict=True)
        return (
            gradients + counted[:, None] * parts[0],
            tuple(found + counted.sum() * part.view_as(found) for found, part in pairs),
        )

    def get_extra_state(self) -> Tensor:
        """Return the verdicts, (V, 3): a role, a number of tasks, and 1 if rows do not mix, else 0."""
        found = [[ROLES.index(role), tasks, separate] for (role, tasks), separate in self._separate.items()]
        return torch.tensor(found, dtype=torch.int64).view(-1, 3)

    def set_extra_state(self, state: Tensor) -> None:
        """Continue from ``get_extra_state``."""
        self._separate = {(ROLES[role], tasks): bool(separate) for role, tasks, separate in state.tolist()}

    def _of_rows(
        self, losses: Tensor, shared: Sequence[nn.Parameter], own: Sequence[nn.Parameter], role: str
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        key = role, len(losses)
        if self._separate.get(key, True):
            gradients, rest = gradients_by_rows(losses, shared, own)
            if key not in self._separate:
                exact = task_gradients(losses, shared)
                self._separate[key] = bool(((gradients - exact).norm(dim=1) <= TOLERANCE * exact.norm(dim=1)).all())
            if self._separate[key]:
                return gradients, rest
        return task_gradients(losses, shared), gradients_by_rows(losses, (), own)[1]


def _without_verdicts(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Allow loading weights from before verdicts were saved."""
    state.setdefault(f"{prefix}_extra_state", torch.zeros(0, 3, dtype=torch.int64))


def _leaf(node: Any, transposed: bool) -> int:
    """Return the id of the parameter whose gradient a node passes on, unchanged or cast by autocast; 0 for none."""
    passing = ("ToCopyBackward0", "TransposeBackward0") if transposed else ("ToCopyBackward0",)
    while node is not None and node.name() in passing:
        node = node.next_functions[0][0]
    return id(node.variable) if hasattr(node, "variable") else 0


def _of_blocks(x: Tensor | None, gradient: Tensor, role: int, tasks: int) -> Tensor:
    """Return a parameter's gradient for each block of rows, (T, numbers)."""
    gradient = gradient.unflatten(1, (tasks, -1))
    if role == BIAS or x is None:
        per_group = gradient.sum(dim=2)
    elif role == SCALE:
        per_group = (x.detach().unflatten(1, (tasks, -1)) * gradient).sum(dim=2)
    else:
        per_group = x.detach().unflatten(1, (tasks, -1)).transpose(-1, -2) @ gradient
    return per_group.transpose(0, 1).flatten(1).float()

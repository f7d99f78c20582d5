"""Building blocks of aggregators that combine per-task gradients: taking them task by task, and writing one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def task_gradients(losses: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Return each task's gradient with respect to ``parameters``, flattened in their order, for aggregators to combine.

    It takes one backward pass per task, writes no ``.grad`` and never synchronises with the device. It retains the
    graph, which ``backward`` does not, so an aggregator that uses both calls it first.

    Args:
        losses: (T',) one loss per task of the batch, with their graph, as an aggregator receives them.
        parameters: P numbers in all, usually ``parameters.shared``. The gradient is zero where a loss does not depend
            on a parameter.

    Returns:
        (T', P), without a graph.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> mtrl.task_gradients(torch.stack([3 * weight[0], weight.square().sum()]), [weight]).tolist()
        [[3.0, 0.0], [2.0, 4.0]]
    """
    gradients = []
    for loss in losses:
        parts = torch.autograd.grad(
            loss, list(parameters), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        gradients.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(gradients)


def set_gradient(flat: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """Set the ``.grad`` of ``parameters`` to one flat gradient, replacing what is there.

    Args:
        flat: (P,) the gradient, such as a combination of the rows of ``task_gradients``.
        parameters: P numbers in all, in the order of ``flat``.

    Raises:
        RuntimeError: ``flat`` has more or fewer numbers than ``parameters``.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> mtrl.set_gradient(torch.tensor([0.5, -1.0]), [weight])
        >>> weight.grad.tolist()
        [0.5, -1.0]
    """
    parts = flat.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)

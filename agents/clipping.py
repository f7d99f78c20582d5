"""Clipping gradients by their norm: jointly where tasks share parameters, task by task where they do not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class GradientClip:
    """Clips ``.grad`` to a norm of at most ``max_norm``; 0 leaves it as it is.

    ``own`` are the task-specific ones among ``parameters``, stacked (E * T, ...) with the task running fastest. Each
    task's own gradients are clipped by their norm alone, so that no task scales down what another learns; all other
    gradients are clipped by their joint norm (Pascanu et al. 2013).
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], own: Sequence[nn.Parameter], tasks: int, max_norm: float
    ) -> None:
        separate = {id(parameter) for parameter in own}
        self._shared = [parameter for parameter in parameters if id(parameter) not in separate]
        self._own, self._tasks, self._max_norm = list(own), tasks, max_norm

    @torch.no_grad()
    def __call__(self) -> None:
        """Clip the gradients in place, without synchronising with the device."""
        if not self._max_norm:
            return
        if self._shared:
            nn.utils.clip_grad_norm_(self._shared, self._max_norm)
        if self._own:
            gradients = [self._by_task(parameter) for parameter in self._own]
            norm = torch.stack([g.square().sum(dim=(0, 2)) for g in gradients]).sum(dim=0).sqrt()
            scale = (self._max_norm / (norm + 1e-6)).clamp(max=1.0)[:, None]
            for gradient in gradients:
                gradient.mul_(scale)

    def _by_task(self, parameter: nn.Parameter) -> Tensor:
        """Return the gradient as (E, T, numbers), a view."""
        assert parameter.grad is not None
        return parameter.grad.view(-1, self._tasks, parameter[0].numel())

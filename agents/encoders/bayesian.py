"""Bayesian task embeddings: every task's code has a learned mean and variance.

The variational objective of Kingma and Welling 2014 with a code for each task in place of one for each example; the
prior is a standard normal, which is also the code of a task that was never trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.encoders.encoder import Encoder, EncoderShape

INITIAL_LOG_STD = -2.0


class BayesianEncoder(Encoder):
    """The observation with the task's code beside it: sampled where gradients are taken, its mean everywhere else."""

    def __init__(self, obs_size: int, tasks: int, size: int, weight: float, generator: torch.Generator) -> None:
        super().__init__(obs_size + size)
        self.weight = weight
        self.mean = nn.Parameter(torch.empty(tasks, size).normal_(generator=generator))
        self.log_std = nn.Parameter(torch.full((tasks, size), INITIAL_LOG_STD))
        self._task: Tensor | None = None

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs + code); a batch has one sample of each of its tasks' codes."""
        code = rows_of(self.mean, task)
        if torch.is_grad_enabled() and self.generator is not None:
            noise = torch.randn(code.shape, generator=self.generator, device=code.device)
            code = code + rows_of(self.log_std, task).exp() * noise
            self._task = task
        return torch.cat([obs, code[:, None, :].expand(-1, obs.shape[1], -1)], dim=-1)

    def auxiliary_loss(self) -> Tensor:
        """Return ``kl_weight`` times each task's KL divergence from the prior, averaged over the batch's tasks."""
        return self.weight * rows_of(self.divergence(), self._task).mean()

    def divergence(self) -> Tensor:
        """Return KL(N(mean, std) || N(0, 1)), (T,)."""
        return 0.5 * (self.mean.square() + (2.0 * self.log_std).exp() - 1.0 - 2.0 * self.log_std).sum(dim=-1)

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return the standard deviations of each task's code, ``code_std``: (T, size)."""
        return {"code_std": self.log_std.exp()}

    def contexts(self) -> Tensor:
        """Return the codes' means, (T, size)."""
        return self.mean

    def own_parameters(self) -> list[nn.Parameter]:
        """Return means and deviations."""
        return [self.mean, self.log_std]

    def set_tasks(self, context: Tensor) -> None:
        """Replace the tasks by new ones, whose codes are the prior."""
        self.mean = nn.Parameter(self.mean.new_zeros(len(context), self.mean.shape[1]))
        self.log_std = nn.Parameter(torch.zeros_like(self.mean))


def bayesian(shape: EncoderShape, generator: torch.Generator) -> BayesianEncoder:
    """Make the encoder that the settings describe (``agents.registry.sharing_settings.BayesianSettings``)."""
    settings = shape.settings
    return BayesianEncoder(shape.obs, shape.tasks, settings.code_size, settings.kl_weight, generator)

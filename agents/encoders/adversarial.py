"""Features that hide the task: an adversary tries to predict it, and the encoder learns to prevent that.

The objective of Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016, and, with gradients in place
of features, of Sinha, Chen, Badrinarayanan and Rabinovich, "Gradient Adversarial Training of Neural Networks", 2018
(GREAT). Their adversary is a network trained beside the encoder, whose gradient is reversed. Here it is solved for in
every update: against a trained one the encoder moves in circles, so that a fresh classifier recognised three planted
tasks as well as from plain features (.90 against .91); against this one it recognises .46 of rows (chance is .33).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.encoders.encoder import Encoder, EncoderShape
from agents.networks import StackedMLP

COSINES = 64  # random cosines of the features that the adversary reads (Rahimi and Recht 2007)
BANDWIDTH = 0.5  # of their frequencies, in standard deviations of a feature
RIDGE = 1e-2


class AdversarialEncoder(Encoder):
    """An encoder that all tasks share and that hides the task, with the task's one-hot vector beside its features."""

    one_hot: Tensor
    frequencies: Tensor
    phases: Tensor

    def __init__(
        self,
        obs_size: int,
        tasks: int,
        hidden: Sequence[int],
        size: int,
        weight: float,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__(size + tasks)
        self.weight = weight
        self.encoder = StackedMLP(1, obs_size, hidden, size, generator, layer_norm)
        self.register_buffer("one_hot", torch.eye(tasks), persistent=False)
        self.register_buffer("frequencies", BANDWIDTH * torch.empty(size, COSINES).normal_(generator=generator))
        self.register_buffer("phases", torch.empty(COSINES).uniform_(0.0, 2.0 * math.pi, generator=generator))
        self._auxiliary_loss: Tensor | None = None

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, size + tasks)."""
        features = self.encoder(obs.flatten(0, 1)[None])[0]
        own = rows_of(self.one_hot, task)[:, None, :].expand(-1, obs.shape[1], -1)
        if self.weight and torch.is_grad_enabled():
            with torch.autocast(features.device.type, enabled=False):
                self._auxiliary_loss = self.weight * self.explained_variance(features.float(), own.flatten(0, 1))
        return torch.cat([features.unflatten(0, obs.shape[:2]), own], dim=-1)

    def auxiliary_loss(self) -> Tensor | None:
        """Return ``adversarial_weight`` times the share of the task labels' variance that the adversary explains."""
        loss, self._auxiliary_loss = self._auxiliary_loss, None
        return loss

    def explained_variance(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the share of the variance of ``labels`` (R, T) explained by ridge regression on features (R, d)."""
        scaled = (features - features.mean(dim=0)) / (features.var(dim=0, unbiased=False) + 1e-6).sqrt()
        inputs = torch.cat([scaled, torch.cos(scaled @ self.frequencies + self.phases)], dim=1)
        inputs, labels = (part - part.mean(dim=0) for part in (inputs, labels))
        inputs = inputs / (inputs.var(dim=0, unbiased=False) + 1e-6).sqrt()
        covariance = inputs.mT @ inputs / len(inputs) + RIDGE * torch.eye(inputs.shape[1], device=inputs.device)
        agreement = inputs.mT @ labels / len(inputs)
        weights, _ = torch.linalg.solve_ex(covariance, agreement)  # does not wait for the device
        return (agreement * weights).sum() / labels.square().sum().clamp_min(1e-6) * len(inputs)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return all parameters."""
        return [*self.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the encoder network's probed layers."""
        return self.encoder.probed_layers()


def adversarial(shape: EncoderShape, generator: torch.Generator) -> AdversarialEncoder:
    """Make the encoder that the settings describe (``agents.registry.sharing_settings.AdversarialSettings``)."""
    settings = shape.settings
    return AdversarialEncoder(
        shape.obs,
        shape.tasks,
        settings.adversarial_hidden,
        settings.adversarial_size,
        settings.adversarial_weight,
        settings.layer_norm,
        generator,
    )

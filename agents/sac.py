"""Soft actor-critic on tasks as an axis (Haarnoja et al. 2018), one temperature per task."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from agents.aggregators import Aggregate
from agents.base import Batch, rows_of
from agents.clipping import GradientClip
from agents.diagnosis import diagnose
from agents.encoders import Encoder
from agents.gaussian import split_head, squash
from agents.heads import ScalarHead, ValueHead
from agents.normalize import Unscaled
from agents.presets import SACSettings
from agents.trunks import Trunk


class SAC(nn.Module):
    """Twin critics, a squashed Gaussian actor and a temperature per task, over whatever encoder and trunks it is given.

    The encoder is shared by actor and critics and trained by the critics' loss; the target copy includes it.
    ``action_mask``, (T, A), names the action dimensions that a task has: the others count neither in the
    log-probability nor in the target entropy, which is minus their number times ``settings.target_entropy``.
    ``head`` says what the critics' output means; ``obs_scale`` and ``reward_scale`` are running scales, or none.
    """

    mask: Tensor
    target_entropy: Tensor

    def __init__(
        self,
        encoder: Encoder,
        actor: Trunk,
        critic: Trunk,
        action_mask: Tensor,
        settings: SACSettings,
        aggregate: Aggregate,
        generator: torch.Generator,
        head: ValueHead | None = None,
        obs_scale: nn.Module | None = None,
        reward_scale: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.encoder: Encoder = encoder
        self.actor: Trunk = actor
        self.critic: Trunk = critic
        self.head: ValueHead = head or ScalarHead()
        self.obs_scale: Any = obs_scale or Unscaled()
        self.reward_scale: Any = reward_scale or Unscaled()
        self.log_temperature = nn.Parameter(torch.full((len(action_mask),), settings.initial_temperature).log())
        self.register_buffer("mask", action_mask.float(), persistent=False)
        self.register_buffer(
            "target_entropy", -settings.target_entropy * action_mask.float().sum(dim=1), persistent=False
        )
        self.to(generator.device)
        self.target_encoder = copy.deepcopy(self.encoder).requires_grad_(False)
        self.target_critic = copy.deepcopy(self.critic).requires_grad_(False)
        self.discount, self.polyak = settings.discount, settings.polyak
        self.aggregate = aggregate
        self.generator = generator

        self._critic_parameters: list[nn.Parameter] = [*self.encoder.parameters(), *self.critic.parameters()]
        self._actor_parameters = list(self.actor.parameters())
        self._target_parameters: list[Tensor] = [*self.target_encoder.parameters(), *self.target_critic.parameters()]
        self.critic_optimizer = _adam(self._critic_parameters, settings)
        self.actor_optimizer = _adam(self._actor_parameters, settings)
        self.temperature_optimizer = _adam([self.log_temperature], replace(settings, weight_decay=0.0))
        self._learning_rates = (settings.learning_rate, settings.final_learning_rate)
        self._reduced = settings.precision == "bfloat16"
        tasks, norm = len(action_mask), settings.gradient_norm
        self._clip_critic = GradientClip(self._critic_parameters, self.critic.own_parameters(), tasks, norm)
        self._clip_actor = GradientClip(self._actor_parameters, self.actor.own_parameters(), tasks, norm)

    @torch.no_grad()
    def act(self, obs: Tensor, task: Tensor | None = None, *, explore: bool) -> Tensor:
        """(T, N, obs) -> actions (T, N, A): sampled when exploring, else the squashed mean."""
        mask = rows_of(self.mask, task)[:, None, :]
        mean, log_std = split_head(self.actor(self.encoder(self.obs_scale(obs, task), task), task)[0])
        if not explore:
            return torch.tanh(mean) * mask
        return squash(mean, log_std, self._noise(mean.shape), mask)[0]

    def see(self, obs: Tensor, reward: Tensor, ended: Tensor) -> None:
        """Take in a step of the environments, (T, N, obs), (T, N), (T, N) bool, for the running scales."""
        self.obs_scale.see(obs)
        self.reward_scale.see(reward, ended)

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """One step on critics, actor, temperatures and targets."""
        batch = self.scaled(batch)
        z, critic_metrics = self._update_critic(batch)
        log_prob, actor_loss = self._update_actor(z)
        self._update_temperature(log_prob)
        self._update_targets()
        return {**critic_metrics, "actor_loss": actor_loss, "ent_coef": self.log_temperature.detach().exp()}

    def progress(self, share: float) -> None:
        """Set the learning rate that belongs to this share of the run."""
        first, last = self._learning_rates
        for optimizer in (self.critic_optimizer, self.actor_optimizer, self.temperature_optimizer):
            for group in optimizer.param_groups:
                group["lr"] = first + (last - first) * share

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return what the encoder shows of itself on ``obs`` (T, N, obs), in the environments' units."""
        with torch.no_grad():
            return self.encoder.inspect(self.obs_scale(obs))

    def diagnose(self, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Return what ``agents.diagnosis`` finds; nothing changes by it."""
        return diagnose(self, batch, history, generator)

    def leave_out(self, part: int | None) -> None:
        """Act without one part of the encoder's mixture, None: with all. Raises ``ValueError`` where it has none."""
        self.encoder.leave_out(part)

    def meet(self, action_mask: Tensor, context: Tensor) -> None:
        """Turn the policy to tasks that it was not trained on; it can act on them, not learn from them.

        Raises ``ValueError`` where it cannot tell tasks apart by their context, (T', d).
        """
        self.encoder.meet(context)
        self.mask = action_mask.float().to(self.mask.device)

    def scaled(self, batch: Batch) -> Batch:
        """Return the batch in the units that the networks learn in."""
        return batch._replace(
            obs=self.obs_scale(batch.obs),
            next_obs=self.obs_scale(batch.next_obs),
            reward=self.reward_scale(batch.reward),
        )

    def td_target(self, batch: Batch) -> Tensor:
        """r + discount (1 - terminated) (Q'(s', a') - temperature log pi(a'|s')), in the head's terms: (T, N, ...)."""
        with torch.no_grad():
            next_action, log_prob = self.sample(self.encoder(batch.next_obs))
            target_z = self.target_encoder(batch.next_obs)
            next_out = self.target_critic(torch.cat([target_z, next_action], dim=-1))
            scale = self.discount * (1.0 - batch.terminated)
            shift = batch.reward - scale * self.log_temperature.exp()[:, None] * log_prob
            return self.head.target(next_out, shift, scale)

    def critic_losses(
        self, z: Tensor, action: Tensor, target: Tensor, task: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """-> each task's loss (T,), what the critics said (E, T, N, ...); ``task`` as in ``act``."""
        out = self.critic(torch.cat([z, action], dim=-1), task)
        return self.head.losses(out, target), out

    def actor_losses(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """-> each task's loss (T,), the log-probability of the actions drawn (T, N)."""
        action, log_prob = self.sample(z, task)
        q = self.head.value(self.critic(torch.cat([z, action], dim=-1), task))
        temperature = rows_of(self.log_temperature.detach().exp(), task)
        return (temperature[:, None] * log_prob - q).mean(dim=1), log_prob

    def sample(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Draw an action for each row -> actions (T, N, A), log-probabilities (T, N)."""
        mean, log_std = split_head(self.actor(z, task)[0].float())
        return squash(mean, log_std, self._noise(mean.shape), rows_of(self.mask, task)[:, None, :])

    def _update_critic(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with self._autocast():
            z = self.encoder(batch.obs)
            losses, out = self.critic_losses(z, batch.action, self.td_target(batch))
        self._step(self.critic_optimizer, losses, self._critic_parameters, self._clip_critic)
        metrics = {"critic_loss": losses.detach().mean(), "q_mean": self.head.value(out.detach()).mean(dim=1)}
        return z.detach(), metrics

    def _update_actor(self, z: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            losses, log_prob = self.actor_losses(z)
        self._step(self.actor_optimizer, losses, self._actor_parameters, self._clip_actor)
        return log_prob.detach(), losses.detach().mean()

    def _update_temperature(self, log_prob: Tensor) -> None:
        losses = -self.log_temperature.exp() * (log_prob.mean(dim=1) + self.target_entropy)
        self.temperature_optimizer.zero_grad()
        losses.sum().backward()
        self.temperature_optimizer.step()

    @torch.no_grad()
    def _update_targets(self) -> None:
        online: list[Tensor] = [*self._critic_parameters]
        torch._foreach_lerp_(self._target_parameters, online, self.polyak)

    def _step(
        self, optimizer: torch.optim.Optimizer, losses: Tensor, parameters: Sequence[nn.Parameter], clip: GradientClip
    ) -> None:
        optimizer.zero_grad()
        self.aggregate(losses, parameters)
        clip()
        optimizer.step()

    def _autocast(self) -> torch.autocast:
        """Reduced precision for one forward pass: autocast keeps its casts of weights until the block is left.

        So no optimiser may step inside of it, or what follows would see the weights from before the step.
        """
        return torch.autocast(self.generator.device.type, torch.bfloat16, enabled=self._reduced)

    def _noise(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device)


def _adam(parameters: Sequence[nn.Parameter], settings: SACSettings) -> torch.optim.Adam:
    return torch.optim.AdamW(
        parameters, settings.learning_rate, eps=settings.adam_epsilon, weight_decay=settings.weight_decay, fused=True
    )

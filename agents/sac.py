"""Soft actor-critic on tasks as an axis (Haarnoja et al. 2018), one temperature per task."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from agents.aggregators import Aggregate, Parameters, split_parameters
from agents.aggregators.weighing import put
from agents.base import Batch, rows_of
from agents.clipping import GradientClip
from agents.diagnostics.diagnose import diagnose
from agents.encoders import Encoder
from agents.gaussian import split_head, squash
from agents.heads import ValueHead
from agents.heads.scalar import ScalarHead
from agents.normalize import Unscaled
from agents.optimizers import adam, clear_gradients
from agents.penalties import Penalty
from agents.registry.settings import SACSettings
from agents.snapshot import load_training_state, training_state
from agents.trunks import Trunk


class SAC(nn.Module):
    """Twin critics, a squashed Gaussian actor and a temperature per task, on top of an encoder and trunks.

    The encoder is shared by actor and critics and trained by the critics' loss only, so an update encodes a batch once:
    the actor learns on that encoding, detached, from before the critics' step. The target network includes the encoder.
    ``action_mask``, (T, A), marks each task's action dimensions: the others are excluded from the log-probability and
    from the target entropy, which is minus the number of dimensions times ``settings.target_entropy``. ``head``
    interprets the critics' output; ``obs_scale`` and ``reward_scale`` are running normalisers, or None; ``penalty`` of
    a trained module is added to each of its per-task losses.

    Every ``task`` argument, (T',) int64, gives the tasks of the leading axis; None is all of them, in order.
    """

    mask: Tensor
    target_entropy: Tensor
    latest: Tensor

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
        penalty: Penalty | None = None,
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
        # Each task's latest critic loss and value, (2, T), reported for tasks that an update did not include.
        self.register_buffer("latest", torch.zeros(2, len(action_mask)), persistent=False)
        self.aggregate, self.penalty = aggregate, penalty
        self._aggregator_metrics: Callable[[], dict[str, Tensor]] = getattr(aggregate, "metrics", dict)
        self.to(generator.device)
        self.target_encoder = copy.deepcopy(self.encoder).requires_grad_(False)
        self.target_critic = copy.deepcopy(self.critic).requires_grad_(False)
        self.discount, self.polyak = settings.discount, settings.polyak
        self._learning_rates = (settings.learning_rate, settings.final_learning_rate)
        self._reduced = settings.precision == "bfloat16"
        self.generator = generator
        self._set_up_training(settings)

    def _set_up_training(self, settings: SACSettings) -> None:
        """Make what takes the steps: optimisers, the parameters that losses are differentiated by, and clipping."""
        self._critic_parameters: list[nn.Parameter] = [*self.encoder.parameters(), *self.critic.parameters()]
        self._actor_parameters = list(self.actor.parameters())
        self._target_parameters: list[Tensor] = [*self.target_encoder.parameters(), *self.target_critic.parameters()]
        self.critic_optimizer = adam(self._critic_parameters, settings)
        self.actor_optimizer = adam(self._actor_parameters, settings)
        undecayed = replace(settings, weight_decay=0.0)
        self.temperature_optimizer = adam([self.log_temperature], undecayed)
        self.optimizers = {
            "critic": self.critic_optimizer,
            "actor": self.actor_optimizer,
            "temperature": self.temperature_optimizer,
        }
        learned = [*self.aggregate.parameters()] if isinstance(self.aggregate, nn.Module) else []
        if learned:
            self.optimizers["aggregator"] = adam(learned, undecayed)
        own = [*self.encoder.own_parameters(), *self.critic.own_parameters()]
        actor_own = self.actor.own_parameters()
        self._critic_side = split_parameters("critic", self._critic_parameters, own, self.generator)
        self._actor_side = split_parameters("actor", self._actor_parameters, actor_own, self.generator)
        tasks, norm = len(self.mask), settings.gradient_norm
        self._clip_critic = GradientClip(self._critic_parameters, own, tasks, norm)
        self._clip_actor = GradientClip(self._actor_parameters, actor_own, tasks, norm)

    @property
    def generator(self) -> torch.Generator:
        """The source of all noise, including the encoder's."""
        return self._generator

    @generator.setter
    def generator(self, generator: torch.Generator) -> None:
        self._generator = self.encoder.generator = generator

    @torch.no_grad()
    def act(self, obs: Tensor, task: Tensor | None = None, *, explore: bool) -> Tensor:
        """(T, N, obs) -> actions (T, N, A): sampled when exploring, else the squashed mean."""
        z = self.encoder(self.obs_scale(obs, task), task)
        if explore:
            return self.sample(z, task)[0]
        return torch.tanh(self.policy(z, task)[0]) * rows_of(self.mask, task)[:, None, :]

    def observe(self, obs: Tensor, reward: Tensor, ended: Tensor, task: Tensor | None = None) -> None:
        """Update the running scales with a step of the environments: (T, N, obs), (T, N), (T, N) bool."""
        self.obs_scale.observe(obs, task)
        self.reward_scale.observe(reward, ended, task)

    def break_off(self) -> None:
        """Forget what the running scales know of running episodes, which will not be continued."""
        self.reward_scale.break_off()

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take a step on critics, actor, temperatures and target networks, with the tasks of ``batch``.

        Parameters of other tasks have no gradient, but Adam's momentum still moves them.
        """
        batch = self.scaled(batch)
        z, critic_metrics = self._update_critic(batch)
        log_prob, actor_loss = self._update_actor(z, batch.task)
        self._update_temperature(log_prob, batch.task)
        self._update_targets()
        metrics = {"actor_loss": actor_loss, "ent_coef": self.log_temperature.detach().exp()}
        return {**critic_metrics, **metrics, **self._aggregator_metrics()}

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done, in [0, 1].

        Anneal the learning rate linearly, and pass the fraction on to encoder, trunks and targets.
        """
        for part in (self.encoder, self.actor, self.critic, self.target_encoder, self.target_critic):
            part.set_progress(fraction)
        self.target_critic.follow(self.critic)
        first, last = self._learning_rates
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = first + (last - first) * fraction

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return quantities of encoder and actor to visualise on ``obs`` (T, N, obs), in the environments' units."""
        with torch.no_grad():
            scaled = self.obs_scale(obs)
            actor = self.actor.inspect(self.encoder(scaled))
            return {**self.encoder.inspect(scaled), **{f"actor_{name}": values for name, values in actor.items()}}

    def diagnose(self, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Return what ``agents.diagnostics.diagnose`` measures; the agent does not change."""
        return diagnose(self, batch, history, generator)

    def mask_expert(self, expert: int | None) -> None:
        """Mask one expert of the encoder's mixture; None unmasks. Raises ``ValueError`` if it is not a mixture."""
        self.encoder.mask_expert(expert)

    def describe(self, context: Tensor) -> None:
        """Describe the same tasks by other contexts (T, d). Raises ``ValueError`` if the agent reads none."""
        self.encoder.describe(context)

    def set_tasks(self, action_mask: Tensor, context: Tensor) -> None:
        """Replace the tasks by new ones, with action masks (T', A) and contexts (T', d), to act on but not to learn.

        Raises ``ValueError`` if the agent does not distinguish tasks by their context alone.
        """
        self.encoder.set_tasks(context)
        if self.actor.own_parameters():
            raise ValueError("its trunk has task-specific weights, and none for new tasks")
        self.mask = action_mask.float().to(self.mask.device)

    def scaled(self, batch: Batch) -> Batch:
        """Return the batch with observations and rewards normalised."""
        return batch._replace(
            obs=self.obs_scale(batch.obs, batch.task),
            next_obs=self.obs_scale(batch.next_obs, batch.task),
            reward=self.reward_scale(batch.reward, batch.task),
        )

    def policy(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of the Gaussian before squashing, (T, N, A) each."""
        return split_head(self.actor(z, task)[0].float())

    def sample(self, z: Tensor, task: Tensor | None = None, *, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sample an action for each row and return actions (T, N, A) and log-probabilities (T, N).

        ``noise`` (T, N, A), if given, takes the place of standard normal numbers from the generator.
        """
        mean, log_std = self.policy(z, task)
        noise = self._noise(mean.shape) if noise is None else noise
        return squash(mean, log_std, noise, rows_of(self.mask, task)[:, None, :])

    def critic_output(self, z: Tensor, action: Tensor, task: Tensor | None = None, *, target: bool = False) -> Tensor:
        """Return the critics' output, or the target critics', (E, T, N, ...), in the head's terms."""
        critic = self.target_critic if target else self.critic
        return critic(torch.cat([z, action], dim=-1), task)

    def q(self, z: Tensor, action: Tensor, task: Tensor | None = None) -> Tensor:
        """Return the value that the actor maximises, (T, N)."""
        return self.head.value(self.critic_output(z, action, task))

    def td_target(self, batch: Batch) -> Tensor:
        """Return r + discount (1 - terminated) (Q'(s', a') - temperature log pi(a'|s')), (T, N, ...), in head terms."""
        with torch.no_grad():
            next_action, log_prob = self.sample(self.encoder(batch.next_obs, batch.task), batch.task)
            target_z = self.target_encoder(batch.next_obs, batch.task)
            next_out = self.critic_output(target_z, next_action, batch.task, target=True)
            scale = self.discount * (1.0 - batch.terminated)
            temperature = rows_of(self.log_temperature.exp(), batch.task)
            shift = batch.reward - scale * temperature[:, None] * log_prob
            return self.head.target(next_out, shift, scale)

    def critic_losses(
        self, z: Tensor, action: Tensor, target: Tensor, task: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return each task's loss (T,) and the critics' output (E, T, N, ...)."""
        out = self.critic_output(z, action, task)
        return self.head.losses(out, target), out

    def actor_losses(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return each task's loss (T,) and the log-probability of the sampled actions (T, N)."""
        action, log_prob = self.sample(z, task)
        temperature = rows_of(self.log_temperature.detach().exp(), task)
        return (temperature[:, None] * log_prob - self.q(z, action, task)).mean(dim=1), log_prob

    def training_state(self) -> dict[str, Any]:
        """Return everything that training changes, as ``agents.snapshot`` collects it."""
        return training_state(self, self.optimizers, self.generator)

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Restore what ``training_state`` returned, so that training continues with exactly the same numbers."""
        load_training_state(self, self.optimizers, self.generator, state)

    def _update_critic(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with self._autocast():
            z = self.encoder(batch.obs, batch.task)
            extra = self.encoder.auxiliary_loss()
            losses, out = self.critic_losses(z, batch.action, self.td_target(batch), batch.task)
        reported = torch.stack([losses.detach(), self.head.value(out.detach()).mean(dim=1)])
        losses = self.critic.masked(losses, batch.task)
        losses = losses if extra is None else losses + extra
        side = replace(self._critic_side, task=batch.task, common=extra)
        self._step(self.critic_optimizer, losses, side, self._clip_critic, (self.encoder, self.critic))
        self.critic.after_step(self.generator)
        self.latest = put(self.latest, reported, side)
        return z.detach(), {"critic_loss": self.latest[0], "q_mean": self.latest[1]}

    def _update_actor(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]:
        with self._autocast():
            losses, log_prob = self.actor_losses(z, task)
        side = replace(self._actor_side, task=task)
        self._step(self.actor_optimizer, self.actor.masked(losses, task), side, self._clip_actor, (self.actor,))
        self.actor.after_step(self.generator)
        return log_prob.detach(), losses.detach().mean()

    def _update_temperature(self, log_prob: Tensor, task: Tensor | None = None) -> None:
        gap = log_prob.mean(dim=1) + rows_of(self.target_entropy, task)
        # The loss is -temperature * gap, and so is its gradient by the temperature's logarithm.
        gradient = -rows_of(self.log_temperature.detach().exp(), task) * gap
        if task is not None:
            gradient = torch.zeros_like(self.log_temperature).index_add(0, task, gradient)
        self.log_temperature.grad = gradient
        self.temperature_optimizer.step()

    @torch.no_grad()
    def _update_targets(self) -> None:
        torch._foreach_lerp_(self._target_parameters, [*self._critic_parameters], self.polyak)

    def _step(
        self,
        optimizer: torch.optim.Optimizer,
        losses: Tensor,
        side: Parameters,
        clip: GradientClip,
        trained: Sequence[nn.Module],
    ) -> None:
        weighting = self.optimizers.get("aggregator")
        clear_gradients(optimizer)
        if weighting is not None:
            clear_gradients(weighting)
        if self.penalty is not None:
            penalty = sum(self.penalty(module) for module in trained)
            losses = losses + ~side.left_out(losses) * penalty  # a masked task's is 0 too
        self.aggregate(losses, side)
        clip()
        optimizer.step()
        if weighting is not None:
            weighting.step()

    def _autocast(self) -> torch.autocast:
        """Use reduced precision for one forward pass: autocast keeps its casts of weights until the block ends.

        No optimiser may step inside the block, or later operations would see the weights from before the step.
        """
        return torch.autocast(self.generator.device.type, torch.bfloat16, enabled=self._reduced)

    def _noise(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device)

"""Diagnoses why sharing helps or hurts a soft actor-critic, on a batch and on its latest steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from agents.base import Batch
from agents.diagnostics.actor_critic import ActorCritic
from agents.diagnostics.capacity import capacity
from agents.diagnostics.interference import interference
from agents.diagnostics.measures import cosines, mutual_information
from agents.diagnostics.overestimation import overestimation


def diagnose(agent: ActorCritic, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
    """Measure the agent on a batch (T, N, ...) and consecutive steps (T, C, W, ...) : name to 0-d, (T,) or (T, T).

    Nothing is learned: weights, ``.grad`` and the agent's own generator stay as they are; noise is ``generator``'s.
    """
    with _noise_from(agent, generator):
        batch = agent.scaled(batch)
        found = {**interference(agent, batch), **capacity(agent, batch), **_routing(agent, batch.obs)}
        agent.encoder.auxiliary_loss()  # which would keep the diagnosed batch's graph alive until the next update
        return found if history is None else {**found, "q_overestimation": overestimation(agent, history)}


@torch.no_grad()
def _routing(agent: ActorCritic, obs: Tensor) -> dict[str, Tensor]:
    """Measure how much a mixture's weights depend on the task, and how similar the tasks' contexts are."""
    weights_of = agent.encoder.inspect(obs) if agent.encoder.num_experts > 1 else {}
    found = {f"{name}_information": mutual_information(weights) for name, weights in weights_of.items()}
    context = agent.encoder.contexts()
    return found if context is None else {**found, "context_similarity": cosines(context)}


@contextmanager
def _noise_from(agent: ActorCritic, generator: torch.Generator) -> Iterator[None]:
    """Draw the agent's noise from another generator while the block runs."""
    own, agent.generator = agent.generator, generator
    try:
        yield
    finally:
        agent.generator = own

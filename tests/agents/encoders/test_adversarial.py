"""Features that hide the task, seen by a classifier that is trained on them afterwards."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from agents.base import seeded_generator
from agents.encoders.adversarial import AdversarialEncoder
from agents.networks import StackedMLP

TASKS, SIZE = 3, 8


def test_the_adversary_explains_separate_tasks_and_not_mixed_ones() -> None:
    encoder = AdversarialEncoder(4, TASKS, (32,), SIZE, 1.0, True, seeded_generator(0))
    labels = torch.eye(TASKS).repeat_interleave(200, dim=0)
    noise = torch.randn(len(labels), SIZE, generator=seeded_generator(1))
    apart = noise.clone()
    apart[:, :TASKS] += 50.0 * labels
    assert encoder.explained_variance(apart, labels) > 0.9
    assert encoder.explained_variance(noise, labels) < 0.2  # 72 numbers fitted to 600 rows


def test_a_probe_predicts_the_task_from_plain_features_and_hardly_from_adversarial_ones() -> None:
    """Each task's observations lie around a different point; the learning target does not depend on the task."""
    plain, hidden = (probed(features(weight)) for weight in (0.0, 0.3))
    assert plain > 0.8
    assert hidden < 0.5  # chance is 1/3


def observations(generator: torch.Generator) -> torch.Tensor:
    obs = torch.randn(TASKS, 64, 4, generator=generator)
    obs[..., 3] = 0.3 * obs[..., 3] + torch.arange(TASKS)[:, None] - 1.0
    return obs


def features(weight: float) -> AdversarialEncoder:
    init, generator = seeded_generator(0), seeded_generator(1)
    encoder = AdversarialEncoder(4, TASKS, (32,), SIZE, weight, True, init)
    head = StackedMLP(1, SIZE, (), 1, init)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 3e-3)
    for _ in range(600):
        obs = observations(generator)
        z = encoder(obs)[..., :SIZE].flatten(0, 1)
        target = obs[..., :2].sum(dim=-1).flatten()
        extra = encoder.auxiliary_loss()
        loss = (head(z[None])[0, :, 0] - target).square().mean() + (0.0 if extra is None else extra)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder


def probed(encoder: AdversarialEncoder) -> float:
    """The accuracy of a fresh classifier of the task, on features that it has not seen."""
    generator = seeded_generator(2)
    probe = StackedMLP(1, SIZE, (32,), TASKS, seeded_generator(3))
    optimizer = torch.optim.Adam(probe.parameters(), 3e-3)
    task = torch.arange(TASKS).repeat_interleave(64)
    for step in range(400):
        with torch.no_grad():
            z = encoder(observations(generator))[..., :SIZE].flatten(0, 1)
            z = z / z.std().clamp_min(1e-6)
        logits = probe(z[None])[0]
        if step == 399:
            return float((logits.argmax(dim=-1) == task).float().mean())
        optimizer.zero_grad()
        F.cross_entropy(logits, task).backward()
        optimizer.step()
    raise AssertionError

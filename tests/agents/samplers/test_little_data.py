"""A task with a tenth of the data: what the sampler by size does to its share, and to memorisation."""

from __future__ import annotations

import pytest
import torch

from agents.base import PieceShape, seeded_generator
from agents.registry.pieces import PIECES
from agents.replay import Replay
from agents.sac import SAC
from tests.agents.conftest import CPU, MakeAgent
from tests.agents.samplers.test_samplers import counts, made

TASKS, OBS, ACTIONS, ROWS = 4, 4, 2, 16
HELD, FEW = 400, 40  # transitions of a task, and of the last one
SIZES = (400.0, 400.0, 400.0, 40.0)
Transitions = tuple[torch.Tensor, ...]


def transitions(count: int, generator: torch.Generator) -> Transitions:
    """Episodes of one step (T, N, ...), whose reward is a number of the observation and noise of variance 1."""
    obs = torch.rand(TASKS, count, OBS, generator=generator) * 2 - 1
    action = torch.rand(TASKS, count, ACTIONS, generator=generator) * 2 - 1
    reward = obs[..., 0] + torch.randn(TASKS, count, generator=generator)
    return obs, action, reward, torch.ones(TASKS, count), obs


def with_few_of_the_last(data: Transitions) -> Transitions:
    """Replace all of the last task's transitions by repetitions of its first ``FEW``."""
    return tuple(
        torch.cat([part[:-1], part[-1:, :FEW].repeat(1, HELD // FEW, *[1] * (part.dim() - 2))]) for part in data
    )


def error(agent: SAC, data: Transitions) -> float:
    """The mean squared error of the last task's critics."""
    obs, action, reward, *_ = data
    with torch.no_grad():
        out = agent.critic_output(agent.encoder(obs), action).squeeze(-1)
    return float((out - reward)[:, -1].square().mean())


def errors(agent: SAC, sampler: str) -> tuple[float, float]:
    """The critics' errors, on what they learned from and on new transitions, after 400 updates."""
    generator = seeded_generator(1)
    held, new = with_few_of_the_last(transitions(HELD, generator)), transitions(2000, generator)
    replay = Replay(TASKS, HELD, OBS, ACTIONS, seeded_generator(2))
    replay.add(*held)
    piece = PIECES["sampler"][sampler]
    settings = piece.settings(task_sizes=SIZES) if piece.settings else None
    chosen = piece.load()(PieceShape(TASKS, CPU, settings, seed=0))
    for _ in range(400):
        task, rows = chosen.draw(ROWS)
        agent.update(replay.sample(rows, task=task))
    return error(agent, held), error(agent, new)


def test_a_task_with_a_tenth_of_the_data_is_memorised_less_if_it_is_drawn_by_its_size(
    make_agent: MakeAgent,
) -> None:
    """Noise alone is an error of 1. Its share by size is 1 of 31 rows, where it was 1 of 4."""
    found = {}
    for name in ("uniform", "size"):
        settings = {"hidden": (64, 64), "learning_rate": 1e-3, "final_learning_rate": 1e-3}
        found[name] = errors(make_agent("mtmhsac", TASKS, OBS, ACTIONS, **settings), name)
    (held, new), (by_size, new_by_size) = found["uniform"], found["size"]
    assert held < 0.1 < 1.4 < new
    assert new_by_size < new - 0.2
    assert new_by_size - by_size < 0.6 * (new - held)


def test_its_share_is_that_of_its_data_and_inverse_sizes_restore_its_influence() -> None:
    shares = made("size", task_sizes=SIZES).shares()
    assert shares.tolist() == pytest.approx([10 / 31] * 3 + [1 / 31])
    torch.testing.assert_close(counts(made("size", task_sizes=SIZES), 2000), shares, atol=0.005, rtol=0.0)
    aggregator = PIECES["aggregator"]["inverse-size"]
    assert aggregator.settings is not None
    weights = aggregator.load()(PieceShape(TASKS, CPU, aggregator.settings(task_sizes=SIZES))).given
    pull = shares * weights
    assert (pull / pull.sum()).tolist() == pytest.approx([0.25] * 4)

"""Learning new tasks next to kept ones: what the agent receives, in which order, and that it learns from both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from agents.base import Batch, seeded_generator
from agents.rehearsal import Rehearsal
from agents.replay import Replay
from tests.agents.conftest import CPU


class Recorder:
    """An agent that records what it receives."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self.seen: tuple[Any, ...] = ()

    def act(self, obs: Tensor, task: Tensor, explore: bool) -> Tensor:
        self.seen = (obs, task)
        return obs[..., :2]

    def observe(self, *seen: Tensor) -> None:
        self.seen = seen

    def update(self, batch: Batch) -> dict[str, Tensor]:
        self.batch = batch
        return {"critic_loss": batch.reward.mean(dim=1)}

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        return {"obs": obs[:, 0]}


def rehearsal(kept: list[int], new: list[int]) -> tuple[Rehearsal, Recorder]:
    """Kept rows of task k are all k, in observations of three numbers; new ones have two, and one action of two."""
    replay = Replay(len(kept), 8, 3, 2, seeded_generator(0))
    numbers = torch.tensor(kept, dtype=torch.float32)[:, None, None]
    rows = numbers.expand(-1, 6, 3)
    replay.add(rows, rows[..., :2], rows[..., 0], torch.zeros(len(kept), 6), rows)
    agent = Recorder()
    return Rehearsal(agent, replay, kept, new, (3, 2), 1, 0), agent


def batch_of(tasks: int, rows: int) -> Batch:
    obs = torch.full((tasks, rows, 2), 9.0)
    return Batch(obs, torch.full((tasks, rows, 1), 9.0), obs[..., 0], torch.zeros(tasks, rows), obs)


def test_a_batch_has_as_many_rows_of_every_task_in_the_agents_order() -> None:
    made, agent = rehearsal([0, 2, 3], [1])
    metrics = made.update(batch_of(1, 5))
    assert agent.batch is not None
    assert agent.batch.task is None
    assert metrics["critic_loss"].tolist() == [0.0, 9.0, 2.0, 3.0]
    assert agent.batch.obs.shape == agent.batch.next_obs.shape == (4, 5, 3)
    assert agent.batch.obs[1, 0].tolist() == [9.0, 9.0, 0.0]
    assert agent.batch.action[1, 0].tolist() == [9.0, 0.0]
    assert agent.batch.action[3, 0].tolist() == [3.0, 3.0]


def test_new_tasks_act_and_are_observed_under_their_own_numbers() -> None:
    made, agent = rehearsal([1], [0, 2])
    obs = torch.ones(2, 4, 2)
    assert made.act(obs, explore=True).shape == (2, 4, 1)
    assert agent.seen[1].tolist() == [0, 2]
    assert agent.seen[0].shape == (2, 4, 3)
    made.act(obs[:1], torch.tensor([1]), explore=True)
    assert agent.seen[1].tolist() == [2]
    made.observe(obs, torch.ones(2, 4), torch.zeros(2, 4) > 0)
    assert agent.seen[0].shape == (2, 4, 3)
    assert agent.seen[3].tolist() == [0, 2]
    assert made.inspect(obs)["obs"].tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]


def test_draws_continue_from_a_saved_state() -> None:
    made, agent = rehearsal([0, 1], [2])
    agent.training_state, agent.load_training_state = dict, lambda state: None  # type: ignore[attr-defined]
    replay = made._replay
    replay.add(*(torch.rand(2, 6, *size, device=CPU) for size in ((3,), (2,), (), (), (3,))))
    made.update(batch_of(1, 4))
    state = made.training_state()
    made.update(batch_of(1, 4))
    first = agent.batch
    made.load_training_state(state)
    made.update(batch_of(1, 4))
    assert first is not None
    assert agent.batch is not None
    assert torch.equal(agent.batch.obs, first.obs)

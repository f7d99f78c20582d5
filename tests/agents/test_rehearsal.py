"""Learning new tasks beside kept ones: what the agent is given, in which order, and that both are learned from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from agents.base import Batch, seeded_generator
from agents.rehearsal import Rehearsal
from agents.replay import Replay
from tests.agents.conftest import CPU


class Told:
    """An agent that remembers what it is told."""

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


def rehearsal(kept: list[int], new: list[int]) -> tuple[Rehearsal, Told]:
    """Kept rows of task k are all k, in observations of three numbers; new ones have two, and one action of two."""
    replay = Replay(len(kept), 8, 3, 2, seeded_generator(0))
    numbers = torch.tensor(kept, dtype=torch.float32)[:, None, None]
    rows = numbers.expand(-1, 6, 3)
    replay.add(rows, rows[..., :2], rows[..., 0], torch.zeros(len(kept), 6), rows)
    told = Told()
    return Rehearsal(told, replay, kept, new, (3, 2), 1, 0), told


def batch_of(tasks: int, rows: int) -> Batch:
    obs = torch.full((tasks, rows, 2), 9.0)
    return Batch(obs, torch.full((tasks, rows, 1), 9.0), obs[..., 0], torch.zeros(tasks, rows), obs)


def test_a_batch_has_as_many_rows_of_every_task_in_the_agents_order() -> None:
    made, told = rehearsal([0, 2, 3], [1])
    metrics = made.update(batch_of(1, 5))
    assert told.batch is not None
    assert told.batch.task is None
    assert metrics["critic_loss"].tolist() == [0.0, 9.0, 2.0, 3.0]
    assert told.batch.obs.shape == told.batch.next_obs.shape == (4, 5, 3)
    assert told.batch.obs[1, 0].tolist() == [9.0, 9.0, 0.0]
    assert told.batch.action[1, 0].tolist() == [9.0, 0.0]
    assert told.batch.action[3, 0].tolist() == [3.0, 3.0]


def test_new_tasks_act_and_are_observed_under_their_own_numbers() -> None:
    made, told = rehearsal([1], [0, 2])
    obs = torch.ones(2, 4, 2)
    assert made.act(obs, explore=True).shape == (2, 4, 1)
    assert told.seen[1].tolist() == [0, 2]
    assert told.seen[0].shape == (2, 4, 3)
    made.act(obs[:1], torch.tensor([1]), explore=True)
    assert told.seen[1].tolist() == [2]
    made.observe(obs, torch.ones(2, 4), torch.zeros(2, 4) > 0)
    assert told.seen[0].shape == (2, 4, 3)
    assert told.seen[3].tolist() == [0, 2]
    assert made.inspect(obs)["obs"].tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]


def test_what_is_drawn_goes_on_where_it_was_put_aside() -> None:
    made, told = rehearsal([0, 1], [2])
    told.training_state, told.load_training_state = dict, lambda state: None  # type: ignore[attr-defined]
    replay = made._replay
    replay.add(*(torch.rand(2, 6, *size, device=CPU) for size in ((3,), (2,), (), (), (3,))))
    made.update(batch_of(1, 4))
    state = made.training_state()
    made.update(batch_of(1, 4))
    first = told.batch
    made.load_training_state(state)
    made.update(batch_of(1, 4))
    assert first is not None
    assert told.batch is not None
    assert torch.equal(told.batch.obs, first.obs)

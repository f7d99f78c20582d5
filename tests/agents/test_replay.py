"""The replay returns the transitions that were added, task by task, and nothing else."""

from __future__ import annotations

import pytest
import torch

from agents.base import seeded_generator
from agents.replay import Replay


def numbered(tasks: int, start: int, count: int) -> dict[str, torch.Tensor]:
    """Transitions whose every field is 1000 * task + position, so that each row can be identified."""
    ids = torch.arange(start, start + count).float() + 1000.0 * torch.arange(tasks).float()[:, None]
    return {
        "obs": ids[..., None].expand(-1, -1, 2),
        "action": ids[..., None],
        "reward": ids,
        "terminated": torch.zeros_like(ids),
        "next_obs": ids[..., None].expand(-1, -1, 2) + 0.5,
    }


def ids_in(replay: Replay, draws: int = 4000) -> list[set[int]]:
    """Which rows a large sample shows, per task."""
    return [set(row.int().tolist()) for row in replay.sample(draws).reward]


def test_only_written_rows_are_ever_drawn() -> None:
    replay = Replay(2, 100, 2, 1, seeded_generator(0))
    replay.add(**numbered(2, 1, 3))
    assert ids_in(replay) == [{1, 2, 3}, {1001, 1002, 1003}]


def test_a_full_ring_forgets_the_oldest_first_also_across_its_seam() -> None:
    replay = Replay(2, 5, 2, 1, seeded_generator(0))
    replay.add(**numbered(2, 1, 3))
    replay.add(**numbered(2, 4, 4))  # rows 6 and 7 go to the ring's start
    assert replay.size == 5
    assert ids_in(replay) == [{3, 4, 5, 6, 7}, {1003, 1004, 1005, 1006, 1007}]
    replay.add(**numbered(2, 8, 5))
    assert ids_in(replay)[0] == {8, 9, 10, 11, 12}


def test_fields_of_a_row_stay_together_and_every_task_gets_its_share() -> None:
    replay = Replay(3, 50, 2, 1, seeded_generator(0))
    replay.add(**numbered(3, 0, 20))
    batch = replay.sample(64)
    assert batch.obs.shape == (3, 64, 2)
    assert batch.reward.shape == batch.terminated.shape == (3, 64)
    assert torch.equal(batch.obs[..., 0], batch.reward)
    assert torch.equal(batch.action[..., 0], batch.reward)
    assert torch.equal(batch.next_obs[..., 1], batch.reward + 0.5)
    assert torch.equal(batch.reward.div(1000, rounding_mode="floor"), torch.arange(3.0)[:, None].expand(-1, 64))


def test_termination_is_kept_and_truncation_is_not_one() -> None:
    replay = Replay(1, 8, 2, 1, seeded_generator(0))
    rows = numbered(1, 0, 2)
    rows["terminated"] = torch.tensor([[True, False]])
    replay.add(**rows)
    batch = replay.sample(100)
    assert torch.equal(batch.terminated, (batch.reward == 0).float())


def test_same_generator_same_draws() -> None:
    drawn = []
    for _ in range(2):
        replay = Replay(2, 50, 2, 1, seeded_generator(3))
        replay.add(**numbered(2, 0, 40))
        drawn.append(replay.sample(16).reward)
    assert torch.equal(*drawn)


def test_draws_are_uniform() -> None:
    replay = Replay(1, 10, 2, 1, seeded_generator(0))
    replay.add(**numbered(1, 0, 10))
    counts = torch.bincount(replay.sample(10_000).reward.flatten().long(), minlength=10)
    assert counts.min() > 850
    assert counts.max() < 1150


def test_a_size_on_the_device_limits_the_rows_and_all_are_drawn_uniformly() -> None:
    replay = Replay(2, 16, 2, 1, seeded_generator(0))
    replay.add(**numbered(2, 0, 10))
    size = torch.tensor(4)
    assert set(replay.sample(1_000, size=size).reward[0].tolist()) == {0.0, 1.0, 2.0, 3.0}
    size.fill_(10)
    counts = torch.bincount(replay.sample(10_000, size=size).reward[0].long(), minlength=10)
    assert (len(counts), counts.min() > 850, counts.max() < 1150) == (10, True, True)


def test_an_empty_replay_refuses_to_be_sampled() -> None:
    with pytest.raises(ValueError, match="empty"):
        Replay(1, 10, 2, 1, seeded_generator(0)).sample(1)


def test_bytes_needed_is_what_the_rows_take() -> None:
    replay = Replay(3, 7, 4, 2, seeded_generator(0))
    assert Replay.bytes_needed(3, 7, 4, 2) == replay._rows.numel() * 4 == 3 * 7 * (4 + 4 + 2 + 1 + 1) * 4


def test_the_last_steps_come_back_in_their_order_across_the_rings_seam() -> None:
    """Three copies, a ring of eight rows, five steps: the observation is 10 * step + copy."""
    replay = Replay(2, 8, 1, 1, seeded_generator(0))
    for step in range(5):
        obs = (10.0 * step + torch.arange(3.0))[None, :, None] + torch.tensor([0.0, 100.0])[:, None, None]
        replay.add(obs, torch.zeros(2, 3, 1), torch.zeros(2, 3), torch.zeros(2, 3), obs + 10)
    history = replay.history(2, 3, 2)
    assert history.obs[..., 0].tolist() == [[[30, 40], [31, 41]], [[130, 140], [131, 141]]]
    assert history.next_obs.shape == (2, 2, 2, 1)
    assert history.reward.shape == (2, 2, 2)
    with pytest.raises(ValueError, match="3 steps of 3 copies were requested, but the replay buffer holds 8"):
        replay.history(3, 3, 2)


def test_a_generator_of_ones_own_leaves_the_replays_draws_as_they_are() -> None:
    one, other = (Replay(1, 50, 1, 1, seeded_generator(3)) for _ in range(2))
    for replay in (one, other):
        rows = torch.arange(50.0)[None, :, None]
        replay.add(rows, rows, rows[..., 0], rows[..., 0], rows)
    drawn = one.sample(20, seeded_generator(4)).obs
    assert not torch.equal(drawn, other.sample(20).obs)
    assert torch.equal(other.sample(20, seeded_generator(4)).obs, drawn)
    one.sample(20)
    assert torch.equal(one.sample(9).obs, other.sample(9).obs)

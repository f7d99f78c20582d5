"""Episodes added up from transitions written by hand: returns, lengths, and success both ways."""

from __future__ import annotations

import math

import torch

from mtrl.episodes import Episode, EpisodeTracker
from mtrl.tensor_env import Transition

NAN = math.nan


def transition(reward: list[list[float]], ended: list[list[bool]], success: list[list[float]]) -> Transition:
    """One step of T tasks x N copies; what an episode is made of, and nothing in the observations."""
    shape = (len(reward), len(reward[0]))
    obs = torch.zeros(*shape, 1)
    return Transition(
        obs, obs, torch.tensor(reward), torch.zeros(shape, dtype=torch.bool), torch.tensor(ended), torch.tensor(success)
    )


def one_copy(steps: list[tuple[float, bool, float]]) -> list[Episode]:
    """The episodes of one task and copy: (reward, ended, success) at each step."""
    tracker = EpisodeTracker(1, 1)
    return [e for reward, ended, success in steps for e in tracker.step(transition([[reward]], [[ended]], [[success]]))]


def test_returns_and_lengths_of_two_episodes_in_a_row() -> None:
    first, second = one_copy(
        [(1.0, False, 0.0), (2.5, True, 0.0), (-1.0, False, 0.0), (0.0, False, 0.0), (0.25, True, 0.0)]
    )
    assert (first.total, first.length) == (3.5, 2)
    assert (second.total, second.length) == (-0.75, 3)


def test_success_at_any_step_is_told_from_success_at_the_last() -> None:
    touched, kept, never = one_copy(
        [
            *[(0.0, False, 1.0), (0.0, True, 0.0)],
            *[(0.0, False, 0.0), (0.0, True, 1.0)],
            *[(0.0, False, 0.0), (0.0, True, 0.0)],
        ]
    )
    assert (touched.success_any, touched.success_last) == (1.0, 0.0)
    assert (kept.success_any, kept.success_last) == (1.0, 1.0)
    assert (never.success_any, never.success_last) == (0.0, 0.0)


def test_a_task_that_never_says_success_has_nan_for_both() -> None:
    (episode,) = one_copy([(1.0, False, NAN), (1.0, True, NAN)])
    assert math.isnan(episode.success_any)
    assert math.isnan(episode.success_last)
    assert episode.total == 2.0


def test_success_said_at_some_steps_only_counts_where_it_was_said() -> None:
    early, late, failed = one_copy(
        [
            *[(0.0, False, 1.0), (0.0, False, NAN), (0.0, True, NAN)],
            *[(0.0, False, NAN), (0.0, True, 1.0)],
            *[(0.0, False, NAN), (0.0, False, 0.0), (0.0, True, NAN)],
        ]
    )
    assert early.success_any == 1.0
    assert math.isnan(early.success_last)
    assert (late.success_any, late.success_last) == (1.0, 1.0)
    assert failed.success_any == 0.0


def test_success_of_one_episode_does_not_reach_into_the_next() -> None:
    solved, unsaid = one_copy([(0.0, True, 1.0), (0.0, True, NAN)])
    assert solved.success_any == 1.0
    assert math.isnan(unsaid.success_any)


def test_tasks_and_copies_are_kept_apart() -> None:
    tracker = EpisodeTracker(2, 3)
    reward = [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]
    quiet = [[0.0] * 3, [0.0] * 3]
    assert tracker.step(transition(reward, [[False] * 3, [False] * 3], quiet)) == []
    some = [[False, True, False], [False, False, True]]
    ended = tracker.step(transition(reward, some, [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    assert ended == [Episode(0, 1, 4.0, 2, 0.0, 0.0), Episode(1, 2, 60.0, 2, 1.0, 1.0)]
    rest = tracker.step(transition(reward, [[True] * 3, [True] * 3], quiet))
    assert [(e.task, e.copy, e.total, e.length) for e in rest] == [
        *[(0, 0, 3.0, 3), (0, 1, 2.0, 1), (0, 2, 9.0, 3)],
        *[(1, 0, 30.0, 3), (1, 1, 60.0, 3), (1, 2, 30.0, 1)],
    ]
    assert [e.success_any for e in rest] == [0.0] * 6

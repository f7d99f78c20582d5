"""Who gets how many rows: by hand for given numbers, and what a planted hard, easy or noisy task gets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from agents.base import PieceShape, seeded_generator
from agents.checks.properties import Recorder
from agents.registry.pieces import PIECES
from agents.registry.spec import RegistryError
from agents.samplers.proportional import systematic, with_floor

CPU = torch.device("cpu")
OTHERS = [name for name in PIECES["sampler"] if name != "uniform"]
REQUIRED: dict[str, dict[str, Any]] = {"widen-by-return": {"widen_return": 0.5}}  # settings without a default


def made(name: str, tasks: int = 4, seed: int = 0, numbers: tuple[float, ...] | None = None, **settings: Any) -> Any:
    """A built-in sampler, with default settings except those given."""
    piece = PIECES["sampler"][name]
    assert piece.settings is not None
    chosen = {**REQUIRED.get(name, {}), **settings}
    return piece.load()(PieceShape(tasks, CPU, piece.settings(**chosen), seed, numbers or (*map(float, range(tasks)),)))


def counts(sampler: Any, draws: int = 400) -> Tensor:
    """How often each task was drawn, as a share."""
    drawn = torch.cat([sampler.draw(8)[0] for _ in range(draws)])
    return torch.bincount(drawn, minlength=sampler.tasks) / len(drawn)


def trained(sampler: Any, seed: int = 0, updates: int = 60) -> Any:
    """A sampler that has drawn batches and received losses and scores."""
    generator = seeded_generator(seed)
    for update in range(updates):
        sampler.draw(8)
        numbers = torch.rand(sampler.tasks, generator=generator)
        sampler.observe_losses(numbers)
        if hasattr(sampler, "observe_gradients"):
            sampler.observe_gradients(numbers)
        if update % 20 == 0:
            scores = torch.rand(sampler.tasks, generator=generator)
            sampler.observe_scores(scores)
            if hasattr(sampler, "observe_returns"):
                sampler.observe_returns(scores)
    return sampler


@pytest.mark.parametrize("name", OTHERS)
def test_a_batch_has_as_many_rows_as_with_all_tasks_once_each(name: str) -> None:
    tasks, rows = trained(made(name)).draw(8)
    assert (len(tasks) * rows, tasks.dtype) == (4 * 8, torch.int64)


@pytest.mark.parametrize("name", OTHERS)
def test_the_same_seed_draws_the_same_and_continues_after_a_round_trip(name: str) -> None:
    one, two, other = trained(made(name)), trained(made(name)), made(name, seed=9)
    other.load_state_dict(one.state_dict())
    for _ in range(3):
        drawn = [trained(sampler, 5, 20).draw(8)[0].tolist() for sampler in (one, two, other)]
        assert drawn[0] == drawn[1] == drawn[2]
    assert torch.equal(one.shares(), other.shares())


@pytest.mark.parametrize("name", OTHERS)
def test_reported_shares_are_those_that_are_drawn(name: str) -> None:
    sampler = trained(made(name))
    shares = sampler.metrics()["batch_share"]
    assert float(shares.sum()) == pytest.approx(1.0)
    torch.testing.assert_close(counts(sampler), shares, atol=0.02, rtol=0.0)


@pytest.mark.parametrize("name", OTHERS)
def test_neither_drawing_nor_observing_waits_for_the_device(name: str) -> None:
    sampler, losses = trained(made(name)), torch.rand(4)
    with Recorder() as recorder:
        sampler.draw(8)
        sampler.observe_losses(losses)
        if hasattr(sampler, "observe_gradients"):
            sampler.observe_gradients(losses)
        sampler.metrics()
    assert "searchsorted" in recorder.names
    assert recorder.waits == []


def test_counts_are_the_shares_rounded_up_or_down() -> None:
    shares, generator = torch.tensor([0.5, 0.3, 0.2, 0.0]), seeded_generator(0)
    for _ in range(50):
        drawn = torch.bincount(systematic(shares, generator), minlength=4).tolist()
        assert drawn[0] == 2
        assert drawn[1] in (1, 2)
        assert drawn[2] in (0, 1)
        assert drawn[3] == 0
    assert systematic(torch.full((4,), 0.25), generator).tolist() == [0, 1, 2, 3]


def test_a_floor_is_spread_evenly() -> None:
    assert with_floor(torch.tensor([3.0, 1.0]), 0.5).tolist() == [0.625, 0.375]
    assert with_floor(torch.zeros(2), 0.0).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, [0.9, 0.1]), (2.0, [0.75, 0.25])])
def test_sizes_are_evened_out_by_the_temperature(temperature: float, expected: list[float]) -> None:
    shares = made("size", 2, task_sizes=(90.0, 10.0), size_temperature=temperature).shares()
    assert shares.tolist() == pytest.approx(expected)


def test_a_task_with_a_tenth_of_the_data_has_its_transitions_drawn_no_more_often_than_the_others() -> None:
    """With tasks drawn evenly, each of its transitions would be learned from ten times as often."""
    sizes = torch.tensor([1000.0, 1000.0, 1000.0, 100.0])
    per_transition = counts(made("size", task_sizes=tuple(sizes.tolist()))) / sizes
    assert float(per_transition.max() / per_transition.min()) < 1.2


def test_sizes_that_are_not_one_for_each_task_are_refused() -> None:
    with pytest.raises(RegistryError, match="--task-sizes has 2 numbers for 4 tasks"):
        made("size", task_sizes=(1.0, 2.0))


def test_inverse_success_gives_the_unsolved_task_the_most_rows() -> None:
    sampler = made("inverse-success", success_offset=0.1)
    assert sampler.shares().tolist() == [0.25] * 4
    sampler.observe_scores(torch.tensor([0.9, 0.9, 0.0, 0.4]))
    torch.testing.assert_close(sampler.shares(), torch.tensor([1.0, 1.0, 10.0, 2.0]) / 14.0)


def test_hard_first_uses_ranks_and_treats_equals_equally() -> None:
    sampler = made("hard-first", hard_floor=0.0)
    sampler.observe_scores(torch.tensor([0.9, 0.5, 0.0, 0.5]))
    torch.testing.assert_close(sampler.shares(), torch.tensor([0.25, 0.5, 1.0, 0.5]) / 2.25)


def test_learning_progress_follows_the_task_whose_score_moves_in_any_unit() -> None:
    sampler = made("learning-progress", progress_floor=0.2)
    for evaluation in range(6):
        sampler.observe_scores(torch.tensor([0.0, 1.0, 0.1 * evaluation, -300.0 + 100.0 * evaluation]))
    still, solved, success, total = sampler.shares().tolist()
    assert still == solved == pytest.approx(0.05)
    assert min(success, total) > 0.2


def test_the_task_with_the_largest_loss_gets_the_most_rows() -> None:
    sampler = made("loss", loss_exponent=1.0, loss_floor=0.0)
    for _ in range(10):
        sampler.observe_losses(torch.tensor([1.0, 2.0, 6.0, 1.0]))
    assert sampler.shares().tolist() == pytest.approx([0.1, 0.2, 0.6, 0.1])


def test_the_task_with_the_longest_gradient_gets_the_most_rows() -> None:
    sampler = made("gradient-norm", gradient_exponent=1.0, gradient_floor=0.2)
    assert sampler.shares().tolist() == [0.25] * 4
    for _ in range(10):
        sampler.observe_gradients(torch.tensor([1.0, 2.0, 6.0, 1.0]))
    assert sampler.shares().tolist() == pytest.approx([0.13, 0.21, 0.53, 0.13])


def test_the_bandit_finds_the_task_whose_loss_falls() -> None:
    sampler, losses = made("exp3", bandit_rate=0.05), torch.ones(4)
    noise = 0.02 * torch.randn(400, 4, generator=seeded_generator(2))
    for update in range(400):
        drawn = sampler.draw(8)[0]
        losses[2] *= 0.99 if 2 in drawn.tolist() else 1.0
        sampler.observe_losses(losses * noise[update].exp())
    assert float(sampler.shares()[2]) > 0.6


def test_the_bandit_gives_the_one_rewarding_task_of_ten_most_of_the_rows() -> None:
    """It is rewarded for each of its rows, or its share could not become much larger than the others."""
    sampler, losses = made("exp3", 10, bandit_rate=0.02), torch.zeros(10)
    noise = 0.3 * torch.randn(3000, 10, generator=seeded_generator(2))
    shares = []
    for update in range(3000):
        sampler.draw(8)
        losses[0] -= 0.01
        sampler.observe_losses((losses + noise[update]).exp().clamp_min(1e-7))
        if losses[0] < -10.0:
            losses[0] = sampler.learned["loss"][0] = 0.0
        shares.append(float(sampler.shares()[0]))
    assert sum(shares[1500:]) / 1500 > 0.7


def test_a_task_is_unlocked_when_all_before_it_succeed_and_stays_so() -> None:
    sampler = made("unlock", unlock_first=1, unlock_at=0.8)
    assert sampler.draw(8)[0].tolist() == [0, 0, 0, 0]
    for scores, expected in (
        ([0.7, 1.0, 1.0, 1.0], [0]),  # what is locked does not count
        ([0.8, 0.0, 0.0, 0.0], [0, 1]),
        ([0.0, 0.9, 0.9, 0.9], [0, 1]),
        ([0.9, 0.9, 0.0, 0.0], [0, 1, 2]),
        ([1.0, 1.0, 1.0, 0.0], [0, 1, 2, 3]),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 2, 3]),
    ):
        sampler.observe_scores(torch.tensor(scores))
        assert sampler.shares().nonzero().flatten().tolist() == expected


def unlocked(sampler: Any) -> list[int]:
    """Which tasks have rows, all of them as many."""
    shares = sampler.shares()
    found = shares.nonzero().flatten().tolist()
    assert shares[found].tolist() == pytest.approx([1.0 / len(found)] * len(found))
    return found


def test_an_end_of_the_range_moves_outwards_where_its_task_succeeds_and_never_back() -> None:
    """By number the tasks are 2, 0, 4, 1, 3; the middle one is task 4."""
    sampler = made("widen", 5, numbers=(6.0, 10.0, 4.0, 12.0, 8.0), widen_at=0.8)
    assert unlocked(sampler) == [4]
    assert sampler.draw(8)[0].tolist() == [4] * 5
    for scores, expected in (
        ([1.0, 1.0, 1.0, 1.0, 0.7], [4]),  # what is locked does not count
        ([0.0, 0.0, 0.0, 0.0, 0.8], [0, 1, 4]),  # both ends were this one
        ([0.9, 0.1, 0.0, 0.0, 1.0], [0, 1, 2, 4]),
        ([0.0, 0.0, 0.0, 0.0, 1.0], [0, 1, 2, 4]),
        ([0.0, 0.9, 1.0, 0.0, 0.0], [0, 1, 2, 3, 4]),
        ([1.0, 1.0, 1.0, 1.0, 1.0], [0, 1, 2, 3, 4]),
    ):
        sampler.observe_scores(torch.tensor(scores))
        assert unlocked(sampler) == expected


@pytest.mark.parametrize(("start", "first"), [(None, 1), (4.0, 0), (-100.0, 0), (9.0, 2), (11.0, 3)])
def test_the_range_starts_in_the_middle_or_at_the_task_nearest_to_the_setting(start: float | None, first: int) -> None:
    assert unlocked(made("widen", numbers=(4.0, 6.0, 8.5, 12.0), widen_from=start)) == [first]


def test_returns_widen_whatever_the_scores_are() -> None:
    sampler = made("widen-by-return", 3, widen_return=-200.0, widen_from=0.0)
    for scores, expected in (
        ([-300.0, 0.0, 0.0], [0]),
        ([-150.0, -900.0, 0.0], [0, 1]),
        ([-900.0, -200.0, 0.0], [0, 1, 2]),
    ):
        sampler.observe_scores(torch.ones(3))  # success rates, where tasks report success
        sampler.observe_returns(torch.tensor(scores))
        assert unlocked(sampler) == expected


def test_without_numbers_or_a_return_there_is_nothing_to_widen_by() -> None:
    piece = PIECES["sampler"]["widen"]
    assert piece.settings is not None
    with pytest.raises(RegistryError, match="order tasks by the one number in which they differ.*--sampler unlock"):
        piece.load()(PieceShape(3, CPU, piece.settings()))
    with pytest.raises(RegistryError, match="needs the return.*--widen-return"):
        made("widen-by-return", widen_return=None)

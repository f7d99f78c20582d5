"""What is no longer finite is named at once, and the last weights that were are kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mtrl.training.finite import Diverged, FiniteGuard

CPU = torch.device("cpu")


class Weights(nn.Module):
    """An agent of two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.ones(3))


def broken(weight: Tensor) -> None:
    """Make one of a weight's numbers not finite."""
    with torch.no_grad():
        weight[1] = torch.inf


def test_the_first_metric_that_went_wrong_is_named() -> None:
    guard = FiniteGuard(Weights(), CPU)  # type: ignore[arg-type]
    good, bad = torch.tensor(1.0), torch.tensor([0.5, torch.nan])
    guard.update({"critic_loss": good}, 8)
    with pytest.raises(Diverged, match=r"train/q_mean is \[0.5, nan\] after 1,200 steps per task"):
        guard.update({"critic_loss": good, "q_mean": bad, "actor_loss": bad}, 1_200)


def test_finite_numbers_whose_sum_is_not_are_let_pass_and_infinities_that_cancel_are_not() -> None:
    guard = FiniteGuard(Weights(), CPU)  # type: ignore[arg-type]
    guard.update({"critic_loss": torch.full((3,), 3e38)}, 8)
    guard.action(torch.full((1, 1, 3), 3e38), 8, on_host=True)
    with pytest.raises(Diverged):
        guard.update({"critic_loss": torch.tensor([torch.inf, -torch.inf])}, 8)


def test_the_weight_behind_a_broken_action_is_named_before_an_environment_sees_it() -> None:
    agent = Weights()
    guard = FiniteGuard(agent, CPU)  # type: ignore[arg-type]
    guard.action(torch.zeros(1, 1, 2), 8, on_host=True)
    with pytest.raises(Diverged, match="action is not finite after 8 steps"):
        guard.action(torch.tensor([[[torch.nan, 0.0]]]), 8, on_host=True)
    broken(agent.second)
    with pytest.raises(Diverged, match="weight second is not finite"):
        guard.action(torch.tensor([[[torch.nan, 0.0]]]), 8, on_host=True)


def test_kept_weights_are_copies_of_the_last_finite_ones() -> None:
    agent = Weights()
    guard = FiniteGuard(agent, CPU)  # type: ignore[arg-type]
    with torch.no_grad():
        agent.first += 3.0
    guard.keep(16)
    broken(agent.first)
    with pytest.raises(Diverged, match="weight first is not finite after 24 steps"):
        guard.keep(24)
    assert guard.weights["first"].tolist() == [3.0, 3.0]


def test_an_accelerator_is_not_waited_for_between_lines_of_the_log() -> None:
    """The meta device has no numbers to read, so that whoever reads one fails."""
    guard = FiniteGuard(Weights(), CPU)  # type: ignore[arg-type]
    guard._at_once = False
    nothing = torch.zeros(3, device="meta")
    guard.update({"critic_loss": nothing}, 8)
    guard.action(nothing, 8, on_host=False)
    with pytest.raises(Diverged):
        guard.check({"critic_loss": torch.tensor(torch.nan)}, 8)

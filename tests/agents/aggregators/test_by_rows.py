"""Gradients taken by rows are those of a backward pass for each task, and are not taken so where rows mix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agents.aggregators import by_rows, split_parameters, task_gradients
from agents.aggregators.by_rows import Products, TaskGradients, gradients_by_rows
from agents.base import seeded_generator
from agents.networks import StackedMLP
from tests.agents.conftest import MakeAgent, random_batch

TASKS, ROWS = 3, 8
CASES: list[tuple[str, dict[str, Any]]] = [
    ("mtsac", {}),
    ("mtsac", {"encoder": "film", "network": "residual"}),
    ("mtmhsac", {"critic": "categorical"}),
    ("care", {"precision": "bfloat16"}),
    ("care", {"attention": "dot-product"}),
]


@pytest.mark.parametrize("task", [None, [2, 0, 2, 1]])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_they_equal_a_backward_pass_for_each_task(
    make_agent: MakeAgent, name: str, settings: dict[str, Any], task: list[int] | None
) -> None:
    agent, batch = make_agent(name, **settings), random_batch(TASKS, ROWS, 4, 2)
    if task is not None:
        chosen = torch.tensor(task)
        batch = batch.apply(lambda part: part[chosen])._replace(task=chosen)
    target = agent.td_target(batch)
    with agent._autocast():
        z = agent.encoder(batch.obs, batch.task)
        both = (
            agent.critic_losses(z, batch.action, target, batch.task)[0],
            agent.actor_losses(z.detach(), batch.task)[0],
        )
    for losses, side in zip(both, (agent._critic_side, agent._actor_side), strict=True):
        assert not Products(losses, side.shared).others
        gradients, own = gradients_by_rows(losses, side.shared, side.own)
        torch.testing.assert_close(gradients, task_gradients(losses, side.shared), atol=1e-5, rtol=1e-3)
        if side.own:
            expected = torch.autograd.grad(losses.sum(), list(side.own), retain_graph=True)
            torch.testing.assert_close(own, expected)


class Scrambled(nn.Module):
    """One network for all tasks, whose rows are in the order of the copies instead of the tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.network = StackedMLP(1, 4, (8,), 1, seeded_generator(0))

    def losses(self, x: Tensor) -> Tensor:
        rows = x.transpose(0, 1).reshape(1, -1, 4)
        return self.network(rows).view(ROWS, TASKS).square().mean(dim=0)


def test_where_rows_are_in_another_order_a_pass_for_each_task_is_taken() -> None:
    module, x = Scrambled(), torch.randn(TASKS, ROWS, 4, generator=seeded_generator(1))
    shared, take = [*module.parameters()], TaskGradients()
    side = split_parameters("critic", shared, [], seeded_generator(0))
    expected = task_gradients(module.losses(x), shared)
    assert not torch.allclose(gradients_by_rows(module.losses(x), shared)[0], expected)
    for _ in range(2):
        torch.testing.assert_close(take(module.losses(x), side)[0], expected)


def test_parameters_that_enter_something_else_than_a_product_are_differentiated_task_by_task() -> None:
    network, x = StackedMLP(1, 4, (8,), 1, seeded_generator(0)), torch.randn(1, TASKS * ROWS, 4)
    shared = [*network.parameters()]
    losses = network(x).view(TASKS, ROWS).square().mean(dim=1) + shared[0].square().sum()
    assert Products(losses, shared).others == {0}
    torch.testing.assert_close(gradients_by_rows(losses, shared)[0], task_gradients(losses, shared))


@pytest.mark.parametrize("tasks", [1, TASKS])
def test_a_layer_of_one_output_is_taken_by_rows_too(tasks: int) -> None:
    network, x = StackedMLP(2, 4, (8,), 1, seeded_generator(0)), torch.randn(2, tasks * ROWS, 4)
    losses = network(x).view(2, tasks, ROWS).square().mean(dim=2).sum(dim=0)
    shared = [*network.parameters()]
    assert not Products(losses, shared).others
    torch.testing.assert_close(gradients_by_rows(losses, shared)[0], task_gradients(losses, shared))


@pytest.mark.parametrize("shape", [(), (4,), (1, 1, 4), (1, 4, 4)])
def test_what_only_looks_like_a_layer_is_right_too(shape: tuple[int, ...]) -> None:
    """Numbers that are added, multiplied, or transposed and multiplied in ways that no layer of the kit has."""
    own, x = nn.Parameter(torch.randn(shape, generator=seeded_generator(2))), torch.randn(1, TASKS * ROWS, 4)
    shifted = x + own if len(shape) < 3 or shape[1] == 1 else torch.baddbmm(torch.zeros(1, 1, 4), x, own.mT)
    losses = (shifted * (own if own.dim() < 3 or shape[1] == 1 else 1.0)).view(TASKS, -1).square().mean(dim=1)
    losses = losses * own if own.dim() == 0 else losses
    torch.testing.assert_close(gradients_by_rows(losses, [own])[0], task_gradients(losses, [own]))


def test_after_the_first_losses_there_is_one_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = StackedMLP(1, 4, (8,), 1, seeded_generator(0)), torch.randn(1, TASKS * ROWS, 4)
    side, asked = split_parameters("critic", [*network.parameters()], [], seeded_generator(0)), []
    take = TaskGradients()

    def counted(losses: Tensor, parameters: Any) -> Tensor:
        asked.append(len(losses))
        return task_gradients(losses, parameters)

    monkeypatch.setattr(by_rows, "task_gradients", counted)
    for _ in range(3):
        take(network(x).view(TASKS, ROWS).square().mean(dim=1), side)
    assert asked == [TASKS]


MIXING: list[tuple[str, dict[str, Any]]] = [
    ("care", {"attention_sparsity": 1.0}),
    ("mtsac", {"encoder": "adversarial", "adversarial_weight": 1.0}),
    ("bayes", {"kl_weight": 1.0}),
    ("mtmhsac", {"encoder": "care", "attention_sparsity": 1.0}),
]


@pytest.mark.parametrize(("name", "settings"), MIXING)
def test_an_auxiliary_loss_of_all_rows_goes_to_every_task(
    make_agent: MakeAgent, name: str, settings: dict[str, Any]
) -> None:
    """Also where it is small at the first losses, at which rows are found to stay apart, and large later."""
    agent, take = make_agent(name, **settings), TaskGradients()
    for step in range(40):
        batch = random_batch(TASKS, ROWS, 4, 2, seed=step)
        z, common = agent.encoder(batch.obs), agent.encoder.auxiliary_loss()
        losses = agent.critic_losses(z, batch.action, agent.td_target(batch))[0] + common
        side = replace(agent._critic_side, common=common)
        gradients, own = take(losses, side)
        if step % 13 == 0:
            torch.testing.assert_close(gradients, task_gradients(losses, side.shared), atol=1e-5, rtol=1e-3)
            expected = task_gradients(losses, side.own).sum(dim=0) if side.own else torch.zeros(0)
            found = torch.cat([torch.zeros(0), *(part.flatten() for part in own)])
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)
        del losses, z, common
        agent.update(batch)


def test_a_copy_by_its_state_keeps_the_verdict_and_weights_of_before_it_was_saved_load() -> None:
    module, x = Scrambled(), torch.randn(TASKS, ROWS, 4, generator=seeded_generator(1))
    side, take, copy = (
        split_parameters("actor", [*module.parameters()], [], seeded_generator(0)),
        TaskGradients(),
        TaskGradients(),
    )
    take(module.losses(x), side)
    copy.load_state_dict(take.state_dict())
    assert copy.get_extra_state().tolist() == take.get_extra_state().tolist() == [[1, TASKS, 0]]
    copy.load_state_dict({})
    assert copy.get_extra_state().shape == (0, 3)

"""Architecture search finds the sharing that was planted, and decides it."""

from __future__ import annotations

import torch

from agents.base import seeded_generator
from agents.registry.sharing_settings import SearchSettings
from agents.trunks import TrunkShape
from agents.trunks.searched import SearchedTrunk
from tests.agents.conftest import MakeAgent, random_batch


def searched(tasks: int, hidden: tuple[int, ...], blocks: int = 2) -> SearchedTrunk:
    settings = SearchSettings(search_blocks=blocks)
    shape = TrunkShape(tasks, 1, 4, hidden, 1, True, context=torch.zeros(tasks, 0), settings=settings)
    return SearchedTrunk(shape, seeded_generator(0))


def test_twins_learn_to_share_a_block_and_opposites_do_not() -> None:
    """Four tasks, the targets of two the negative of the others': only the blocks distinguish them."""
    trunk, generator = searched(4, ()), seeded_generator(1)
    sign, slope = torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None, None], torch.tensor([[1.0], [-2.0], [0.5], [1.5]])
    optimizer = torch.optim.Adam(trunk.parameters(), 0.02)
    for step in range(300):
        trunk.set_progress(step / 300)
        x = torch.randn(4, 32, 4, generator=generator)
        loss = (trunk(x)[0] - sign * (x @ slope)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    chosen = trunk.inspect(torch.zeros(4, 1, 4))["blocks_1"].argmax(dim=1).tolist()
    assert chosen[0] == chosen[2] != chosen[1] == chosen[3]
    assert loss < 0.01


def test_after_its_share_of_the_run_each_task_has_one_block() -> None:
    trunk, x = searched(3, (8,)), torch.randn(3, 5, 4, generator=seeded_generator(1))
    soft = trunk.layers[0].weights()
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(3))
    assert (soft > 0).all()
    trunk.set_progress(0.74)
    assert torch.equal(trunk.layers[0].weights(), soft)
    trunk.set_progress(0.75)
    assert torch.equal(trunk.layers[0].weights(), torch.eye(2)[soft.argmax(dim=1)])
    trunk(x).sum().backward()
    assert trunk.layers[0].scores.grad is None or not trunk.layers[0].scores.grad.any()
    assert trunk.state_dict()["layers.0.decided"] == 1.0  # a run that is resumed stays decided


def test_a_decision_outlasts_momentum_and_more_training_and_the_target_network_follows_it(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent("nas", search_fraction=0.5, learning_rate=0.1, polyak=0.05)
    for step in range(30):
        agent.set_progress(step / 60)
        agent.update(random_batch(3, 8, 4, 2, seed=step))
    with torch.no_grad():  # as where the last updates before the decision turned a choice
        for layer in agent.target_critic._searched():
            layer.scores.copy_(layer.scores.flip(-1))
    agent.set_progress(0.5)
    parts = [agent.critic, agent.actor]
    decided = [layer.weights().argmax(dim=1).tolist() for part in parts for layer in part._searched()]
    for step in range(30, 60):
        agent.set_progress(0.1 if step > 40 else 0.6)
        agent.update(random_batch(3, 8, 4, 2, seed=step))
        assert [layer.weights().argmax(dim=1).tolist() for part in parts for layer in part._searched()] == decided
        assert all(layer.weights().max() == 1.0 for part in parts for layer in part._searched())
    followed = [layer.weights().argmax(dim=1).tolist() for layer in agent.target_critic._searched()]
    assert followed == decided[: len(followed)]


def test_a_run_that_starts_from_another_searches_again() -> None:
    trunk = searched(3, (8,))
    trunk.set_progress(1.0)
    trunk.begin()
    assert (trunk.layers[0].weights() < 1.0).all()


def test_weights_from_before_choices_were_saved_have_their_best_blocks() -> None:
    trunk, other = searched(3, (8,)), searched(3, (8,))
    trunk.set_progress(1.0)
    other.load_state_dict({name: value for name, value in trunk.state_dict().items() if "choice" not in name})
    assert torch.equal(other.layers[0].weights(), trunk.layers[0].weights())

"""A trained agent's networks in one for other tasks: shared weights, task-specific ones, and what is refused."""

from __future__ import annotations

import pytest
import torch

from agents.base import seeded_generator
from agents.build import Sizes, build_agent
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.sac import SAC
from agents.warm_start import WarmStartError, rows_for, warm_start
from tests.agents.conftest import CPU, random_batch, sentence_vectors

OBS, ACTIONS = 4, 2


def agent(name: str, contexts: list[int], seed: int = 0, **settings: object) -> SAC:
    """An agent whose tasks have these rows of a table of contexts."""
    pieces = {key: str(value) for key, value in settings.items() if key in ("encoder", "trunk", "aggregator")}
    others = {"hidden": (16,), **{key: value for key, value in settings.items() if key not in pieces}}
    chosen = settings_type(PRESETS[name], pieces)(**others)
    mask = torch.ones(len(contexts), ACTIONS, dtype=torch.bool)
    sizes = Sizes(OBS, mask, sentence_vectors(9)[contexts], False)
    made = build_agent(PRESETS[name], sizes, chosen, seed, CPU)
    assert isinstance(made, SAC)
    return made


def trained(name: str, **settings: object) -> SAC:
    made = agent(name, [0, 1, 2], **settings)
    for k in range(3):
        made.observe(random_batch(3, 5, OBS, ACTIONS, k).obs, torch.ones(3, 5) * (k + 1), torch.zeros(3, 5) > 0)
        made.update(random_batch(3, 8, OBS, ACTIONS, k))
    return made


def carried(old: SAC, name: str, contexts: list[int], sources: list[int | None], **settings: object) -> SAC:
    new, larger = (agent(name, own, seed=1, **settings) for own in (contexts, [*contexts, contexts[-1]]))
    warm_start(new, old.state_dict(), sources, larger)
    return new


def test_rows_are_taken_by_task_in_every_member_and_a_new_task_gets_the_mean() -> None:
    """Two members of three tasks: 0 to 2 and 10 to 12."""
    stacked = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    assert rows_for(stacked, 3, [2, None]).flatten().tolist() == [2.0, 1.0, 12.0, 11.0]


@pytest.mark.parametrize("name", ["care", "mtmhsac", "paco", "moore", "softmod", "film", "hyper", "bayes", "nas"])
def test_a_trained_task_is_played_as_before_at_any_position(name: str) -> None:
    old = trained(name)
    new = carried(old, name, [2, 7, 0, 1], [2, None, 0, 1])
    obs = torch.randn(1, 6, OBS, generator=seeded_generator(2)).expand(4, -1, -1)
    torch.testing.assert_close(new.act(obs, explore=False)[[2, 3, 0]], old.act(obs[:3], explore=False))
    torch.testing.assert_close(new.log_temperature[1], old.log_temperature.mean())
    assert torch.isfinite(new.update(random_batch(4, 8, OBS, ACTIONS))["critic_loss"]).all()


def test_a_new_task_is_played_by_its_own_context_as_without_any_learning() -> None:
    old = trained("care")
    new = carried(old, "care", [5, 6], [None, None])
    obs = torch.randn(2, 6, OBS, generator=seeded_generator(2))
    old.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), sentence_vectors(9)[[5, 6]])
    torch.testing.assert_close(new.act(obs, explore=False), old.act(obs, explore=False))


def test_a_new_head_is_the_mean_of_the_trained_ones() -> None:
    old = trained("mtmhsac")
    new = carried(old, "mtmhsac", [5], [None])
    for before, after in ((old.critic, new.critic), (old.target_critic, new.target_critic)):
        for name in ("weight", "bias"):
            trained_heads = getattr(before.heads, name).unflatten(0, (2, 3))
            assert not torch.equal(trained_heads[:, 0], trained_heads[:, 1])
            torch.testing.assert_close(getattr(after.heads, name), trained_heads.mean(dim=1))


def test_running_scales_come_along_and_optimisers_and_weighing_do_not() -> None:
    scales = {"obs_scale": "running", "reward_scale": "return", "aggregator": "uncertainty"}
    old = trained("care", **scales)
    new = carried(old, "care", [0, 5], [0, None], **scales)
    torch.testing.assert_close(new.obs_scale.mean, old.obs_scale.mean)
    assert new.reward_scale.largest.tolist() == [old.reward_scale.largest[0].item(), 0.0]  # a maximum never shrinks
    assert not new.critic_optimizer.state
    fresh = {name: w for name, w in agent("care", [0, 5], seed=1, **scales).state_dict().items() if "aggregate" in name}
    assert fresh
    assert all(torch.equal(new.state_dict()[name], weight) for name, weight in fresh.items())


@pytest.mark.parametrize(("contexts", "sources"), [([5], [None]), ([5, 6, 7], [None] * 3), ([0, 1], [0, 1])])
def test_networks_with_an_input_for_each_task_are_refused_whatever_their_number(
    contexts: list[int], sources: list[int | None]
) -> None:
    with pytest.raises(WarmStartError, match="has an input for each task"):
        carried(trained("mtsac"), "mtsac", contexts, sources)


def test_the_same_tasks_take_everything() -> None:
    old = trained("mtsac")
    new = carried(old, "mtsac", [0, 1, 2], [0, 1, 2])
    assert all(torch.equal(weight, old.state_dict()[name]) for name, weight in new.state_dict().items())


def test_other_widths_are_named() -> None:
    old = trained("care")
    with pytest.raises(WarmStartError, match=r"is of shape \(.*16.*\), and \(.*8.*\) here"):
        carried(old, "care", [0, 1], [0, 1], hidden=(8,))


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ({"obs_scale": "running"}, {"obs_scale": "none"}, "obs_scale.count"),
        ({"trunk": "lora", "lora_layers": 2}, {"trunk": "lora", "lora_layers": 1}, r"layers.0.down"),
    ],
)
def test_weights_without_a_place_are_named(before: dict[str, object], after: dict[str, object], name: str) -> None:
    """Left out, they would change what the agent does: it would see other numbers than it was trained on."""
    with pytest.raises(WarmStartError, match=f"{name} has no place here; leave the settings as they were"):
        carried(trained("care", **before), "care", [0, 1], [0, 1], **after)


def test_own_networks_with_an_input_for_each_task_are_refused_too() -> None:
    own = {"encoder": "one-hot", "trunk": "separate"}
    with pytest.raises(WarmStartError, match="has an input for each task"):
        carried(trained("mtsac", **own), "mtsac", [0, 5, 1], [1, None, 0], **own)

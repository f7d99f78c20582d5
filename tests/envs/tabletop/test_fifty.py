"""The many-task suite: solvable, not by accident, with held-out tasks that consist mostly of trained words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product

import array_api_compat.torch as array_torch
import numpy as np
import pytest
import torch

from envs.tabletop.fifty import HELD_OUT, TABLE, TRAINED, suite
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import HORIZON
from envs.tabletop.variants import SKILLS, Variant
from tests.envs.tabletop.expert import expert_action

TASKS = list(TABLE.values())
Policy = Callable[[np.ndarray], np.ndarray]


def success_rates(policy: Policy, episodes: int, first_seed: int = 0) -> np.ndarray:
    """Return each task's share of episodes solved at any step; the policy gets observations (tasks, episodes, 15)."""
    rows = np.arange(len(TASKS) * episodes)
    simulator = TabletopSimulator(TASKS, episodes)
    obs = simulator.reset(rows, (first_seed + rows).tolist())
    solved = np.zeros(len(rows), dtype=bool)
    for _ in range(HORIZON):
        step = simulator.step(policy(obs.reshape(len(TASKS), episodes, -1)).reshape(len(rows), -1))
        obs, solved = step.obs, solved | (step.success > 0)
    return solved.reshape(len(TASKS), episodes).mean(axis=1)


def named(rates: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """Return the tasks whose rate is wrong."""
    return {task.name: float(rate) for task, rate, bad in zip(TASKS, rates, wrong, strict=True) if bad}


@pytest.mark.parametrize("episodes", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_the_experts_solve_every_variant(episodes: int) -> None:
    rates = success_rates(
        lambda obs: np.array([expert_action(*pair) for pair in zip(TASKS, obs, strict=True)]), episodes
    )
    assert named(rates, rates < 0.95) == {}


@pytest.mark.parametrize("episodes", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_chance_solves_none(episodes: int) -> None:
    generator = np.random.default_rng(0)
    rates = success_rates(lambda obs: generator.uniform(-1, 1, (*obs.shape[:2], 3)), episodes)
    assert named(rates, rates > 0.10) == {}


EIGHT_WAYS = [(x, y) for x, y in product((-1.0, 0.0, 1.0), repeat=2) if x or y]
FINER = [*product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=2)]


@pytest.mark.parametrize(
    ("moves", "episodes", "most"), [(EIGHT_WAYS, 10, 0.5), pytest.param(FINER, 100, 0.3, marks=pytest.mark.slow)]
)
def test_no_constant_action_solves_one(moves: list[tuple[float, float]], episodes: int, most: float) -> None:
    actions = [(*move, grip) for move in moves for grip in (-1.0, 1.0)]
    rates = np.array([success_rates(lambda obs, a=a: np.tile(a, (*obs.shape[:2], 1)), episodes) for a in actions])
    best = rates.max(axis=0)
    assert named(best, best > most) == {}


@pytest.mark.slow
def test_linear_policies_solve_few() -> None:
    """Random search: of 256 Gaussian linear policies the best on four starts, chosen per variant, on new ones."""
    generator, weights = np.random.default_rng(0), []
    rates = []
    for _ in range(256):
        weight = generator.normal(size=(16, 3))
        weights.append(weight)
        rates.append(success_rates(lambda obs, w=weight: np.tanh(obs @ w[:15] + w[15]), 4))
    best = np.array(weights)[np.argmax(rates, axis=0)]  # (tasks, 16, 3)
    fresh = success_rates(lambda obs: np.tanh(obs @ best[:, :15] + best[:, 15:]), 100, first_seed=10**6)
    assert (fresh >= 0.8).mean() <= 0.1, named(fresh, fresh >= 0.8)


def test_five_variants_of_each_skill_are_trained() -> None:
    assert Counter(task.group for task in suite.tasks) == dict.fromkeys(SKILLS, 5)


def test_a_task_has_its_variants_words_and_numbers() -> None:
    by_name = {task.name: task for task in (*suite.tasks, *suite.held_out)}
    for variant in (*TRAINED, *HELD_OUT):
        task = by_name[variant.name]
        assert (task.description, task.parameters, task.group) == (variant.sentence, variant.numbers, variant.skill)


def test_held_out_variants_combine_words_known_to_the_skill_and_some_beyond() -> None:
    known = {(variant.skill, word) for variant in TRAINED for word in variant.words.items()}
    beyond = [{word for word in variant.words.items() if (variant.skill, word) not in known} for variant in HELD_OUT]
    sides = [task.tags for task in suite.held_out]
    assert [("outside",) if new else ("inside",) for new in beyond] == sides
    assert all(len(new) <= 1 for new in beyond)
    assert sides.count(("inside",)) >= 10
    assert sides.count(("outside",)) >= 5
    assert not {*HELD_OUT} & {*TRAINED}


def test_numpy_and_torch_give_the_same_trajectories() -> None:
    engines = [TabletopSimulator(TASKS), TabletopSimulator(TASKS, 1, array_torch, torch.device("cpu"))]
    draws, rows = np.random.default_rng(0).random((len(TASKS), 7)), np.arange(len(TASKS))
    obs = None
    for engine in engines:
        engine.begin(rows, draws)
        obs = engine.observe()
    generator = np.random.default_rng(1)
    for _ in range(HORIZON // 2):  # a disc that is pushed off its middle doubles a difference in each step
        drawn = 10 * np.asarray(obs)[:, 11:13]  # to the handles
        action = np.column_stack([drawn, np.zeros(len(rows))]) + generator.uniform(-1, 1, (len(rows), 3))
        mine, theirs = engines[0].step(action), engines[1].step(torch.as_tensor(action))
        obs = mine.obs
        for one, other in zip(mine[:5], theirs[:5], strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-6)


def test_variants_with_words_that_do_not_exist_are_named() -> None:
    with pytest.raises(KeyError, match="hugest"):
        Variant("push", size="hugest").task()

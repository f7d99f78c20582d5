"""Stable-Baselines3 gets the same environments, budget and networks, and hands back a run like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.registry.settings import SACSettings, SB3Settings
from mtrl import evaluate, train
from mtrl.baselines.sb3_env import SB3VecEnv
from mtrl.baselines.sb3_model import load_sb3_policy, make_model, pack_weights, task_seed
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config, dropped_settings
from mtrl.training.finite import Diverged
from tests.mtrl.conftest import Scripted, metrics, read_json, scripted_suite, tiny

NOTHING = np.zeros((1, 1), dtype=np.float32)
SETTINGS = SB3Settings(hidden=(24, 12), learning_rate=1e-2, final_learning_rate=1e-3, discount=0.9, polyak=0.25)
CONFIG = TrainConfig(
    agent="sb3",
    batch_per_task=32,
    random_steps=50,
    updates_per_step=3,
    envs_per_task=2,
    replay_per_task=60,
    settings=SETTINGS,
)


@pytest.mark.parametrize(
    ("ends", "truncated"), [("terminated", False), ("truncated", True), ("terminated and truncated", False)]
)
def test_transitions_are_the_environments_and_an_end_is_told_in_stable_baselines3s_way(
    ends: str, truncated: bool
) -> None:
    """Two steps an episode; an observation is the step. Only a pure truncation bootstraps."""
    env = SB3VecEnv(scripted_suite(t=partial(Scripted, (0.5, 2.0), ends, (1.0, 0.0))), 1, 0)
    assert env.reset().tolist() == [[0.0]]
    obs, reward, ended, infos = env.step(NOTHING)
    assert (obs.tolist(), reward.tolist(), ended.tolist(), infos) == ([[1.0]], [0.5], [False], [{}])
    obs, reward, ended, infos = env.step(NOTHING)
    assert (obs.tolist(), reward.tolist(), ended.tolist()) == ([[0.0]], [2.0], [True])
    assert infos[0]["terminal_observation"].tolist() == [2.0]
    assert infos[0]["TimeLimit.truncated"] is truncated
    assert (infos[0]["episode"]["r"], infos[0]["episode"]["l"], infos[0]["is_success"]) == (2.5, 2, True)
    env.step(NOTHING)
    _, _, _, infos = env.step(NOTHING)
    assert infos[0]["terminal_observation"].tolist() == [2.0]
    assert (infos[0]["episode"]["r"], infos[0]["episode"]["l"]) == (2.5, 2)  # counted anew


def test_copies_of_unequal_length_end_on_their_own() -> None:
    scripts = iter([(1.0,), (1.0, 1.0, 1.0)])
    env = SB3VecEnv(scripted_suite(t=lambda: Scripted(next(scripts))), 2, 0)
    env.reset()
    lengths: list[list[int]] = [[], []]
    for _ in range(6):
        _, _, ended, infos = env.step(np.zeros((2, 1), dtype=np.float32))
        assert [bool(info) for info in infos] == ended.tolist()
        for own, info in zip(lengths, infos, strict=True):
            own += [info["episode"]["l"]] if info else []
    assert lengths == [[1] * 6, [3] * 2]


def test_a_task_that_never_says_success_is_never_called_one() -> None:
    env = SB3VecEnv(scripted_suite(t=partial(Scripted, (1.0,))), 1, 0)
    env.reset()
    assert env.step(NOTHING)[3][0]["is_success"] is False


def test_the_model_has_the_runs_networks_batch_discount_and_schedule() -> None:
    model = make_model(CONFIG, SB3VecEnv(scripted_suite(t=partial(Scripted, (1.0,) * 9)), 2, 0), 0)
    for network in (model.actor.latent_pi, model.critic.qf0, model.critic.qf1):
        layers = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
        assert [layer.out_features for layer in layers][:2] == [24, 12]
    assert (model.batch_size, model.gamma, model.tau, model.learning_starts) == (32, 0.9, 0.25, 50)
    assert (model.gradient_steps, model.train_freq.frequency, model.train_freq.unit.value) == (3, 1, "step")
    assert model.replay_buffer.buffer_size * 2 == 60  # rows of both copies together
    assert [model.lr_schedule(left) for left in (1.0, 0.5, 0.0)] == pytest.approx([1e-2, 5.5e-3, 1e-3])
    assert model.device == torch.device("cpu")


def test_learning_makes_no_folder_among_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    make_model(CONFIG, SB3VecEnv(scripted_suite(t=partial(Scripted, (1.0,) * 9)), 2, 0), 0).learn(4)
    assert list(tmp_path.iterdir()) == []


def test_the_policy_of_all_models_acts_as_each_of_them_and_pads_what_a_task_does_not_have() -> None:
    suite = scripted_suite(
        small=partial(Scripted, (1.0,), obs_size=1, action_size=1),
        large=partial(Scripted, (1.0,), obs_size=3, action_size=2),
    )
    models = {
        name: make_model(CONFIG, SB3VecEnv(suite.only([name]), 1, 0), k) for k, name in enumerate(suite.task_names)
    }
    weights = pack_weights(suite, {name: model.policy.state_dict() for name, model in models.items()})
    policy = load_sb3_policy(CONFIG, suite, weights, torch.device("cpu"))
    obs = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    action = policy(obs)
    assert action.shape == (2, 4, 2)
    assert action[0, :, 1].abs().max() == 0.0
    for row, (name, size, dims) in enumerate([("small", 1, 1), ("large", 3, 2)]):
        alone = models[name].predict(obs[row, :, :size].numpy(), deterministic=True)[0]
        np.testing.assert_allclose(action[row, :, :dims].numpy(), alone, atol=1e-6)


def test_a_task_whose_name_begins_another_ones_keeps_its_own_weights() -> None:
    suite = scripted_suite(**{"push": Scripted, "push/far": Scripted})
    models = {
        name: make_model(CONFIG, SB3VecEnv(suite.only([name]), 1, 0), k) for k, name in enumerate(suite.task_names)
    }
    weights = pack_weights(suite, {name: model.policy.state_dict() for name, model in models.items()})
    policy = load_sb3_policy(CONFIG, suite, weights, torch.device("cpu"))
    alone = models["push"].predict(np.ones((1, 1), dtype=np.float32), deterministic=True)[0]
    np.testing.assert_allclose(policy(torch.ones(2, 1, 1))[0].numpy(), alone, atol=1e-6)


@pytest.fixture(scope="module")
def sb3_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SB3 model for each of two tasks, trained in two processes."""
    path = tmp_path_factory.mktemp("sb3")
    budget = ["--steps-per-task", "200", "--random-steps", "100", "--eval-every", "100", "--log-every", "50"]
    assert train.main(tiny(path, *budget, "--agent", "sb3", "--baseline", "none", "--jobs", "2")) == 0
    return path / "tabletop" / "sb3" / "seed0"


def test_a_run_of_models_writes_what_any_run_writes(sb3_run: Path, finished: Path) -> None:
    result, other = (read_json(run / "result.json") for run in (sb3_run, finished / "tabletop" / "care" / "seed0"))
    assert list(result) == list(other)
    assert {name: list(scores) for name, scores in result["tasks"].items()} == {
        name: list(scores) for name, scores in other["tasks"].items()
    }
    assert (result["steps_per_task"], result["env_steps"], result["device"]) == (200, 400, "cpu")
    assert result["updates"] == 50  # one after each step of both copies, once a hundred random ones are done
    names = {path.name.split(".")[0] for path in sb3_run.iterdir()}
    assert names >= {"config", "metrics", "result", "weights", "events"}


def test_its_evaluations_stand_at_the_same_steps_under_the_same_tags(sb3_run: Path) -> None:
    lines = metrics(sb3_run)
    for tag in ("eval/success_rate", "eval/return/push", "eval/success_rate/reach", "train/ent_coef/push"):
        assert [step for step, own, _ in lines if own == tag] == [100, 200], tag


def test_it_is_evaluated_like_any_other(sb3_run: Path) -> None:
    """500,000,002 is the seed from which a run of seed 0 draws its final scores."""
    assert evaluate.main([str(sb3_run), "--episodes", "2", "--seed", "500000002"]) == 0
    tasks = read_json(sb3_run / "evaluation.json")["tasks"]
    for name, scores in read_json(sb3_run / "result.json")["tasks"].items():
        assert tasks[name] == pytest.approx(scores)


def test_one_of_its_tasks_is_scored_by_the_model_of_that_task(sb3_run: Path) -> None:
    (sb3_run / "evaluation.json").unlink(missing_ok=True)
    assert evaluate.main([str(sb3_run), "--episodes", "2", "--seed", "500000002", "--tasks", "push"]) == 0
    tasks = read_json(sb3_run / "evaluation.json")["tasks"]
    assert list(tasks) == ["push"]
    own = read_json(sb3_run / "result.json")["tasks"]["push"]
    # One generator draws random actions for all tasks that are played, so they are other ones beside other tasks.
    mine, theirs = ({k: v for k, v in entry.items() if "random" not in k} for entry in (tasks["push"], own))
    assert mine == pytest.approx(theirs)


def test_a_run_that_was_stopped_before_every_task_had_a_model_is_refused_in_one_line(
    refused: Callable[..., str], sb3_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes((sb3_run / "config.json").read_bytes())
    weights = load_file(sb3_run / "weights.safetensors")
    save_file({name: w for name, w in weights.items() if name.startswith("task0.")}, tmp_path / "weights.safetensors")
    line = refused(evaluate.main, tmp_path)
    assert str(tmp_path / "weights.safetensors") in line
    assert "push" in line


def test_models_that_do_not_fit_are_refused_in_one_line(
    refused: Callable[..., str], sb3_run: Path, tmp_path: Path
) -> None:
    config = read_json(sb3_run / "config.json")
    config["settings"]["hidden"] = [17]
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "weights.safetensors").write_bytes((sb3_run / "weights.safetensors").read_bytes())
    line = refused(evaluate.main, tmp_path)
    assert "weights.safetensors' does not match the current suite" in line


def test_each_task_has_a_seed_of_its_own_and_so_other_first_weights() -> None:
    assert task_seed(0, 0) == task_seed(0, 0)
    assert len({task_seed(seed, task) for seed in range(3) for task in range(50)}) == 150
    env = SB3VecEnv(scripted_suite(t=partial(Scripted, (1.0,) * 9)), 2, 0)
    one, two = (next(make_model(CONFIG, env, task_seed(0, task)).actor.parameters()) for task in (0, 1))
    assert not torch.equal(one, two)


def test_models_of_a_run_differ_from_the_start(sb3_run: Path) -> None:
    """Random actions come from the seed too: were it one for all, both tasks would begin with the same actions."""
    w = load_file(sb3_run / "weights.safetensors")
    first, second = (w[f"task{k}.actor.latent_pi.0.weight"] for k in (0, 1))
    assert first.shape == second.shape
    assert not torch.allclose(first, second, atol=1e-2)


def test_its_entropy_starts_and_is_held_where_the_run_says() -> None:
    settings = SB3Settings(hidden=(8,), initial_temperature=0.25, target_entropy=0.5)
    env = SB3VecEnv(scripted_suite(t=partial(Scripted, (1.0,), action_size=3)), 2, 0)
    model = make_model(replace(CONFIG, settings=settings), env, 0)
    assert model.log_ent_coef.exp().item() == pytest.approx(0.25)
    assert model.target_entropy == -1.5
    assert SB3Settings().initial_temperature == SACSettings().initial_temperature


def test_settings_that_the_library_lacks_are_named_printed_and_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = ["--steps-per-task", "24", "--random-steps", "8", "--eval-every", "24", "--log-every", "24", "--jobs", "1"]
    more = ["--agent", "mtsac", "--baseline", "sb3", "--network", "residual", "--obs-scale", "running"]
    assert train.main(tiny(tmp_path, *budget, *more)) == 0
    facts = read_json(tmp_path / "tabletop" / "sb3" / "seed0" / "config.json")
    assert facts["dropped_settings"] == {"layer_norm": True, "network": "residual", "obs_scale": "running"}
    assert "which are dropped: layer_norm True, network residual, obs_scale running" in capsys.readouterr().out


def test_what_a_recipe_asks_for_in_vain_is_known_without_an_agent_beside_it() -> None:
    dropped = dropped_settings(default_config("metaworld/MT10", "sb3", "laptop"))
    assert dropped["network"] == "residual"
    assert dropped["reward_scale"] == "return"
    assert dropped_settings(default_config("metaworld/MT10", "mtsac", "laptop")) == {}


def test_a_model_that_diverges_ends_the_run_with_the_tasks_name(tmp_path: Path) -> None:
    budget = ["--steps-per-task", "64", "--random-steps", "8", "--eval-every", "64", "--log-every", "64", "--jobs", "1"]
    rate = ["--learning-rate", "1e30", "--final-learning-rate", "1e30"]
    with pytest.raises(Diverged, match="task 'reach'"):
        train.main(tiny(tmp_path, *budget, *rate, "--agent", "sb3", "--baseline", "none"))
    assert not (tmp_path / "tabletop" / "sb3" / "seed0" / "result.json").exists()

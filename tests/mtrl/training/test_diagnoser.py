"""Diagnoses of a run: when, under which tags, at no cost to its numbers; and planted cases that they have to see."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from agents.base import seeded_generator
from agents.registry.presets import PRESETS
from agents.replay import Replay
from mtrl import train
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.pictures.heat_maps import COSINES, Scale
from mtrl.reporting import insight
from mtrl.training import diagnoser as diagnose
from mtrl.training.diagnoser import Diagnoser, steps_followed
from mtrl.training.schedule import Span
from tests.mtrl.conftest import KIT_AGENTS, metrics, same_weights, tiny

CPU = torch.device("cpu")
GROUP = "train_diagnostics"


class Kept:
    """A log that keeps what it is given."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, str], float] = {}
        self.tables: list[tuple[int, str, np.ndarray, tuple[str, ...], bool]] = []

    def scalars(self, step: int, values: dict[str, float]) -> None:
        self.values |= {(step, tag): value for tag, value in values.items()}

    def matrix(
        self, step: int, name: str, values: np.ndarray, rows: list[str], columns: list[str], scale: Scale, drawn: bool
    ) -> None:
        assert rows == columns
        assert scale == COSINES
        self.tables.append((step, name, values, (*rows,), drawn))


class Told:
    """An agent whose diagnosis is fixed, and that keeps what it was shown."""

    def __init__(self, **found: torch.Tensor) -> None:
        self.found, self.shown = found, []

    def diagnose(self, batch, history, generator):
        self.shown.append((batch, history))
        return self.found


def diagnoser(agent: Told, log: Kept, **changes: object) -> Diagnoser:
    """Of two tasks in two copies; their replay holds 40 steps of each."""
    config = dataclasses.replace(default_config("tabletop", "mtsac"), envs_per_task=2, batch_per_task=4, random_steps=0)
    config = dataclasses.replace(config, settings=dataclasses.replace(config.settings, discount=0.7))
    replay = Replay(2, 100, 1, 1, seeded_generator(0))
    for step in range(40):
        rows = torch.full((2, 2, 1), float(step))
        replay.add(rows, rows, rows[..., 0], torch.zeros(2, 2), rows + 1)
    made: TrainConfig = dataclasses.replace(config, **changes)
    return Diagnoser(made, ("a", "b"), agent, replay, log, CPU)  # type: ignore[arg-type]


def at(step: int, before: int = 0, total: int = 100_000, learned: bool = True) -> Any:
    """A moment of a training."""
    return SimpleNamespace(span=Span(before, step, total), learned=learned)


def test_what_is_found_is_written_by_its_shape() -> None:
    cosine = torch.tensor([[1.0, -0.5], [-0.5, 1.0]])
    found = {"ratio": torch.tensor(3.0), "norm": torch.tensor([1.0, 2.0]), "loss_share": torch.tensor([0.25, 0.75])}
    log = Kept()
    diagnoser(Told(**found, cosine=cosine), log)(at(10))
    assert log.values == {
        (10, f"{GROUP}/ratio"): 3.0,
        (10, f"{GROUP}/norm"): 1.5,
        (10, f"{GROUP}/norm/a"): 1.0,
        (10, f"{GROUP}/norm/b"): 2.0,
        (10, f"{GROUP}/loss_share/a"): 0.25,
        (10, f"{GROUP}/loss_share/b"): 0.75,
    }
    ((step, name, values, names, drawn),) = log.tables
    assert (step, name, names, drawn) == (10, "cosine", ("a", "b"), True)
    assert values.tolist() == cosine.tolist()


def test_what_is_no_number_is_left_out_and_the_mean_is_of_the_rest() -> None:
    log = Kept()
    told = Told(rate=torch.tensor([math.nan, 0.5]), ratio=torch.tensor(math.inf))
    diagnoser(told, log)(at(10))
    assert log.values == {(10, f"{GROUP}/rate"): 0.5, (10, f"{GROUP}/rate/b"): 0.5}


@pytest.mark.parametrize(
    ("every", "due"), [(20, [20, 44, 60, 70]), (None, [30, 60, 70]), (0, []), (1, [8, 20, 30, 44, 58, 60, 70])]
)
def test_a_diagnosis_is_due_where_a_multiple_was_passed_and_at_the_end(every: int | None, due: list[int]) -> None:
    """Unless said, as often as evaluations: every 30 steps."""
    run = diagnoser(Told(x=torch.tensor(1.0)), Kept(), diagnose_every=every, eval_every=30)
    steps = [0, 8, 20, 30, 44, 58, 60, 70]
    assert [step for before, step in pairwise(steps) if run.due(Span(before, step, 70))] == due


def test_an_agent_that_has_not_begun_to_learn_is_not_diagnosed() -> None:
    told = Told(x=torch.tensor(1.0))
    diagnoser(told, Kept())(at(10, learned=False))
    assert told.shown == []


def test_one_in_five_is_drawn_and_all_are_kept() -> None:
    log = Kept()
    run = diagnoser(Told(x=torch.eye(2)), log)
    for step in range(1, 12):
        run(at(step))
    assert [drawn for *_, drawn in log.tables] == [k % diagnose.DRAWN == 0 for k in range(11)]


def test_the_last_diagnosis_is_drawn() -> None:
    log = Kept()
    run = diagnoser(Told(x=torch.eye(2)), log)
    for step in (2, 4, 20):
        run(at(step, total=19))
    assert [(step, drawn) for step, *_, drawn in log.tables] == [(2, True), (4, False), (20, True)]


def test_the_steps_shown_are_the_agents_own_and_as_many_as_the_discount_asks_for() -> None:
    """.7^9 is the first power below .05, so that 18 steps are shown, and none before 18 of the agent's own."""
    assert steps_followed(0.7) == 9
    assert steps_followed(1.0) == steps_followed(0.9999) == diagnose.MAX_STEPS
    told = Told(x=torch.tensor(1.0))
    run = diagnoser(told, Kept(), random_steps=20)
    for step in (54, 56):  # 34 and 36 of the agent's own: 17 and 18 in each copy
        run(at(step))
    (batch, early), (_, history) = told.shown
    assert batch.obs.shape == (2, diagnose.ROWS, 1)
    assert early is None
    assert history.obs.shape == (2, 2, 18, 1)
    assert history.obs[0, 0, :, 0].tolist() == [float(step) for step in range(22, 40)]


@pytest.mark.parametrize("agent", KIT_AGENTS)
def test_a_run_has_the_same_weights_with_and_without(tmp_path: Path, agent: str) -> None:
    for every, name in ((0, "without"), (8, "with")):
        arguments = ["--agent", agent, "--baseline", "none", "--diagnose-every", str(every), "--discount", "0.5"]
        assert train.main(tiny(tmp_path / name, *arguments)) == 0
    with_, without = (tmp_path / name / "tabletop" / agent / "seed0" for name in ("with", "without"))
    assert same_weights(with_, without)
    mine = {tag: value for _, tag, value in metrics(with_) if tag.startswith(GROUP)}
    assert not [tag for _, tag, _ in metrics(without) if tag.startswith(GROUP)]
    everyone = {"loss_share/reach", "dormant_share", "effective_rank", "q_overestimation", "q_overestimation/push"}
    assert mine.keys() >= {f"{GROUP}/{name}" for name in everyone}
    shared = {f"{GROUP}/{name}" for name in ("conflict_rate", "gradient_norm_ratio", "gradient_norm/reach")}
    shares = PRESETS[agent].pieces.get("trunk") != "separate"
    assert (mine.keys() >= shared) == shares
    tables = {"gradient_cosine", "actor_gradient_cosine"} if shares else set()
    tables |= {"context_similarity"} if agent in ("care", "care-brc", "film", "hyper", "bayes") else set()
    assert insight.read_tables(with_).keys() - insight.read_tables(without).keys() == tables


PLANTED = """
    from functools import partial

    import gymnasium as gym
    import numpy as np

    from mtrl import Task, TaskSuite


    class Line(gym.Env):
        '''A point on a line, moved by up to .3; the reward is sign * where it ends, less a cost. Twenty steps.'''

        observation_space = gym.spaces.Box(-1.0, 1.0, (1,))
        action_space = gym.spaces.Box(-1.0, 1.0, (1,))

        def __init__(self, sign, cost):
            self.sign, self.cost = sign, cost

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.x, self.t = self.np_random.uniform(-1.0, 1.0, 1).astype(np.float32), 0
            return self.x, {}

        def step(self, action):
            self.x = np.clip(self.x + 0.3 * action, -1.0, 1.0).astype(np.float32)
            self.t += 1
            return self.x, float(self.sign * self.x[0]) - self.cost, False, self.t == 20, {}


    def suite_of(cost, **signs):
        return TaskSuite("planted", [Task(n, partial(Line, s, cost), "Move the point.") for n, s in signs.items()])


    twins = suite_of(3.0, one=1.0, two=1.0)
    negated = suite_of(0.0, right=1.0, left=-1.0, also_right=1.0)
"""


def planted_run(plug_in: Callable[..., str], suite: str, folder: Path, agent: str = "care", *more: str) -> Path:
    """Train on a planted suite, whose tasks have the same sentence and nothing else to be told apart by."""
    plug_in(PLANTED, "planted")
    arguments = [
        *("--suite", f"planted:{suite}", "--agent", agent, "--baseline", "none", "--runs-dir", str(folder)),
        *("--steps-per-task", "800", "--random-steps", "80", "--batch-per-task", "64", "--threads", "1", "--workers"),
        *("0", "--hidden", "32", "32", "--learning-rate", "0.003", "--polyak", "0.05", "--discount", "0.8"),
        *("--eval-every", "800", "--eval-episodes", "1", "--diagnose-every", "40", *more),
    ]
    assert train.main(arguments) == 0
    return folder / "planted" / agent / "seed0"


TEXT_ALONE = ("--context", "text", "--encoder-hidden", "16", "--encoder-size", "16")


def test_the_gradients_of_twins_point_the_same_way_while_there_is_something_to_learn(
    plug_in: Callable[..., str], tmp_path: Path
) -> None:
    """A cost that critics learn slowly keeps gradients above the noise of the rows drawn: seeds 0 to 2 give .90 on."""
    slow = ("--discount", "0.97", "--polyak", "0.005", "--learning-rate", "0.001", "--final-learning-rate", "0.001")
    run = planted_run(plug_in, "twins", tmp_path / "runs", "care", *TEXT_ALONE, *slow, "--steps-per-task", "320")
    table = insight.mean_table([table for _, table in insight.read_tables(run)["gradient_cosine"]])
    assert table.values[0, 1] > 0.85
    assert insight.conflicting_pairs(table) == []


def test_a_task_and_its_negated_reward_are_flagged_where_nothing_tells_them_apart(
    plug_in: Callable[..., str], tmp_path: Path
) -> None:
    run = planted_run(plug_in, "negated", tmp_path / "runs", "care", *TEXT_ALONE)
    table = insight.halves(insight.read_tables(run)["gradient_cosine"])[1]
    flagged = {pair[:2] for pair in insight.conflicting_pairs(table)}
    assert flagged == {("right", "left"), ("left", "also_right")}
    assert table.values[0, 1] < -0.5
    assert table.values[0, 2] > 0.5
    rates = {tag: value for _, tag, value in metrics(run)}
    assert rates[f"{GROUP}/conflict_rate/left"] == 1.0


def test_the_tables_are_lines_of_json_named_by_task(plug_in: Callable[..., str], tmp_path: Path) -> None:
    run = planted_run(plug_in, "twins", tmp_path / "runs", "mtsac", "--steps-per-task", "160", "--eval-every", "160")
    lines = [json.loads(line) for line in (run / "matrices.jsonl").read_text().splitlines()]
    assert {line["name"] for line in lines} == {"gradient_cosine", "actor_gradient_cosine"}
    assert [line["step"] for line in lines if line["name"] == "gradient_cosine"] == [120, 160]
    assert lines[0]["rows"] == lines[0]["columns"] == ["one", "two"]

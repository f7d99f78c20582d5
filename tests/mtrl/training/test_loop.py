"""A training that is put aside and taken up again goes on to the same numbers; callbacks see it and end it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from agents.base import seeded_generator
from agents.graph import WARM_UP, Capture, CaptureFailed, Recorded
from agents.replay import Replay
from envs.registry import make_suite
from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.errors import RunError
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.training.assemble import agent_of, graph_of, sampler_of
from mtrl.training.finite import FiniteGuard
from mtrl.training.loop import Training
from mtrl.training.moment import Moment
from mtrl.training.schedule import Scheduled, multiples_of
from tests.agents.tape import TapeCapture
from tests.mtrl.conftest import Scripted, scripted_suite

CPU = torch.device("cpu")


def small(settings: dict[str, Any] | None = None, **changes: Any) -> TrainConfig[Any]:
    values = {"steps_per_task": 240, "random_steps": 40, "envs_per_task": 2, "batch_per_task": 4, **changes}
    standard = default_config("tabletop", "care").to_json()
    given = {**standard, **values, "settings": {**standard["settings"], **(settings or {})}}
    config = TrainConfig.from_json(given)
    assert config.steps_per_task == values["steps_per_task"]
    return config


@contextmanager
def training(
    suite: TaskSuite, config: TrainConfig[Any], capture: Capture | None = None
) -> Iterator[tuple[Training, Any, Replay]]:
    with closing(TensorEnv(suite, config.envs_per_task, CPU)) as env:
        agent, _ = agent_of(config, suite, env)
        replay = Replay(env.tasks, 200, env.obs_size, env.action_size, seeded_generator(config.seed))
        graph = graph_of(config, agent, replay, capture)
        sampler, guard = sampler_of(config, env), FiniteGuard(agent, CPU)
        yield Training(config, env, agent, replay, sampler, guard, graph=graph), agent, replay


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    """What a state is after it was written to a file and read again."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize(
    "pieces",
    [
        {},
        {"aggregator": "nash-mtl", "nash_every": 3, "sampler": "exp3"},
        {"aggregator": "gradvac", "sampler": "loss"},
        {"aggregator": "famo", "sampler": "unlock"},
        {"aggregator": "gradnorm", "sampler": "learning-progress"},
        {"aggregator": "uncertainty", "sampler": "gradient-norm"},
    ],
)
def test_a_training_taken_up_again_ends_with_the_weights_of_one_that_was_never_put_aside(
    pieces: dict[str, Any],
) -> None:
    """The cut, at step 130, is within an episode of tabletop, whose simulator is put back to exactly where it was."""
    suite, config = make_suite("tabletop").only(["reach", "push"]), small(pieces)
    with training(suite, config) as (whole, agent, _):
        ends: list[list[float]] = []
        whole.run([Scheduled(lambda now: ends.append([e.total for e in now.transition.episodes]))])
        wanted = {name: weight.clone() for name, weight in agent.state_dict().items()}
    with training(suite, config) as (first, _, replay):
        first.run([Scheduled(lambda now: now.span.step < 130)])
        assert (first.step, first.updates) == (130, 45)
        state, held = through_a_file(first.state_dict()), through_a_file(replay.state_dict())
    with training(suite, config) as (second, agent, replay):
        replay.load_state_dict(held)
        second.load_state_dict(state)
        rest: list[list[float]] = []
        second.run([Scheduled(lambda now: rest.append([e.total for e in now.transition.episodes]))])
        assert (second.step, second.updates, second.env_steps) == (240, 100, 480)
        assert all(torch.equal(weight, wanted[name]) for name, weight in agent.state_dict().items())
    assert rest == ends[65:]
    assert sum(map(len, rest)) == 4  # both copies of both tasks end an episode at step 200


def test_environments_of_other_people_begin_their_next_episodes() -> None:
    """Observations are 100 * episode + step; an environment made anew begins with episode 0 at its seeded reset."""
    suite = scripted_suite(a=lambda: Scripted((1.0,) * 50))
    config = small(steps_per_task=20, random_steps=20)
    with training(suite, config) as (first, *_):
        first.run([Scheduled(lambda now: now.span.step < 8)])
        state = through_a_file(first.state_dict())
        assert state["obs"].flatten().tolist() == [4.0, 4.0]
        assert state["env"]["episodes"].tolist() == [0, 0]
    with training(suite, config) as (second, *_):
        second.load_state_dict(state)
        obs: list[float] = []
        second.run([Scheduled(lambda now: obs.append(float(now.transition.obs[0, 0, 0])))])
        assert obs == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert second.state_dict()["env"]["episodes"].tolist() == [1, 1]


def test_returns_of_episodes_that_are_broken_off_are_not_continued() -> None:
    """Five rewards of 1 have a return of less than 5, also where an episode is cut at its third step."""
    suite = scripted_suite(a=lambda: Scripted((1.0,) * 5))
    config = small({"reward_scale": "return", "discount": 0.9}, steps_per_task=40, random_steps=38)
    with training(suite, config) as (first, agent, _):
        first.run([Scheduled(lambda now: now.span.step < 26)])
        largest, state = agent.reward_scale.largest.item(), through_a_file(first.state_dict())
    assert largest == pytest.approx(sum(0.9**k for k in range(5)))
    with training(suite, config) as (second, agent, _):
        second.load_state_dict(state)
        second.run([])
        assert agent.reward_scale.largest.item() == pytest.approx(largest)


def test_the_planted_task_with_a_large_gradient_gets_more_rows() -> None:
    """Rewards a hundred times as large; what is not spread evenly then goes to that task."""
    suite = scripted_suite(small=lambda: Scripted((1.0,) * 5), large=lambda: Scripted((100.0,) * 5))
    seen: list[Moment] = []
    with training(suite, small({"sampler": "gradient-norm"}, steps_per_task=80, random_steps=8)) as (one, *_):
        one.run([Scheduled(seen.append)])
    share = seen[-1].metrics["batch_share"].tolist()
    assert share[0] < 0.2 < 0.8 < share[1]
    norms = seen[-1].metrics["critic_gradient_norm"]
    assert float(norms[1]) > 10.0 * float(norms[0]) > 0.0


def test_callbacks_see_where_a_training_is() -> None:
    suite = scripted_suite(a=lambda: Scripted((1.0,) * 5), b=lambda: Scripted((2.0,) * 5))
    seen: list[Moment] = []
    with training(suite, small(steps_per_task=22, random_steps=8)) as (one, *_):
        one.run([Scheduled(seen.append, multiples_of(6, at_end=True))])
    assert [now.span.step for now in seen] == [6, 12, 18, 22]
    assert [now.env_steps for now in seen] == [12, 24, 36, 44]
    assert [(now.learned, now.updates) for now in seen] == [(False, 0), (True, 2), (True, 5), (True, 7)]
    assert [bool(now.metrics) for now in seen] == [False, True, True, True]
    assert [now.span.last for now in seen] == [False, False, False, True]
    assert np.isclose(seen[1].transition.reward[:, 0].numpy(), [1.0, 2.0]).all()


@pytest.mark.parametrize(("updates", "in_one"), [(1, 1), (4, 4), (17, 1), (32, 16)])
def test_updates_in_a_graph_are_those_of_a_run_that_is_never_captured(
    monkeypatch: pytest.MonkeyPatch, updates: int, in_one: int
) -> None:
    """Rates are annealed, and the replay grows, in the longer runs until its ring is full."""
    suite = make_suite("tabletop").only(["reach", "push"])
    config = small(steps_per_task=46 if updates > 1 else 240, updates_per_step=updates, cudagraphs=True)
    found = []
    for warm_up in (WARM_UP, 10**9):
        monkeypatch.setattr("agents.graph.WARM_UP", warm_up)
        capture = TapeCapture()
        with training(suite, config, capture) as (run, agent, _):
            run.run([])
            found.append({name: weight.clone() for name, weight in agent.state_dict().items()})
        assert run.updates == updates * (config.steps_per_task - 40) // 2
        assert (capture.warmed + capture.replayed) * in_one == run.updates
        assert capture.recorded == (warm_up == WARM_UP)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[1])


def test_a_graphed_training_taken_up_again_goes_on_to_the_same_numbers() -> None:
    """It is captured anew, since what is loaded is in other tensors; so it is where a training is put back."""
    suite, config, capture = make_suite("tabletop").only(["reach", "push"]), small(cudagraphs=True), TapeCapture()
    with training(suite, config, capture) as (whole, agent, replay):
        whole.run([Scheduled(lambda now: now.span.step < 130)])
        state, held = through_a_file(whole.state_dict()), through_a_file(replay.state_dict())
        assert isinstance(state["agent"]["optimizers"]["actor"]["param_groups"][0]["lr"], float)
        whole.run([])
        wanted = {name: weight.clone() for name, weight in agent.state_dict().items()}
        replay.load_state_dict(held)
        whole.load_state_dict(state)
        whole.run([])
        assert all(torch.equal(weight, wanted[name]) for name, weight in agent.state_dict().items())
        assert capture.recorded == 2
    with training(suite, config, TapeCapture()) as (second, agent, replay):
        replay.load_state_dict(held)
        second.load_state_dict(state)
        second.run([])
        assert all(torch.equal(weight, wanted[name]) for name, weight in agent.state_dict().items())


def test_a_capture_that_fails_ends_the_run_in_one_line() -> None:
    class Fails(TapeCapture):
        def record(self, work: Any, generators: Any) -> Recorded:
            raise CaptureFailed("an update cannot be captured in a CUDA graph: why; leave out --cudagraphs")

    suite, config = scripted_suite(a=lambda: Scripted((1.0,) * 5)), small(random_steps=8, cudagraphs=True)
    with training(suite, config, Fails()) as (run, *_):
        with pytest.raises(RunError, match="cannot be captured in a CUDA graph: why; leave out --cudagraphs"):
            run.run([])
        assert run.updates == WARM_UP

"""Everything that a run trains with, built from its configuration."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import torch

from agents.base import Agent
from agents.precision import Precision
from agents.replay import Replay
from agents.samplers import Sampler
from envs.suite import TaskSuite
from mtrl.checkpoints.resume import Resumed
from mtrl.config import TrainConfig
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.scoring.final import as_scored
from mtrl.terminal.guardian import guarded
from mtrl.training.assemble import (
    EVALUATION,
    FLOATS_PER_WEIGHT,
    agent_of,
    device_of,
    in_precision,
    precision_of,
    processes_of,
    sampler_of,
    score_seed,
    suite_of,
    workers_of,
)
from mtrl.training.diagnoser import check_diagnosable
from mtrl.training.replay_size import replay_of
from mtrl.training.success import check_success
from mtrl.training.warm_start import WarmStart, rehearsal_of, start_from, warm_start_of
from mtrl.video.camera import Camera, camera_for


@dataclass(frozen=True)
class Setup:
    """What a run trains with, before anything is written."""

    config: TrainConfig[Any]  # with the number of worker processes that was chosen
    suite: TaskSuite
    device: torch.device
    precision: Precision
    env: TensorEnv  # of the tasks that are stepped: with --add-task the new ones alone
    agent: Agent
    learner: Agent  # what is updated: the agent, or the rehearsal around it
    context_source: str
    sampler: Sampler
    replay: Replay
    replay_size: str
    camera: Camera | None
    source: WarmStart | None  # the run to start from
    resumed: Resumed | None  # the run to continue


def set_up(
    config: TrainConfig[Any], given: TaskSuite | None, resumed: Resumed | None, files: ExitStack, envs: ExitStack
) -> Setup:
    """Build a run's parts. ``envs`` closes the environments, ``files`` ends the guard over stray processes.

    ``given`` replaces the suite that ``config`` names. Raises ``UsageError`` or ``SuiteError`` if it cannot be run.
    """
    device, suite, source = device_of(config), suite_of(config, given), warm_start_of(config, given)
    stepped = suite.only(config.add_task) if config.add_task else suite
    config = replace(config, workers=workers_of(config, as_scored(suite)))
    if as_scored(suite).simulator is None:  # environments may start whatever they like
        files.enter_context(guarded())
    env = envs.enter_context(closing(TensorEnv(stepped, config.envs_per_task, device, **processes_of(config))))
    if suite.simulator is None:  # what was refused once, with a warning, is not asked for again
        config = replace(config, workers=env.workers)
    checkpoint = resumed.checkpoint if resumed else None
    precision = (
        Precision(**checkpoint.state["precision"]) if checkpoint else precision_of(config, len(suite.tasks), device)
    )
    full_env = env if stepped is suite else envs.enter_context(closing(TensorEnv(suite, 1, device)))
    reference = source.reference if source else None
    agent, context = agent_of(in_precision(config, precision), suite, full_env, FLOATS_PER_WEIGHT, reference)
    check_diagnosable(config, agent)
    learner = rehearsal_of(source, agent, config, suite, full_env, env) if source and config.add_task else agent
    sampler = sampler_of(config, env)
    if not checkpoint:
        check_success(config, suite, agent, device)
        if source:
            start_from(source, agent, context, config, suite, full_env)
    replay, size = replay_of(config, env)
    camera = camera_for(as_scored(suite), score_seed(config.seed, EVALUATION), device) if config.record_every else None
    if camera is not None:
        envs.enter_context(closing(camera))
    return Setup(
        config=config,
        suite=suite,
        device=device,
        precision=precision,
        env=env,
        agent=agent,
        learner=learner,
        context_source=context.source,
        sampler=sampler,
        replay=replay,
        replay_size=size,
        camera=camera,
        source=source,
        resumed=resumed,
    )

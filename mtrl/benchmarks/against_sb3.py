"""An agent's step and update against one SAC of Stable-Baselines3 per task."""

from __future__ import annotations

import dataclasses

from agents.registry.presets import PRESETS
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired
from mtrl.config import agent_spec
from mtrl.errors import UsageError

STEPS = 5  # vector steps of each timed call


def bench_against_sb3(options: BenchConfig) -> list[str]:
    """Time one vector step of all tasks, including its update: the agent against one Stable-Baselines3 SAC per task."""
    if not agent_spec(options.agent).in_loop:
        known = ", ".join(name for name, preset in PRESETS.items() if preset.in_loop)
        raise UsageError(f"--agent is {options.agent!r}, which the kit's own are timed against; give one of {known}")

    import torch

    from agents.base import seeded_generator
    from agents.replay import Replay
    from mtrl.baselines.sb3_env import SB3VecEnv
    from mtrl.baselines.sb3_model import make_model
    from mtrl.config.defaults import default_config
    from mtrl.rollout.tensor_env import TensorEnv
    from mtrl.training.assemble import agent_of, in_precision, precision_of, suite_of, threads_of
    from mtrl.training.memory import keep_freed_memory

    config = default_config(options.suite, options.agent)
    sb3_config = dataclasses.replace(default_config(options.suite, "sb3"), random_steps=config.batch_per_task)
    suite = suite_of(config)
    torch.set_num_threads(options.threads or threads_of(config))
    env = TensorEnv(suite, config.envs_per_task, torch.device("cpu"))
    precision = precision_of(config, env.tasks, env.device)
    agent, _ = agent_of(in_precision(config, precision), suite, env)
    replay = Replay(env.tasks, 10_000, env.obs_size, env.action_size, seeded_generator(0))
    state = {"obs": env.reset(0)}

    def train_agent() -> None:
        for _ in range(STEPS):
            obs = state["obs"]
            action = agent.act(obs, explore=True)
            step = env.step(action)
            replay.add(obs, action, step.reward, step.terminated, step.final_obs)
            state["obs"] = step.obs
            for _ in range(config.updates_per_step):
                agent.update(replay.sample(config.batch_per_task))

    models = [
        make_model(sb3_config, SB3VecEnv(suite.only([name]), sb3_config.envs_per_task, 0), 0)
        for name in suite.task_names
    ]
    for model in models:
        model.learn(sb3_config.random_steps + 2 * sb3_config.envs_per_task)  # past the random steps, into learning

    def train_sb3() -> None:
        for model in models:
            model.learn(STEPS * sb3_config.envs_per_task, reset_num_timesteps=False)

    lines = []
    for name, prepare in (
        ("with the system's default malloc", lambda: None),
        ("keeping freed memory", keep_freed_memory),
    ):
        prepare()
        own, reference = (seconds / STEPS for seconds in paired([train_agent, train_sb3], options.repeats))
        lines.append(
            f"{name}: {options.agent} {own * 1e3:.1f} ms, {env.tasks} x SB3 {reference * 1e3:.1f} ms per step of "
            f"{config.envs_per_task} copies of {env.tasks} tasks and its update: {reference / own:.2f}x"
        )
    lines.append(
        f"networks {config.settings.hidden}, {config.batch_per_task} rows per task, {torch.get_num_threads()} threads, "
        f"precision {precision.taken}, torch {torch.__version__}"
    )
    return lines

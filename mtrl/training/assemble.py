"""From a configuration to the pieces of a run: device, suite, environments and agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from agents.base import Agent
from agents.build import Sizes, build_agent, build_sampler
from agents.graph import Capture, GraphedUpdates, updates_in_one
from agents.precision import Precision, choose_precision
from agents.registry.agent_settings import AgentSettings
from agents.registry.spec import RegistryError
from agents.replay import Replay
from agents.samplers import Sampler
from envs.context import Context, Described, context_of, context_parts, one_number
from envs.registry import make_suite
from envs.stepping.pace import processors, suggest_workers
from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.config.train_config import as_usage
from mtrl.errors import UsageError
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.scoring.scores import Policy
from mtrl.training.memory import networks_fit

MAX_THREADS = 4  # small networks gain nothing from more
FLOATS_PER_WEIGHT = 4  # while learning: the weight, its gradient, and Adam's two moments
# Added to the seed, so that scores come from starts that training never drew.
EVALUATION, FINAL = 1, 2


def suite_of(config: TrainConfig[AgentSettings], given: str | TaskSuite | None = None) -> TaskSuite:
    """Return the run's suite with the selected tasks; ``given``, a name or a suite, takes its place.

    Raises ``SuiteError`` where there is none of that name.
    """
    options = {"engine": config.engine, "reward_version": config.reward_version, "goal_seed": config.seed}
    suite = given if isinstance(given, TaskSuite) else make_suite(given or config.suite, **options)
    return suite.only(config.tasks) if config.tasks else suite


def device_of(config: TrainConfig[AgentSettings]) -> torch.device:
    """Return the run's device. Raises ``UsageError`` if it is not available or cannot do what is asked."""
    name, found = config.device, torch.cuda.is_available()
    if name not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device is {name!r}; it may be auto, cpu or cuda")
    if name == "cuda" and not found:
        raise UsageError("--device is 'cuda', and torch finds no GPU; use --device auto or --device cpu")
    device = torch.device("cuda" if found and name != "cpu" else "cpu")
    if config.cudagraphs and device.type != "cuda":
        why = "" if found else ", since torch finds no GPU"
        raise UsageError(f"--cudagraphs takes a GPU, and --device {name} is the CPU here{why}; leave it out")
    return device


def threads_of(config: TrainConfig[AgentSettings]) -> int:
    """Return the number of CPU threads for torch: as configured, else the available processors, at most 4."""
    return config.threads or min(processors(), MAX_THREADS)


def workers_of(config: TrainConfig[AgentSettings], suite: TaskSuite) -> int:
    """Return the number of worker processes: as configured, else what timing finds fastest."""
    if config.workers is not None:
        return config.workers
    return suggest_workers(suite, config.envs_per_task, processors())


def processes_of(config: TrainConfig[AgentSettings]) -> dict[str, Any]:
    """Return the arguments of ``TensorEnv`` and ``Scorer`` about worker processes."""
    return {"workers": config.workers or 0, "timeout": config.env_timeout}


def agent_of(
    config: TrainConfig[AgentSettings],
    suite: TaskSuite,
    env: TensorEnv,
    numbers: int = 1,
    frame: Sequence[Described] | None = None,
) -> tuple[Agent, Context]:
    """Build the run's agent for the sizes of ``env``; return it and the context that it may read.

    ``frame`` are the tasks that centre the context, if not the suite's own. Raises ``UsageError``
    where there is no memory for it, with so many ``numbers`` for each weight.
    """
    context = context_of(suite, config.settings.context or "auto", frame)
    sizes = Sizes(env.obs_size, env.action_mask, torch.as_tensor(context.tasks), context.learned)
    try:
        with networks_fit(hidden_of(config), env.device, numbers):
            return build_agent(agent_spec(config.agent), sizes, config.settings, config.seed, env.device), context
    except RegistryError as error:
        raise as_usage(error) from error


def hidden_of(config: TrainConfig[AgentSettings]) -> tuple[int, ...]:
    """Return the widths of the agent's hidden layers; empty if it has no setting of that name."""
    widths: tuple[int, ...] = getattr(config.settings, "hidden", ())
    return widths


def sampler_of(config: TrainConfig[AgentSettings], env: TensorEnv) -> Sampler:
    """Build the sampler that chooses the tasks of the run's batches."""
    try:
        numbers = one_number(env.env.suite)
        return build_sampler(agent_spec(config.agent), env.tasks, config.settings, config.seed, env.device, numbers)
    except RegistryError as error:
        raise as_usage(error) from error


def graph_of(
    config: TrainConfig[AgentSettings], agent: Any, replay: Replay, capture: Capture | None = None
) -> GraphedUpdates | None:
    """Return the CUDA graph of the updates that follow a step, or None for a run without one."""
    if not config.cudagraphs:
        return None
    return GraphedUpdates(agent, replay, config.batch_per_task, updates_in_one(config.updates_per_step), capture)


def check_context(config: TrainConfig[AgentSettings], suite: TaskSuite) -> None:
    """Raise ``SuiteError`` if the agent reads a context that the suite does not have."""
    if config.settings.context is not None:
        context_parts(suite, config.settings.context)


def precision_of(config: TrainConfig[AgentSettings], tasks: int, device: torch.device) -> Precision:
    """Return the precision of the run's updates, timed on this machine if it is auto."""
    hidden = hidden_of(config)
    with networks_fit(hidden):  # as large as theirs is what is timed
        return choose_precision(
            config.settings.precision, tasks * config.batch_per_task, max(hidden, default=1), device
        )


def in_precision(config: TrainConfig[AgentSettings], precision: Precision) -> TrainConfig[AgentSettings]:
    """Return the configuration with the precision that was chosen."""
    settings: Any = config.settings
    if precision.taken == settings.precision:  # as always where there is no such field
        return config
    return replace(config, settings=replace(settings, precision=precision.taken))


def greedy(agent: Agent) -> Policy:
    """Return the agent's deterministic policy."""
    return lambda obs: agent.act(obs, explore=False)


def parameter_count(agent: Any) -> int:
    """Return the number of an agent's trainable parameters, 0 for one that is not a torch module."""
    return sum(p.numel() for p in agent.parameters() if p.requires_grad) if isinstance(agent, torch.nn.Module) else 0


def score_seed(seed: int, purpose: int) -> int:
    """Return the seed of an evaluation's environments, apart from training's."""
    return seed * 1_000 + 500_000_000 + purpose

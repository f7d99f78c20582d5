"""The configuration of a run: a frozen dataclass, to JSON and back. Free of torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import tyro

from agents.registry.agent_settings import AgentSettings
from agents.registry.compose import SLOTS, recorded_base, recorded_settings, settings_type
from agents.registry.lookup import from_outside, resolve_agent
from agents.registry.spec import AgentSpec, RegistryError
from envs.errors import nearest
from envs.stepping.engine import MAX_COPIES
from mtrl.config.options import option
from mtrl.config.renamed import present_names
from mtrl.errors import UsageError

S = TypeVar("S", bound=AgentSettings, covariant=True)
STANDARD = "standard"  # the default recipe
MAX_SEED = 2**32 - 1  # the largest that Stable-Baselines3 accepts
MAX_STEPS = 10**12  # larger numbers overflow somewhere
MAX_PROCESSES = 1024
MAX_SECONDS = 10**7  # four months


@dataclass(frozen=True)
class TrainConfig(Generic[S]):
    """Train one agent on a suite of tasks, with a single-task baseline beside it."""

    suite: str = option("tabletop-50", changes="run", in_table=True)
    """A suite listed by python -m mtrl.list, or your own: module:attribute, tasks.toml, or gym:ID,ID."""
    agent: str = option("care", changes="agent", in_table=True)
    """An agent listed by python -m mtrl.list, or your own as module:attribute."""
    recipe: str = option(STANDARD, changes="run")
    """Named set of defaults: standard, or laptop, which trains metaworld on a few CPU cores."""
    tasks: tuple[str, ...] = option((), changes="run")
    """Subset of the suite's tasks to train on, possibly held-out ones; by default, all that are not held out."""
    engine: str = option("auto", changes="run")
    """Simulator, where a suite has several: metaworld has farama, envpool and auto, which mixes both."""
    reward_version: str = option("auto", changes="run")
    """Reward version, where a suite has several: metaworld has v2 (the default) and v1."""
    seed: int = option(0, changes="run", ge=0, le=MAX_SEED, in_table=True)
    """Random seed of the whole run."""
    steps_per_task: int = option(100_000, changes="run", ge=1, le=MAX_STEPS, in_table=True)
    """Environment steps per task."""
    envs_per_task: int = option(4, changes="agent", ge=1, le=MAX_COPIES)
    """Parallel environments per task."""
    workers: int | None = option(None, changes="nothing", ge=0, le=MAX_PROCESSES)
    """Worker processes that step environments; 0: step in this process; by default, timed and chosen."""
    env_timeout: float = option(60.0, changes="nothing", gt=0, le=MAX_SECONDS, unit="seconds")
    """Seconds a call of an environment in a worker may take before it is killed and restarted (sb3: not restarted)."""
    batch_per_task: int = option(128, changes="agent", ge=1, le=MAX_STEPS)
    """Batch size per task: transitions of each task in an update."""
    updates_per_step: int = option(1, changes="agent", ge=1, le=MAX_COPIES)
    """Gradient updates after each step of all environments."""
    random_steps: int = option(1_000, changes="agent", ge=0, le=MAX_STEPS)
    """Steps per task with uniformly random actions before learning starts."""
    replay_per_task: int = option(1_000_000, changes="agent", ge=1, le=MAX_STEPS)
    """Replay buffer capacity per task, in transitions."""
    device: str = option("auto", changes="run")
    """Device: auto (a GPU if there is one), cpu or cuda."""
    cudagraphs: bool = option(False, changes="run")
    """Capture the updates after a step in a CUDA graph, as LeanRL's option does; needs a GPU, not yet measured."""
    threads: int = option(0, changes="nothing", ge=0, le=MAX_PROCESSES)
    """PyTorch's CPU threads; 0: all available processors, at most 4."""
    baseline: Literal["single-task", "sb3", "none"] = option("single-task", changes="nothing")
    """Baseline to train on the same budget; a finished run with the same settings is reused."""
    jobs: int = option(0, changes="nothing", ge=0, le=MAX_PROCESSES)
    """Processes that train sb3's tasks; 0: one per available processor."""
    eval_every: int = option(10_000, changes="run", ge=1, le=MAX_STEPS)
    """Steps per task between evaluations."""
    eval_episodes: int = option(10, changes="run", ge=1, le=MAX_COPIES)
    """Evaluation episodes per task."""
    log_every: int = option(1_000, changes="nothing", ge=1, le=MAX_STEPS)
    """Steps per task between log entries."""
    diagnose_every: int | None = option(None, changes="nothing", ge=0, le=MAX_STEPS)
    """Steps per task between diagnoses; 0: none; by default, at each evaluation (3 % of tabletop's time)."""
    record_every: int = option(0, changes="nothing", ge=0, le=MAX_STEPS)
    """Steps per task between videos of the policy, one episode per task, in TensorBoard; 0: none."""
    checkpoint_every: int | None = option(None, changes="nothing", ge=0, le=MAX_SECONDS, unit="seconds")
    """Seconds between checkpoints; 0: none; by default, at most 2 % of the time and at least every ten minutes."""
    keep_checkpoint: bool = option(False, changes="nothing")
    """Keep the last checkpoint of a finished run, so that --resume can train it further."""
    track: Literal["none", "wandb", "mlflow"] = option("none", changes="nothing")
    """Experiment tracker to log to as well, offline unless its own environment variables say otherwise."""
    runs_dir: Path = option(Path("runs"), changes="nothing")
    """Directory of the run folders."""
    from_run: Annotated[Path | None, tyro.conf.arg(aliases=("--from",))] = option(None, changes="agent")
    """Start from the networks of this finished run; tasks may be new to it. Its settings become the defaults."""
    add_task: tuple[str, ...] = option((), changes="agent")
    """With --from: tasks to add to the run's own, which are rehearsed from the replay that it kept."""
    settings: S = option(cast(Any, AgentSettings()), changes="agent")
    """Settings of the agent."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        values = dataclasses.asdict(self)
        values["runs_dir"] = str(self.runs_dir)
        values["from_run"] = None if self.from_run is None else str(self.from_run)
        return values

    @staticmethod
    def from_json(values: dict[str, Any]) -> TrainConfig[Any]:
        """Read what ``to_json`` wrote. Raises ``UsageError`` for an unknown agent, ``TypeError`` for unknown fields.

        A file is data: no module of the user's that it names is imported. The settings of agents with such pieces
        are read as recorded.
        """
        if not isinstance(values["settings"], dict):
            raise TypeError("its settings are not a JSON object")
        given = _tuples(values["settings"])
        pieces = {slot: name for slot, name in given.items() if slot in SLOTS}
        for name, value in {"agent": values["agent"], "runs_dir": values["runs_dir"], **pieces}.items():
            if not isinstance(value, str):
                raise TypeError(f"{name} is {value!r}, and it must be a string")
        if any(map(from_outside, (values["agent"], *pieces.values()))):
            settings = recorded_settings(present_names(given, recorded_base(given)))
        else:
            kind = settings_of(agent_spec(values["agent"]), pieces)
            given = present_names(given, kind)
            known = [field.name for field in dataclasses.fields(kind)]
            for name in given:
                if name not in known:
                    has = f"it has {', '.join(known)}.{nearest(name, known)}"
                    raise UsageError(f"unknown setting {name!r} of {values['agent']}; {has}")
            settings = kind(**given)
        paths = {"runs_dir": Path(values["runs_dir"])}
        if isinstance(source := values.get("from_run"), str):
            paths["from_run"] = Path(source)
        rest = {k: v for k, v in values.items() if k != "settings"}
        return TrainConfig(**_tuples({**rest, **paths}), settings=settings)


def agent_spec(name: str) -> AgentSpec:
    """Return the agent of this name. Raises ``UsageError``, with the nearest name, if there is none."""
    try:
        return resolve_agent(name)
    except RegistryError as error:
        raise as_usage(error) from error


def settings_of(agent: AgentSpec, pieces: Mapping[str, str]) -> type[AgentSettings]:
    """Return the class of an agent's settings with ``pieces`` in place of its own.

    Raises ``UsageError`` for an unknown piece, and for pieces that do not fit together.
    """
    try:
        kind = settings_type(agent, pieces)
    except RegistryError as error:
        raise as_usage(error) from error
    own = {field.name for field in dataclasses.fields(TrainConfig)} - {"settings"}
    if taken := sorted(own & {field.name for field in dataclasses.fields(kind)}):
        raise UsageError(f"{agent.name} has a setting {taken[0]!r}, which is an option of every training; rename it")
    return kind


def as_usage(error: RegistryError) -> UsageError:
    """Return the error for the user, with the nearest known name."""
    return UsageError(f"{error}{nearest(error.name, error.known)}")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}

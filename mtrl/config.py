"""What a run is told: one frozen dataclass, its checks, and its way to JSON and back. Free of torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from agents.compose import SLOTS, defining_class, recorded_settings, settings_type
from agents.registry import from_outside, resolve_agent
from agents.settings import SACSettings, only_width
from agents.spec import AgentSpec, RegistryError
from envs.errors import nearest
from mtrl.cli import UsageError
from mtrl.tracking.trackers import check_tracker

S = TypeVar("S")
STANDARD = "standard"  # the recipe that is taken unless another is named
MOST_SEED = 2**32 - 1  # what Stable-Baselines3 takes


@dataclass(frozen=True)
class TrainConfig(Generic[S]):
    """Train one agent on a suite of tasks, with a single-task baseline beside it."""

    suite: str = "tabletop"
    """A suite that python -m mtrl.list shows, or your own: module:attribute, tasks.toml, or gym:ID,ID."""
    agent: str = "care"
    """care, mtsac, mtmhsac, single-task, sb3, or your own as module:attribute."""
    recipe: str = STANDARD
    """Which set of defaults: standard, or laptop, which trains metaworld on a few CPU cores."""
    tasks: tuple[str, ...] = ()
    """Only these of the suite's tasks; none given means all."""
    engine: str = "auto"
    """What steps the tasks, where a suite lets you choose: metaworld has farama, envpool and auto, a mix of both."""
    reward_version: str = "auto"
    """Which of a suite's rewards, where it has several: metaworld has v2 (the default) and v1."""
    seed: int = 0
    """Every random number of the run follows from it."""
    steps_per_task: int = 100_000
    """Environment steps in each task."""
    envs_per_task: int = 4
    """Copies of each task that are stepped together."""
    workers: int | None = None
    """Processes that step environments; 0: none, all in this one; unless given, a short measurement decides."""
    env_timeout: float = 60.0
    """Seconds that one call of an environment in a worker process may take before it is killed and started anew."""
    batch_per_task: int = 128
    """Transitions of each task in one update."""
    updates_per_step: int = 1
    """Updates after each step of all copies."""
    random_steps: int = 1_000
    """Steps per task with random actions, before learning begins."""
    replay_per_task: int = 1_000_000
    """Most transitions kept per task."""
    device: str = "auto"
    """auto (a GPU when there is one), cpu or cuda."""
    threads: int = 0
    """Torch's CPU threads; 0 takes the processors at hand, at most 4."""
    baseline: Literal["single-task", "sb3", "none"] = "single-task"
    """What is trained on the same budget for comparison; an equal run that is there already is used again."""
    jobs: int = 0
    """Processes that train sb3's tasks; 0 takes the processors at hand."""
    eval_every: int = 10_000
    """Steps per task between evaluations."""
    eval_episodes: int = 10
    """Episodes of each task in an evaluation."""
    log_every: int = 1_000
    """Steps per task between lines of the log."""
    diagnose_every: int | None = None
    """Steps per task between diagnoses; 0: none; unless given, at each evaluation (3 % of tabletop's training time)."""
    record_every: int = 0
    """Steps per task between films of the policy, an episode of each task, in TensorBoard's images; 0: none."""
    track: Literal["none", "wandb", "mlflow"] = "none"
    """An experiment tracker that is told of the run too, offline unless its own environment variables say otherwise."""
    runs_dir: Path = Path("runs")
    """Where run folders are made."""
    settings: S = None  # type: ignore[assignment]
    """The agent's own."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        values = dataclasses.asdict(self)
        values["runs_dir"] = str(self.runs_dir)
        return values

    @staticmethod
    def from_json(values: dict[str, Any]) -> TrainConfig[Any]:
        """Read what ``to_json`` wrote. Raises ``UsageError`` for an unknown agent, ``TypeError`` for unknown fields.

        A file is data: no module of the user's that it names is imported. What was made of such has its settings as
        they were written.
        """
        if not isinstance(values["settings"], dict):
            raise TypeError("its settings are no table")
        given = _tuples(values["settings"])
        pieces = {slot: name for slot, name in given.items() if slot in SLOTS}
        if any(from_outside(str(name)) for name in (values["agent"], *pieces.values())):
            settings = recorded_settings(given)
        else:
            kind = settings_of(agent_spec(values["agent"]), pieces)
            settings = kind(**given)
            _check_types({**values["settings"]}, kind())
        rest = {k: v for k, v in values.items() if k != "settings"}
        _check_types(rest, TrainConfig())
        return TrainConfig(**_tuples({**rest, "runs_dir": Path(values["runs_dir"])}), settings=settings)


def agent_spec(name: str) -> AgentSpec:
    """Return the agent of this name. Raises ``UsageError`` with the nearest where there is none."""
    try:
        return resolve_agent(name)
    except RegistryError as error:
        raise as_usage(error) from error


def settings_of(agent: AgentSpec, pieces: Mapping[str, str]) -> type[Any]:
    """Return the class of an agent's settings with ``pieces`` in place of its own.

    Raises ``UsageError`` for a piece that is not known, and for pieces that do not fit together.
    """
    try:
        return settings_type(agent, pieces)
    except RegistryError as error:
        raise as_usage(error) from error


def as_usage(error: RegistryError) -> UsageError:
    """Return what is to be said to the user, with the nearest of the names that there are."""
    return UsageError(f"{error}{nearest(error.name, error.known)}")


def check_config(config: TrainConfig[Any]) -> None:
    """Raise ``UsageError`` for a number out of its range, naming the flag, the value and the range."""
    for field, least in _LEAST.items():
        value = getattr(config, field)
        if value is not None and value < least:
            raise UsageError(f"--{field.replace('_', '-')} is {value}; it has to be at least {least}")
    if config.seed > MOST_SEED:
        raise UsageError(f"--seed is {config.seed}; it has to be at most {MOST_SEED}")
    if config.batch_per_task > config.replay_per_task:
        raise UsageError(
            f"--batch-per-task is {config.batch_per_task}, more than --replay-per-task {config.replay_per_task}; "
            "a batch comes out of the replay, so make it smaller or the replay larger"
        )
    if config.envs_per_task > config.replay_per_task:
        raise UsageError(
            f"--replay-per-task is {config.replay_per_task}, less than --envs-per-task {config.envs_per_task}"
        )
    if config.record_every and not agent_spec(config.agent).in_loop:
        raise UsageError(
            f"--record-every is {config.record_every}, and agent {config.agent!r} trains each task in a process of its "
            "own, which draws none; leave it 0, and film the finished run with python -m mtrl.evaluate RUN --record"
        )
    if not (config.env_timeout > 0 and math.isfinite(config.env_timeout)):
        raise UsageError(f"--env-timeout is {config.env_timeout}; it has to be a number of seconds above 0")
    if getattr(config.settings, "network", "mlp") == "residual":
        try:
            only_width(config.settings.hidden)
        except ValueError as error:
            raise UsageError(f"--{error}") from None
    _check_choices(config)
    _check_choices(config.settings)
    check_tracker(config.track)
    for field, value in dataclasses.asdict(config.settings).items():
        if _of_the_kit(config.settings, field):
            _check_setting(f"--{field.replace('_', '-')}", field, value)


_LEAST = {
    "seed": 0,
    "steps_per_task": 1,
    "envs_per_task": 1,
    "workers": 0,
    "batch_per_task": 1,
    "updates_per_step": 1,
    "random_steps": 0,
    "replay_per_task": 1,
    "threads": 0,
    "jobs": 0,
    "eval_every": 1,
    "eval_episodes": 1,
    "log_every": 1,
    "diagnose_every": 0,
    "record_every": 0,
}
_SHARES = ("discount", "polyak")
_MAY_BE_ZERO = ("weight_decay", "gradient_norm")


def _check_choices(values: Any) -> None:
    """Raise ``UsageError`` where a field that may be one of some words is none of them."""
    for field, kind in get_type_hints(type(values)).items():
        if get_origin(kind) is Literal and (value := getattr(values, field)) not in get_args(kind):
            raise UsageError(f"--{field.replace('_', '-')} is {value!r}; it may be {' or '.join(get_args(kind))}")


def _check_setting(flag: str, field: str, value: Any) -> None:
    if isinstance(value, tuple):
        if any(width < 1 for width in value) or (field == "hidden" and not value):
            raise UsageError(f"{flag} is {' '.join(map(str, value)) or 'empty'}; give widths of at least 1")
    elif field in _SHARES:
        if not 0.0 < value <= 1.0:
            raise UsageError(f"{flag} is {value}; it has to be above 0 and at most 1")
    elif field in _MAY_BE_ZERO:
        if not (value >= 0 and math.isfinite(value)):
            raise UsageError(f"{flag} is {value}; it has to be a number of at least 0")
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not (value > 0 and math.isfinite(value)):
        raise UsageError(f"{flag} is {value}; it has to be a number above 0")


def _of_the_kit(settings: Any, field: str) -> bool:
    """Whether a setting is one of the kit's own, whose range is known."""
    return defining_class(type(settings), field).__module__ == SACSettings.__module__


def _check_types(values: dict[str, Any], like: Any) -> None:
    """Raise ``TypeError`` for a JSON value of another type than the field's; a whole number may stand for any."""
    for name, value in values.items():
        default = getattr(like, name, value)
        kind: Any = type(default)
        if isinstance(default, Path):
            kind = str
        elif isinstance(default, tuple):
            kind = (list, tuple)
        elif isinstance(default, float):
            kind = (float, int)
        elif default is None:
            kind = (int, type(None))
        if not isinstance(value, kind):
            raise TypeError(f"{name} is {value!r}")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}

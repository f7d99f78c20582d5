"""What is refused of a configuration before anything is made: values out of range, and what does not go together."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

from agents.registry.compose import pieces_named, pieces_of
from agents.registry.facts import facts_of
from agents.registry.settings import SACSettings, only_width
from mtrl.config.train_config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.tracking.trackers import check_tracker


def check_config(config: TrainConfig[Any]) -> None:
    """Raise ``UsageError`` for a value that cannot be, naming the flag, the value and what it may be."""
    for values in (config, config.settings):
        kinds = get_type_hints(type(values))
        for field in dataclasses.fields(values):
            _check_field(field, kinds[field.name], getattr(values, field.name))
    _check_replay(config)
    _check_films(config)
    _check_widths(config.settings)
    _check_network(config)
    check_tracker(config.track)


def _check_field(field: dataclasses.Field[Any], kind: Any, value: Any) -> None:
    """Raise ``UsageError`` for a word that is none of the field's, and for a number out of the field's range."""
    flag = f"--{field.name.replace('_', '-')}"
    if get_origin(kind) is Literal and value not in get_args(kind):
        raise UsageError(f"{flag} is {value!r}; it may be {' or '.join(map(str, get_args(kind)))}")
    if fault := facts_of(field).fault(value):
        shown = " ".join(map(str, value)) or "empty" if isinstance(value, tuple) else value
        raise UsageError(f"{flag} is {shown}; {fault}")


def _check_replay(config: TrainConfig[Any]) -> None:
    if config.batch_per_task > config.replay_per_task:
        raise UsageError(
            f"--batch-per-task is {config.batch_per_task}, more than --replay-per-task {config.replay_per_task}; "
            "a batch is drawn from the replay buffer, so make the batch smaller or the buffer larger"
        )
    if config.envs_per_task > config.replay_per_task:
        raise UsageError(
            f"--replay-per-task is {config.replay_per_task}, less than --envs-per-task {config.envs_per_task}"
        )


def _check_films(config: TrainConfig[Any]) -> None:
    if config.record_every and not agent_spec(config.agent).in_loop:
        raise UsageError(
            f"--record-every is {config.record_every}, and agent {config.agent!r} trains each task in a process of its "
            "own, which records none; set it to 0, and record the finished run: python -m mtrl.evaluate RUN --record"
        )


def _check_widths(settings: Any) -> None:
    if isinstance(settings, SACSettings) and settings.network == "residual":
        try:
            only_width(settings.hidden)
        except ValueError as error:
            raise UsageError(f"--{error}") from None


def _check_network(config: TrainConfig[Any]) -> None:
    settings = config.settings
    if isinstance(settings, SACSettings) and settings.network != "mlp":
        trunk = pieces_of(agent_spec(config.agent), pieces_named(settings))["trunk"]
        if trunk.own_layers:
            raise UsageError(
                f"--network is {settings.network!r}, but trunk {trunk.name!r} has layers of its own making; "
                "leave it at 'mlp'"
            )

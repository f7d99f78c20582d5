"""Checks of a configuration before anything is built: values out of range, and options that do not go together."""

from __future__ import annotations

from typing import Any

from agents.registry.compose import pieces_named, pieces_of, uncapturable
from agents.registry.settings import SACSettings, only_width
from mtrl.config.defaults import RECIPES, baseline_config
from mtrl.config.train_config import STANDARD, TrainConfig, agent_spec
from mtrl.config.values import check_fields
from mtrl.errors import UsageError
from mtrl.tracking.trackers import check_tracker


def check_config(config: TrainConfig[Any]) -> None:
    """Raise ``UsageError`` for a configuration that cannot be trained, naming the flag, the value and those allowed.

    This includes all of ``check_values``, and what this machine lacks.
    """
    check_values(config)
    _check_learning(config)
    if config.from_run is not None and config.baseline not in ("none", config.agent):  # which starts from scratch
        _check_learning(baseline_config(config), f"the baseline's {config.baseline}: ")
    _check_warm_start(config)
    _check_videos(config)
    _check_cudagraphs(config)
    _check_network(config)
    check_tracker(config.track)


def check_values(config: TrainConfig[Any]) -> None:
    """Raise ``UsageError`` for a configuration that no run can have had, wherever it was trained."""
    check_fields(config)
    check_fields(config.settings)
    if config.recipe not in (STANDARD, *RECIPES):
        raise UsageError(f"--recipe is {config.recipe!r}; it may be {' or '.join((STANDARD, *RECIPES))}")
    _check_replay(config)
    _check_widths(config.settings)


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


def _check_learning(config: TrainConfig[Any], whose: str = "") -> None:
    if config.random_steps >= config.steps_per_task:
        raise UsageError(
            f"{whose}--random-steps is {config.random_steps}, of --steps-per-task {config.steps_per_task}: nothing "
            "would be learned; give fewer random steps, or more steps"
        )


def _check_warm_start(config: TrainConfig[Any]) -> None:
    if config.from_run is None:
        if config.add_task:
            raise UsageError(
                f"--add-task is {' '.join(config.add_task)}, and there is no run to add to; give --from RUN, a run "
                "trained with --keep-checkpoint"
            )
        return
    spec = agent_spec(config.agent)
    if not spec.of_pieces or spec.single_task:
        why = (
            "shares nothing between tasks"
            if spec.of_pieces or not spec.in_loop
            else "is not built from the kit's pieces"
        )
        raise UsageError(
            f"--from is {str(config.from_run)!r}, and agent {config.agent!r} {why}, so it has nothing to transfer to "
            "other tasks; give a run of an agent that shares weights, such as care"
        )


def _check_videos(config: TrainConfig[Any]) -> None:
    if config.record_every and not agent_spec(config.agent).in_loop:
        raise UsageError(
            f"--record-every is {config.record_every}, and agent {config.agent!r} trains each task in its "
            "own process, which records none; set it to 0 and record the finished run: mtrl.evaluate RUN --record"
        )


def _check_cudagraphs(config: TrainConfig[Any]) -> None:
    if not config.cudagraphs:
        return
    why = uncapturable(agent_spec(config.agent), config.settings)
    if not why and config.add_task:
        why = "--add-task rehearses other tasks in every update, which cannot be captured"
    if why:
        raise UsageError(
            f"--cudagraphs is given, and {why}; leave it out, or use what can be captured: aggregator mean or sum, "
            "sampler uniform, and any piece whose Spec says capturable"
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
                f"--network is {settings.network!r}, but trunk {trunk.name!r} makes its own layers; leave it at 'mlp'"
            )

"""Content of TensorBoard's own tabs: the custom charts, and the table of hyperparameters with final scores."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.registry.compose import settings_type
from agents.registry.facts import facts_of
from agents.registry.presets import PRESETS
from mtrl.config import TrainConfig
from mtrl.config.options import options_changing
from mtrl.scoring.many_tasks import Groups
from mtrl.scoring.scores import TaskScore
from mtrl.tracking.run_log import board_tag, per_task
from mtrl.tracking.tags import GROUP_SUCCESS, task_tag

CONFIDENCE = 0.95
FINAL = {
    "final/success_rate": "success at any step",
    "final/success_last": "success at the last step",
    "final/success_worst": "success of the worst task",
    "final/return": "return",
    "final/wall_seconds": "seconds of training",
}


def layout(
    suite: str, scores: Mapping[str, TaskScore], groups: Groups | None = None
) -> dict[str, dict[str, list[Any]]]:
    """Return the custom charts of a suite's runs: category, title, kind and tags. Those of groups precede the tasks'.

    TensorBoard merges the layouts of all runs in a folder by category and title, so every run of a suite has the same,
    whatever its agent: a chart shows the agent and its baselines. Tags are patterns, matched from their beginning.
    """
    silent = {name: math.isnan(score.success_any) for name, score in scores.items()}
    charts: dict[str, dict[str, list[Any]]] = {}
    if not all(silent.values()):
        margin = f"agents: mean success, {CONFIDENCE:.0%} interval over an evaluation's episodes (not over seeds)"
        charts[f"{suite}: success at any step"] = {
            "agents: mean success over tasks": ["Multiline", [_only("eval/success_rate")]],
            margin: ["Margin", _tags("eval/success_rate", "eval/success_low", "eval/success_high")],
            "agents: mean success, from the worst task to the best": [
                "Margin",
                _tags("eval/success_rate", "eval/success_worst", "eval/success_best"),
            ],
        }
    if any(silent.values()):
        charts[f"{suite}: return"] = {
            "agents: mean return over tasks": ["Multiline", [_only("eval/return")]],
            "agents: mean return, from the worst task to the best": [
                "Margin",
                _tags("eval/return", "eval/return_worst", "eval/return_best"),
            ],
        }
    known = {group: own for group, own in (groups or {}).items() if not all(silent[name] for name in own)}
    if known:
        charts[f"{suite}: each group of tasks"] = {
            f"{group}: mean success of {len(own)} tasks": ["Multiline", [_only(task_tag(GROUP_SUCCESS, group))]]
            for group, own in known.items()
        }
    charts[f"{suite}: each task"] = {
        f"{name}: {'return' if silent[name] else 'success'}": [
            "Multiline",
            [_only(*per_task("eval/return" if silent[name] else "eval/success_rate", (name,), [0.0]))],
        ]
        for name in scores
    }
    charts[f"{suite}: workings"] = {
        "entropy of the attention over encoders, in nats": ["Multiline", ["train_attention/entropy"]],
        "temperature of the policy's entropy": ["Multiline", ["train/ent_coef"]],
    }
    return charts


def _tags(*tags: str) -> list[str]:
    return [board_tag(tag) for tag in tags]


def _only(tag: str) -> str:
    """Return a pattern that matches only this tag, not those that begin with it."""
    return f"{re.escape(board_tag(tag))}$"


def spread(scores: Sequence[TaskScore]) -> dict[str, float]:
    """Return the margins around an evaluation's means: worst and best task, and an interval of the mean success.

    The interval is Wilson's for all tasks' episodes together (Wilson 1927), which is rather wide if tasks differ. It
    covers the variation over starts; the variation over seeds, which is larger, is not included.
    """
    returns = [score.mean_return for score in scores]
    values = {"eval/return_worst": min(returns), "eval/return_best": max(returns)}
    known = [score for score in scores if not math.isnan(score.success_any)]
    if known:
        from scipy.stats import binomtest

        episodes = sum(score.episodes for score in known)
        solved = round(sum(score.success_any * score.episodes for score in known))
        interval = binomtest(solved, episodes).proportion_ci(CONFIDENCE, "wilson")
        rates = [score.success_any for score in known]
        values |= {"eval/success_low": float(interval.low), "eval/success_high": float(interval.high)}
        values |= {"eval/success_worst": min(rates), "eval/success_best": max(rates)}
    return values


def final_metrics(result: dict[str, Any]) -> dict[str, float]:
    """Return the scalars of a run's result; a measure that no task reports is NaN."""
    mean = result["mean"]
    rates = [task["success_any"] for task in result["tasks"].values() if task["success_any"] is not None]
    numbers = (
        mean["success_any"],
        mean["success_last"],
        min(rates, default=None),
        mean["return"],
        result["wall_seconds"],
    )
    return {tag: math.nan if one is None else float(one) for tag, one in zip(FINAL, numbers, strict=True)}


def settings_of(config: TrainConfig[Any]) -> dict[str, bool | float | str]:
    """Return the settings that define a run, including the agent's own, as hyperparameters: flat, no sequences."""
    return {name: _flat(value) for name, value in options_changing(config, "agent", "run").items()}


def hyperparameters(config: TrainConfig[Any], run: Path) -> list[Any]:
    """Return two summaries: the columns of the table, and the row of the run in folder ``run``.

    TensorBoard takes the columns from any one run, so they include the settings of all agents. The scores are found by
    their tags, under which the run writes ``final_metrics``.
    """
    from tensorboard.plugins.hparams import summary_v2

    row = f"{run.relative_to(config.runs_dir)} in {config.runs_dir}"  # unique: equal names would count as repetitions
    return [_columns(config), summary_v2.hparams_pb(settings_of(config), trial_id=row)]


def _columns(config: TrainConfig[Any]) -> Any:
    # The library's own function for this cannot select the columns shown, and its older one imports TensorFlow.
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    classes = (type(config.settings), *map(settings_type, PRESETS.values()))
    agent_fields = [field for one in classes for field in dataclasses.fields(one)]
    shown = {field.name for field in (*dataclasses.fields(TrainConfig), *agent_fields) if facts_of(field).in_table}
    names = dict.fromkeys([*settings_of(config), *(field.name for field in agent_fields)])
    infos = [api_pb2.HParamInfo(name=name, differs=name in shown) for name in names]  # False hides it
    scores = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=words) for tag, words in FINAL.items()]
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=scores)
    about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(experiment=experiment))
    return Summary(value=[Summary.Value(tag=metadata.EXPERIMENT_TAG, metadata=about, tensor=metadata.NULL_TENSOR)])


def _flat(value: Any) -> bool | float | str:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)

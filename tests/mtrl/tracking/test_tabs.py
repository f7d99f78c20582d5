"""TensorBoard's own tabs: the charts of a suite, and the table of hyperparameters that ends with the final scores."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata

from agents.registry.presets import PRESETS
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.scoring.scores import TaskScore
from mtrl.tracking.tabs import final_metrics, layout, settings_of
from tests.mtrl.conftest import metrics, read_json
from tests.mtrl.tracking.test_run_log import events_of

SAYS, SILENT = TaskScore(0.5, 0.5, 1.0, 2), TaskScore(math.nan, math.nan, 1.0, 2)


def content(run: Path, tag: str) -> bytes:
    return bytes(events_of(run).SummaryMetadata(tag).plugin_data.content)


@pytest.mark.parametrize(
    ("scores", "categories"),
    [
        ([SAYS, SAYS], ["s: success at any step", "s: each task", "s: workings"]),
        ([SILENT, SILENT], ["s: return", "s: each task", "s: workings"]),
        ([SAYS, SILENT], ["s: success at any step", "s: return", "s: each task", "s: workings"]),
    ],
)
def test_tasks_are_charted_by_success_and_those_that_do_not_say_it_by_return(
    scores: list[TaskScore], categories: list[str]
) -> None:
    charts = layout("s", dict(zip(("a", "b/c.d"), scores, strict=True)))
    assert list(charts) == categories
    shown = {True: "return", False: "success"}
    titles = [f"{name}: {shown[math.isnan(s.success_any)]}" for name, s in zip(("a", "b/c.d"), scores, strict=True)]
    assert list(charts["s: each task"]) == titles


def test_charts_of_groups_come_before_those_of_tasks_where_a_group_says_success() -> None:
    scores = {"a": SAYS, "b": SAYS, "c": SILENT}
    charts = layout("s", scores, {"open/wide": ["a", "b"], "shut": ["c"]})
    categories = [*charts]
    assert categories.index("s: each group of tasks") + 1 == categories.index("s: each task")
    ((title, (kind, (pattern,))),) = charts["s: each group of tasks"].items()
    assert (title, kind) == ("open/wide: mean success of 2 tasks", "Multiline")
    assert re.match(pattern, "eval/group_success/open-wide")


def test_a_tasks_chart_shows_its_own_tag_and_no_other() -> None:
    charts = layout("s", {"push": SAYS, "a.b/c": SILENT})["s: each task"]
    kinds, patterns = zip(*charts.values(), strict=True)
    assert kinds == ("Multiline", "Multiline")
    tags = [
        "eval/success_rate/push",
        "eval/success_rate/push-v2",
        "eval_detail/return/a.b-c",
        "eval_detail/return/axb-c",
    ]
    found = [[tag for tag in tags if re.match(pattern, tag)] for (pattern,) in patterns]
    assert found == [tags[:1], tags[2:3]]


@pytest.mark.parametrize("agent", ["care", "single-task"])
def test_every_chart_has_a_line_in_the_runs_and_all_runs_of_a_suite_say_the_same(finished: Path, agent: str) -> None:
    run = finished / "tabletop" / agent / "seed0"
    (event,) = events_of(run).Tensors("custom_scalars__config__")
    told = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    success, tasks, workings = told.category
    titles = ["tabletop: success at any step", "tabletop: each task", "tabletop: workings"]
    assert [c.title for c in told.category] == titles
    assert [chart.title for chart in tasks.chart] == ["reach: success", "push: success"]
    tags = {*events_of(run).Tags()["scalars"]}
    margins = [chart.margin.series[0] for chart in success.chart if chart.HasField("margin")]
    assert len(margins) == 2
    assert {tag for one in margins for tag in (one.value, one.lower, one.upper)} <= tags
    care = events_of(finished / "tabletop" / "care" / "seed0").Tags()["scalars"]
    for chart in (*success.chart, *workings.chart, *tasks.chart):
        for pattern in chart.multiline.tag:
            lines = [tag for tag in care if re.match(pattern, tag)]
            assert len(lines) == 1 or chart in workings.chart, chart.title
            assert lines, chart.title
    (other,) = events_of(finished / "tabletop" / "single-task" / "seed0").Tensors("custom_scalars__config__")
    assert event.tensor_proto == other.tensor_proto


def test_a_run_is_a_row_of_flat_settings_and_its_columns_are_those_of_all_agents(finished: Path) -> None:
    run = finished / "tabletop" / "single-task" / "seed0"
    row = metadata.parse_session_start_info_plugin_data(content(run, metadata.SESSION_START_INFO_TAG))
    assert row.group_name == f"tabletop/single-task/seed0 in {finished}"
    assert row.hparams["agent"].string_value == "single-task"
    assert row.hparams["steps_per_task"].number_value == 256
    assert row.hparams["layer_norm"].bool_value is True
    assert row.hparams["hidden"].string_value == "16"
    assert row.hparams["tasks"].string_value == "reach push"
    table = metadata.parse_experiment_plugin_data(content(run, metadata.EXPERIMENT_TAG))
    columns = {one.name for one in table.hparam_infos}
    assert {*row.hparams} < columns
    assert "encoders" in columns
    assert {one.name for one in table.hparam_infos if one.differs} == {
        *("suite", "agent", "seed", "steps_per_task", "hidden")
    }
    own = {tag for _, tag, _ in metrics(run)}
    assert {one.name.tag for one in table.metric_infos} <= own


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_settings_are_what_tensorboard_takes(agent: str) -> None:
    config: TrainConfig[Any] = default_config("tabletop", agent)
    told = settings_of(config)
    assert {type(value) for value in told.values()} <= {bool, int, float, str}
    assert "runs_dir" not in told
    assert told["learning_rate"] == config.settings.learning_rate


def test_a_run_ends_with_its_final_scores_in_the_log_once_and_makes_no_other_run(finished: Path) -> None:
    run = finished / "tabletop" / "care" / "seed0"
    result = read_json(run / "result.json")
    final = {tag: (step, value) for step, tag, value in metrics(run) if tag.startswith("final/")}
    assert final["final/success_rate"] == (256, result["mean"]["success_any"])
    assert final["final/return"] == (256, pytest.approx(result["mean"]["return"], rel=1e-6))
    worst = min(task["success_any"] for task in result["tasks"].values())
    assert final["final/success_worst"] == (256, worst)
    assert [event.step for event in events_of(run).Scalars("final/success_rate")] == [256]
    assert len([*run.rglob("events.out.tfevents*")]) == 1
    assert [path for path in run.iterdir() if path.is_dir()] == []


def test_the_worst_task_is_the_worst_of_those_that_say_success() -> None:
    tasks = {name: {"success_any": rate} for name, rate in (("a", 0.75), ("b", 0.25), ("c", None))}
    mean = {"success_any": 0.5, "success_last": 0.4, "return": 3.0}
    told = final_metrics({"mean": mean, "tasks": tasks, "wall_seconds": 12.5})
    assert list(told.values()) == [0.5, 0.4, 0.25, 3.0, 12.5]
    silent = {"success_any": None, "success_last": None, "return": 3.0}
    told = final_metrics({"mean": silent, "tasks": {"c": {"success_any": None}}, "wall_seconds": 1})
    assert [tag for tag, value in told.items() if not math.isnan(value)] == ["final/return", "final/wall_seconds"]

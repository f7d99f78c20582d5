"""Agents and pieces from outside, and pieces combined, go through every command."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import mtrl
from mtrl import check, compare, evaluate, report, sweep, train
from mtrl import list as list_command
from mtrl.config import TrainConfig
from mtrl.config.arguments import parse_config
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run
from tests.mtrl.conftest import read_json, same_weights, tiny

METHOD = """
from dataclasses import dataclass
from mtrl import PieceShape, Spec, preset

@dataclass(frozen=True)
class Settings:
    boost: float = 1.0
    \"\"\"Times each task's loss.\"\"\"

class Boosted:
    def __init__(self, shape):
        self.boost = shape.settings.boost
    def __call__(self, losses, parameters):
        (self.boost * losses.mean()).backward(inputs=list(parameters.all))

def reads(losses, parameters):
    losses.mean().item()
    losses.mean().backward(inputs=list(parameters.all))

boosted = Spec("aggregator", "boosted", "losses times a number", Boosted, Settings)
mine = preset("FiLM with boosted losses", encoder="film", aggregator="my_method:boosted")
slow = preset("waits for the device", aggregator="my_method:reads", encoder="one-hot")
"""
AGGREGATOR = """
import mtrl

def normalised(losses, parameters):
    \"\"\"The sum of the tasks' gradients, each of length 1.\"\"\"
    if parameters.shared:
        gradients = mtrl.task_gradients(losses, parameters.shared)
        mtrl.set_gradient((gradients / gradients.norm(dim=1, keepdim=True)).sum(dim=0), parameters.shared)
    if parameters.own:
        losses.sum().backward(inputs=list(parameters.own))

mine = mtrl.preset("heads, normalised gradients", trunk="multi-head", aggregator="my_aggregator:normalised")
"""
SAMPLER = """
import torch

heard = []

class Second:
    def __init__(self, shape):
        self.task = torch.tensor([1, 1], device=shape.device)

    def draw(self, rows_per_task):
        return self.task, rows_per_task // 2

    def observe_losses(self, losses):
        heard.append(("losses", losses.tolist()))

    def observe_scores(self, scores):
        heard.append(("scores", scores.tolist()))

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
"""
ALONE = ("--baseline", "none")


def test_an_outside_agent_is_trained_evaluated_compared_and_reported(
    plug_in: Callable[..., str], call: Any, refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(METHOD, "my_method")
    runs = tmp_path / "runs"
    assert train.main(tiny(runs, "--agent", "my_method:mine", "--boost", "2", *ALONE)) == 0
    assert train.main(tiny(runs, "--agent", "care", *ALONE)) == 0
    path = runs / "tabletop" / "my_method_mine" / "seed0"
    config, _ = read_run(path)
    assert (config.agent, config.settings.aggregator, config.settings.boost) == (
        "my_method:mine",
        "my_method:boosted",
        2.0,
    )
    assert "which would be imported" in refused(evaluate.main, path)
    assert evaluate.main([str(path), "--episodes", "1", "--trust"]) == 0
    plan = call(sweep.main, "--agents", "my_method:mine", "--seeds", "0-1", "--runs-dir", runs, "--dry-run")
    assert plan.code == 0
    assert "my_method:mine" in plan.out

    monkeypatch.delitem(sys.modules, "my_method")
    (tmp_path / "my_method.py").unlink()  # results are read without the method's module
    said = call(compare.main, runs / "tabletop")
    assert said.code == 0
    assert "my_method:mine" in said.out
    assert report.main([str(runs / "tabletop"), "--out", str(tmp_path / "page.html")]) == 0
    assert "my_method:mine" in (tmp_path / "page.html").read_text()
    assert "no module named 'my_method'" in refused(evaluate.main, path, "--trust")


def test_pieces_are_combined_on_the_command_line_and_named_in_the_runs_file(call: Any, tmp_path: Path) -> None:
    pieces = ("--trunk", "multi-head", "--aggregator", "pcgrad", "--penalty", "l2", "--penalty-weight", "0.1")
    assert train.main(tiny(tmp_path, "--agent", "care", *pieces, *ALONE)) == 0
    assert train.main(tiny(tmp_path, "--agent", "care", *ALONE)) == 0
    path = tmp_path / "tabletop" / "care"
    settings = read_json(path / "seed0" / "config.json")["settings"]
    assert {key: settings[key] for key in ("encoder", "trunk", "aggregator", "sampler", "penalty", "critic")} == {
        "encoder": "care",
        "trunk": "multi-head",
        "aggregator": "pcgrad",
        "sampler": "uniform",
        "penalty": "l2",
        "critic": "scalar",
    }
    assert evaluate.main([str(path / "seed0"), "--episodes", "1"]) == 0
    assert call(compare.main, tmp_path / "tabletop").code == 0
    labels = {one["label"] for one in read_json(path / "compare.json")["agents"]}
    plain, combined = sorted(labels, key=len)
    assert plain == "care"
    assert combined == "care (trunk=multi-head, aggregator=pcgrad, penalty=l2, penalty_weight=0.1)"


def test_naming_an_agents_own_pieces_changes_no_number(tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path / "one", "--agent", "mtmhsac", *ALONE)) == 0
    assert (
        train.main(tiny(tmp_path / "two", "--agent", "mtsac", "--encoder", "none", "--trunk", "multi-head", *ALONE))
        == 0
    )
    one, two = tmp_path / "one" / "tabletop" / "mtmhsac", tmp_path / "two" / "tabletop" / "mtsac"
    assert same_weights(one / "seed0", two / "seed0")


def test_a_file_without_pieces_is_read_as_what_it_was() -> None:
    values = parse_config(["--agent", "care"]).to_json()
    for slot in ("encoder", "trunk", "aggregator", "sampler", "penalty"):
        del values["settings"][slot]
    assert TrainConfig.from_json(values) == parse_config(["--agent", "care"])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--agent", "care", "--trunk", "separate"), "shares nothing between tasks"),
        (("--agent", "mtsac", "--trunk", "multihead"), "Did you mean 'multi-head'?"),
        (("--agent", "sb3", "--encoder", "film"), "has no --encoder"),
        (("--agent", "my_methd:mine"), "no module named 'my_methd'"),
        (("--agent", "mtsac", "--film-size", "3"), "--film-size"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(refused: Any, flags: tuple[str, ...], words: str) -> None:
    assert words in refused(train.main, *flags)


def test_a_chosen_pieces_settings_are_in_the_help(
    plug_in: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in(METHOD, "my_method")
    for flags, wanted in (
        (("--agent", "mtsac"), set()),
        (("--agent", "mtsac", "--encoder", "film"), {"--film-size"}),
        (("--agent", "mtsac", "--aggregator", "my_method:boosted"), {"--boost"}),
        (("--agent=my_method:mine",), {"--film-size", "--boost"}),
    ):
        with pytest.raises(SystemExit):
            train.main([*flags, "--help"])
        out = capsys.readouterr().out
        assert {flag for flag in ("--film-size", "--boost", "--encoder-size") if flag in out} == wanted
        assert ("Times each task's loss." in out) == ("--boost" in wanted)


def test_check_tells_a_sound_agent_from_one_that_waits_for_the_device(plug_in: Callable[..., str], call: Any) -> None:
    plug_in(METHOD, "my_method")
    assert "no problems found" in call(check.main, "--agent", "my_method:mine").out
    said = call(check.main, "--agent", "my_method:slow")
    assert said.code == 2
    assert "the update synchronises with the device: _local_scalar_dense" in said.out


def test_list_tells_what_there_is_to_a_program(plug_in: Callable[..., str], call: Any) -> None:
    plug_in(METHOD, "my_method")
    told = json.loads(call(list_command.main, "--json", "--suite", "tabletop").out)
    assert [suite["name"] for suite in told["suites"]] == ["tabletop"]
    assert {agent["name"] for agent in told["agents"]} >= {"care", "mtsac", "mtmhsac", "single-task", "sb3"}
    assert {piece["kind"] for piece in told["pieces"]} == {
        *("encoder", "trunk", "aggregator", "sampler", "penalty", "head")
    }
    for entry in (*told["suites"], *told["agents"], *told["pieces"]):
        assert entry["description"]
        assert entry["source"] == "built in"
    (mine,) = json.loads(call(list_command.main, "--json", "--agent", "my_method:mine").out)["agents"]
    assert mine["source"] == "my_method:mine"
    assert (mine["pieces"]["encoder"], mine["pieces"]["aggregator"]) == ("film", "my_method:boosted")


def test_a_sampler_of_ones_own_chooses_the_tasks_and_hears_of_losses_and_scores(
    plug_in: Callable[..., str], tmp_path: Path
) -> None:
    """It leaves the first of two tasks out; losses come after every update, scores after every evaluation."""
    plug_in(SAMPLER, "my_sampler")
    assert train.main(tiny(tmp_path, "--agent", "mtsac", "--sampler", "my_sampler:Second", *ALONE)) == 0
    heard = sys.modules["my_sampler"].heard
    losses = [numbers for kind, numbers in heard if kind == "losses"]
    assert all(first == 0.0 and second > 0.0 for first, second in losses)  # nothing was ever said of the first task
    assert [len(numbers) for kind, numbers in heard if kind == "scores"] == [2, 2]


def test_an_aggregator_of_ones_own_needs_nothing_but_mtrl(
    plug_in: Callable[..., str], call: Any, tmp_path: Path
) -> None:
    """By hand: gradients (3, 4) and (0, -2) become (0.6, 0.8) and (0, -1), so their sum is (0.6, -0.2)."""
    plug_in(AGGREGATOR, "my_aggregator")
    normalised = importlib.import_module("my_aggregator").normalised
    weight = torch.nn.Parameter(torch.zeros(2))
    losses = torch.tensor([[3.0, 4.0], [0.0, -2.0]]) @ weight
    normalised(losses, mtrl.Parameters((weight,), (), "critic", torch.Generator()))
    assert weight.grad is not None
    assert weight.grad.tolist() == pytest.approx([0.6, -0.2])
    # Heads: parameters that tasks share, and parameters of each task's own.
    assert "no problems found" in call(check.main, "--agent", "my_aggregator:mine").out
    assert train.main(tiny(tmp_path, "--agent", "my_aggregator:mine", *ALONE)) == 0
    result = read_json(tmp_path / "tabletop" / "my_aggregator_mine" / "seed0" / "result.json")
    assert result["updates"] == 16


def test_a_name_that_leads_out_of_the_runs_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown agent"):
        parse_config(["--agent", "../../elsewhere"])

"""Defaults, baselines and help follow one table."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import subprocess
import sys

import pytest

from agents.presets import PRESETS
from mtrl import train
from mtrl.config import TrainConfig
from mtrl.defaults import TABLE, baseline_config, default_config
from mtrl.train import parse_config


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_a_configuration_survives_json(agent: str) -> None:
    config = dataclasses.replace(default_config("tabletop", agent), tasks=("push", "reach"))
    assert TrainConfig.from_json(config.to_json()) == config


def test_defaults_follow_suite_and_agent() -> None:
    (fields,) = [fields for suite, agent, fields in TABLE if (suite, agent) == ("tabletop", "*")]
    ours, other = default_config("tabletop", "care"), default_config("my_module:suite", "care")
    assert ours.steps_per_task == fields["steps_per_task"] != other.steps_per_task
    assert ours.settings.hidden == fields["hidden"] != other.settings.hidden
    assert other.settings == PRESETS["care"].settings()


@pytest.mark.parametrize("baseline", ["single-task", "sb3"])
def test_a_baseline_has_the_same_budget_and_the_same_shared_settings(baseline: str) -> None:
    config = parse_config(
        f"--hidden 32 16 --discount 0.9 --encoders 7 --steps-per-task 55 --seed 4 --baseline {baseline}".split()
    )
    other = baseline_config(config)
    assert (other.agent, other.baseline) == (baseline, "none")
    assert (other.settings.hidden, other.settings.discount) == ((32, 16), 0.9)
    assert not hasattr(other.settings, "encoders")
    for field in ("steps_per_task", "seed", "batch_per_task", "envs_per_task", "eval_every", "suite", "tasks"):
        assert getattr(other, field) == getattr(config, field)


def help_of(*arguments: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as end:
        train.main([*arguments, "--help"])
    assert end.value.code in (0, None)
    return said.getvalue()


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_help_lists_every_field_of_the_run_and_of_the_agent(agent: str) -> None:
    said = help_of("--agent", agent)
    own = dataclasses.fields(PRESETS[agent].settings)
    for field in (*dataclasses.fields(TrainConfig), *own):
        if field.name != "settings":
            assert f"--{field.name.replace('_', '-')}" in said
    assert ("--encoders" in said) == (agent == "care")
    assert "(default: 80000)" in said
    assert "(default: 80000)" not in help_of("--agent", agent, "--suite", "my_module:suite")


@pytest.mark.parametrize("module", ["mtrl.train --help", "mtrl.list", "mtrl.evaluate --help", "mtrl.bench --help"])
def test_help_and_list_do_without_torch(module: str) -> None:
    """Torch takes a second to import; half a second is what help may take."""
    name, *arguments = module.split()
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{name}', *{arguments!r}]\n"
        "try:\n"
        f"    runpy.run_module('{name}', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'torch', 'stable_baselines3', 'tensorboard', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr

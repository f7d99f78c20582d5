"""Help is quick, complete, and shows the defaults of the agent and suite that are asked for."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import Any

import pytest

from agents.registry.presets import PRESETS
from mtrl import bench, check, compare, evaluate, export, play, report, sweep, train
from mtrl import list as list_command
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config

LOOK = """
import runpy, sys
sys.argv = [sys.argv[1], *sys.argv[2:]]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end.code
heavy = {"torch", "stable_baselines3", "tensorboard", "matplotlib", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """``shown(main, "--flag")``: the help of a command, in one column."""
    monkeypatch.setenv("COLUMNS", "120")  # one column

    def run(main: Any, *arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--help"])
        assert end.value.code in (0, None)
        return capsys.readouterr().out

    return run


def entries(text: str) -> dict[str, str]:
    """Flag -> what help says of it, its lines joined."""
    lines = [re.sub(r"^[│|]\s?|\s*[│|]$", "", line).rstrip() for line in text.splitlines()]
    found: dict[str, str] = {}
    flag = None
    for line in lines:
        start = re.match(
            r"\s*(?:-\w, )?(?:--[a-z-]+ [^,]*, )?--([a-z][a-z-]*)(?:, --no-[a-z-]+)?"
            r"(?: \{[^}]*\}| \[?[A-Z][^ ]*\]*(?: \[[^ ]*\]+)*)?(.*)",
            line,
        )
        if start:
            flag, text = start.group(1), start.group(2)
            found[flag] = text.strip()
        elif flag and re.match(r"\s{8,}\S", line):
            found[flag] = f"{found[flag]} {line.strip()}".strip()
        else:
            flag = None
    return found


def value_as_shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["mtrl.train", "--help"],
        ["mtrl.train", "--agent", "sb3", "--help"],
        ["mtrl.list"],
        ["mtrl.evaluate", "--help"],
        ["mtrl.compare", "--help"],
        ["mtrl.report", "--help"],
        ["mtrl.sweep", "--help"],
        ["mtrl.play", "--help"],
        ["mtrl.export", "--help"],
    ],
    ids=" ".join,
)
def test_help_and_list_do_without_torch(arguments: list[str]) -> None:
    said = subprocess.run([sys.executable, "-c", LOOK, *arguments], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert len(said.stdout.splitlines()) > 5


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_every_setting_of_the_run_and_of_the_agent_is_there_with_words_and_its_default(shown: Any, agent: str) -> None:
    told = entries(shown(train.main, "--agent", agent))
    config = default_config(TrainConfig.suite, agent)
    loop = {f.name: getattr(config, f.name) for f in dataclasses.fields(TrainConfig) if f.name != "settings"}
    for name, value in {**loop, **dataclasses.asdict(config.settings)}.items():
        text = told[name.replace("_", "-")]
        words, _, default = text.partition("(default:")
        assert len(words.split()) >= 2, (name, text)
        assert default.strip(" )") == value_as_shown(value), (name, text)
    assert ("encoders" in told) == (agent in ("care", "care-brc"))
    assert ("layer-norm" in told) == (agent != "sb3")


def test_the_defaults_shown_follow_the_suite(shown: Any) -> None:
    own, other = (entries(shown(train.main, "--suite", suite)) for suite in ("tabletop", "my_module:suite"))
    plain = TrainConfig()
    assert f"(default: {plain.steps_per_task})" in other["steps-per-task"]
    assert own["steps-per-task"] != other["steps-per-task"]
    assert "(default: my_module:suite)" in other["suite"]


def test_help_says_whose_flags_these_are(shown: Any) -> None:
    assert f"--agent mtsac: {PRESETS['mtsac'].description}" in " ".join(shown(train.main, "--agent=mtsac").split())


@pytest.mark.parametrize("module", [evaluate, export, check, list_command, bench, compare, report, sweep, play])
def test_every_flag_of_the_other_commands_has_words(shown: Any, module: Any) -> None:
    told = entries(shown(module.main))
    (kind,) = [value for name, value in vars(module).items() if name.endswith("Config") and isinstance(value, type)][
        -1:
    ]
    flags = {f.name for f in dataclasses.fields(kind) if "Positional" not in str(f.type)}
    assert flags <= {name.replace("-", "_") for name in told}
    assert [name for name in flags if len(told[name.replace("_", "-")].split("(default")[0].split()) < 2] == []


def test_list_shows_every_task_with_its_sentence_and_every_agent_with_its_description(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from envs.tabletop import suite

    assert list_command.main([]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for task in suite.tasks:
        assert f"{task.name} {task.description}" in lines
    for name, preset in PRESETS.items():
        assert f"{name} {preset.description}" in lines


def test_a_suite_asked_for_alone_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_command.main(["--suite", "metaworld/ML45"]) == 0
    alone = capsys.readouterr().out
    assert "suite metaworld/ML45: 45 tasks, 5 held out" in alone
    assert "Swing the door shut.\n" in alone
    assert "Turn the lock of the door until it is locked.  (held out)" in alone
    assert list_command.main([]) == 0
    among = capsys.readouterr().out
    assert "suite metaworld/ML45: 45 tasks, 5 held out (python -m mtrl.list --suite metaworld/ML45)" in among
    assert "suite metaworld/MT1: 1 task\n" in among

"""Files that cannot be meant: suites and agents of one's own, and runs' folders that somebody damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtrl.config.defaults import default_config
from tests.mtrl.made_runs import result_of

TASK = 'name = "s"\n[[task]]\nname = "a"\nid = "Pendulum-v1"\n'
TOMLS: dict[str, str] = {
    "empty": "",
    "cut": 'name = "s',
    "nested": "name = " + "[" * 20_000,
    "control": 'name = "s\0"',
    "number": "name = 3",
    "no_tasks": 'name = "s"\ntask = []',
    "no_table": 'name = "s"\ntask = [3]',
    "unknown_key": f"{TASK}max_steps = 3",
    "endless": f"{TASK}max_episode_steps = {10**20}",
    "no_steps": f"{TASK}max_episode_steps = 0",
    "bool_steps": f"{TASK}max_episode_steps = true",
    "nan_success": f"{TASK}success = {{ return_at_least = nan }}",
    "two_successes": f'{TASK}success = {{ return_at_least = 1, info_key = "x" }}',
    "render_mode": f'{TASK}kwargs = {{ render_mode = "telepathy" }}',
    "kwargs": f"{TASK}kwargs = {{ wings = 2 }}",
    "id_again": f'{TASK}kwargs = {{ id = "x" }}',
    "unknown_id": TASK.replace("Pendulum", "Pendulm"),
    "newline": TASK.replace('name = "a"', 'name = "a\\nb"'),
    "escape": TASK.replace('name = "a"', 'name = "a\\u001b[31mb"'),
    "same_curve": TASK.replace('"a"', '"a/b"') + TASK.partition("\n")[2].replace('"a"', '"a-b"'),
    "silent": f'{TASK}description = ""',
    "exits": TASK.replace("Pendulum-v1", "exits:Pendulum-v1"),
}
MAKE = """
from functools import partial
import gymnasium as gym
from mtrl import *
make = partial(gym.make, 'Pendulum-v1')
"""
MODULES: dict[str, str] = {
    "exits": "raise SystemExit(9)",
    "exits_in_words": "raise SystemExit('bye')",
    "no_syntax": "suite = (",
    "raises": "raise RuntimeError('the licence\\nhas run out')",
    "raises_much": "raise RuntimeError('x' * 10_000)",
    "recursive": "def f():\n    f()\nf()",
    "a_number": "suite = mine = 3",
    "nothing": "",
    "called": "def suite():\n    raise SystemExit(9)\nmine = suite",
    "no_task": f"{MAKE}suite = TaskSuite('s', [])",
    "no_name": f"{MAKE}suite = TaskSuite('', [Task('a', make, 'Do.')])",
    "newline": f"{MAKE}suite = TaskSuite('s', [Task('a\\nb', make, 'Do.')])",
    "surrogate": f"{MAKE}suite = TaskSuite('s', [Task('a\\ud800', make, 'Do.')])",
    "same_curve": f"{MAKE}suite = TaskSuite('s', [Task('a/b', make, 'Do.'), Task('a-b', make, 'Do.')])",
    "no_steps": f"{MAKE}suite = TaskSuite('s', [Task('a', make, 'Do.', max_episode_steps=0)])",
    "makes_none": f"{MAKE}suite = TaskSuite('s', [Task('a', lambda: None, 'Do.')])",
    "makes_exit": f"{MAKE}suite = TaskSuite('s', [Task('a', exit, 'Do.')])",
    "discrete": f"{MAKE}suite = TaskSuite('s', [Task('a', partial(gym.make, 'CartPole-v1'), 'Do.')])",
}
# What replaces a value of config.json, of its settings, or of result.json.
CONFIG: tuple[dict[str, Any], ...] = (
    *({"seed": value} for value in (10**40, -1, True, None, 1.5, "0", [0], "9" * 4000)),
    *({"tasks": value} for value in ([1], "reach", ["reach", "reach"], ["a\x1b[1m"], {"reach": 1})),
    *({"suite": value} for value in (3, "", "a\0", "a\nb", None)),
    *({"agent": value} for value in (3, [], None, "", "dqn", "a\x1b[1m")),
    *({"device": value} for value in ("a\0", "\ud800", 3)),
    *({"runs_dir": value} for value in (3, "a\0", None)),
    *({"env_timeout": value} for value in (-1, 1e300, "long")),
    *({name: -1} for name in ("threads", "workers", "jobs", "eval_every", "log_every", "record_every")),
    *({"recipe": value} for value in ("nothing", 3)),
    {"baseline": "ppo"},
    {"track": ["wandb"]},
    {"keep_checkpoint": 1},
    {"steps_per_task": 10**30},
    {"batch_per_task": 10**15},
    {"settings": None},
    {"settings": [1]},
    *({name: [1]} for name in ("versions", "git", "task_sentences", "dropped_settings")),
    {"git": {"commit": 3}},
)
SETTINGS: tuple[dict[str, Any], ...] = (
    *({"hidden": value} for value in ([-3], [], 3, ["a"], [[1]], [10**9], None)),
    *({"network": value} for value in ("foo", 3)),
    *({"initial_temperature": value} for value in (-1, 0, "hot")),
    *({"encoder": value} for value in (None, {}, ["care"], "nothing")),
    {"colour": 1},
    {"__class__": 1},
    {"discount": 2},
    {"detach_context": "yes"},
    {"encoders": 10**9},
)
RESULT: tuple[dict[str, Any], ...] = (
    *({"protocol": value} for value in ([], "x", {"versions": [1]})),
    *({"tasks": value} for value in ([], {}, {"reach": 1}, {"a\x1b[1m": {}}, {"reach": {"return": "much"}})),
    *({name: None} for name in ("seed", "env_steps", "updates", "wall_seconds", "parameters", "suite", "agent")),
    {"seed": True},
    {"parameters": float("nan")},
)
TEXTS = ("", "{", "[]", "null", "[" * 100_000, '{"a":' * 100_000, '{"seed": ' + "9" * 5_000 + "}", "\xff", "NaN")


def make_files(folder: Path) -> None:
    """Make what ``bad_words`` and ``bad_files`` name: suites, modules, and runs."""
    (folder / "file").write_text("a file")
    (folder / "empty").mkdir()
    for name, text in TOMLS.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    os.mkfifo(folder / "pipe.toml")
    _run(folder / "run")


def bad_files(folder: Path) -> Iterator[tuple[str, ...]]:
    """Make damaged runs, and yield the commands that are to refuse them and what ``make_files`` made."""
    yield from (("list", "--suite", f"{name}.toml") for name in (*TOMLS, "pipe") if name != "kwargs")
    yield ("train", "--suite", "kwargs.toml")
    yield from (("train", "--suite", f"{name}:suite") for name in MODULES)
    yield from (("train", "--agent", f"{name}:mine") for name in [*MODULES][:9])
    ways = (("evaluate",), ("train", "--config"), ("train", "--resume"), ("compare",))
    for number, (config, result) in enumerate(_damaged()):
        path = folder / f"damaged{number}"
        _run(path, config, result)
        yield (*(("compare",) if config is None else ways[number % len(ways)]), path.name)
    for name in ("config.json", "result.json", "metrics.csv"):
        path = folder / f"pipe-{name}"
        _run(path)
        (path / name).unlink()
        os.mkfifo(path / name)
        yield ("compare", path.name)


def _damaged() -> Iterator[tuple[str | None, str | None]]:
    """Yield what stands in a damaged config.json or result.json, None in the place of the one that is whole."""
    told = default_config("tabletop", "care").to_json()
    yield from ((json.dumps({**told, **change}), None) for change in CONFIG)
    yield from ((json.dumps({**told, "settings": {**told["settings"], **change}}), None) for change in SETTINGS)
    yield from ((text, None) for text in TEXTS)
    result = result_of({"reach": 0.5}, suite="tabletop", agent="care", seed=0)
    yield from ((None, json.dumps({**result, **change})) for change in RESULT)
    yield from ((None, text) for text in TEXTS)


def _run(path: Path, config: str | None = None, result: str | None = None) -> None:
    """Write the folder of a finished run whose weights are none."""
    path.mkdir()
    whole = result_of({"reach": 0.5}, suite="tabletop", agent="care", seed=0)
    texts = {
        "config.json": json.dumps(default_config("tabletop", "care").to_json()) if config is None else config,
        "result.json": json.dumps(whole) if result is None else result,
        "metrics.csv": "step,seconds,tag,value\n1000,1.00,eval/success_rate/reach,0.5\n",
        "weights.safetensors": "none",
    }
    for name, text in texts.items():
        (path / name).write_text(text, encoding="latin-1")

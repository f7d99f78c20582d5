"""What a suite may be, and how suites are found."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from envs.errors import SuiteError
from envs.registry import BUILT_IN, make_suite
from envs.suite import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted

MAKE = partial(Scripted, [CALM])


@pytest.mark.parametrize(
    ("name", "tasks", "message"),
    [
        ("s", [], "has no task"),
        ("", [Task("a", MAKE, "Do a.")], "suite's name is ''"),
        ("s", [Task("a", MAKE, "Do a."), Task("a", MAKE, "Do b.")], "two tasks named 'a'"),
        ("s", [Task(" ", MAKE, "Do a.")], "task 0 has the name ' '"),
        ("s", [Task(3, MAKE, "Do a.")], "has the name 3"),  # type: ignore[arg-type]
        ("s", [Task("held-out", MAKE, "Do a.")], "has the name 'held-out', which stands for several tasks"),
        ("s", [Task("paraphrased", MAKE, "Do a.")], "has the name 'paraphrased', which stands for several tasks"),
        ("s", [Task("a", MAKE, "")], r"\('a'\) has no description"),
        ("s", ["a"], "task 0 is 'a', not a Task"),
        ("a\nb", [Task("a", MAKE, "Do a.")], r"the suite's name is 'a\\nb', with the character '\\n'"),
        ("s", [Task("a\nb", MAKE, "Do a.")], r"task 0 has the name 'a\\nb', with the character '\\n'"),
        ("s", [Task("a\x1b[1m", MAKE, "Do a.")], r"with the character '\\x1b', which cannot be shown"),
        ("s", [Task("a\ud800", MAKE, "Do a.")], r"with the character '\\ud800'"),
        ("s", [Task("a/b", MAKE, "Do a."), Task("a-b", MAKE, "Do b.")], "'a/b' and 'a-b', whose curves would have"),
        ("s", [Task("a", MAKE, "Do a.", max_episode_steps=0)], r"\('a'\) has max_episode_steps 0"),
        ("s", [Task("a", MAKE, "Do a.", max_episode_steps=2.5)], r"max_episode_steps 2.5"),  # type: ignore[arg-type]
        ("s", [Task("a", MAKE, "Do a.", starts=-1)], r"\('a'\) has starts -1; give a whole number from 0 to 1000000"),
        ("s", [Task("a", MAKE, "Do a.", starts=10**12)], r"has starts 1000000000000"),
    ],
)
def test_a_bad_suite_is_refused_in_words(name: str, tasks: list[Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        TaskSuite(name, tasks)


def test_only_keeps_the_suites_order_and_knows_its_tasks() -> None:
    suite = TaskSuite("s", [Task(name, MAKE, f"Do {name}.") for name in ("push", "pull", "lift")])
    assert suite.only(["lift", "push"]).task_names == ("push", "lift")
    with pytest.raises(SuiteError, match=r"unknown task 'pusch'.*push, pull, lift.*Did you mean 'push'"):
        suite.only(["pusch"])


def test_an_unknown_suite_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SuiteError, match=r"unknown suite 'tabeltop'.*Did you mean 'tabletop'"):
        make_suite("tabeltop")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_suites_are_found(name: str) -> None:
    expected = {"metaworld/MT1": "metaworld/MT1-reach-v3"}  # the default task is in its name
    assert make_suite(name).name == expected.get(name, name)


def test_a_tasks_group_is_a_name_that_can_be_shown() -> None:
    task = Task("a", MAKE, "Do a.", group="doing")
    assert TaskSuite("s", [task]).tasks[0].group == "doing"
    for wrong in ("a\nb", 3):
        with pytest.raises(SuiteError, match=r"task 0 \('a'\) has the group .*give it a printable name, or none"):
            TaskSuite("s", [replace(task, group=wrong)])


MODULE = """
from functools import partial
from envs.suite import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted
suite = TaskSuite("mine", [Task("a", partial(Scripted, [CALM]), "Do a.")])
def make(): return suite
def fails(): raise RuntimeError("no luck")
def twice(): return TaskSuite("mine", [*suite.tasks, *suite.tasks])
number = 3
"""


@pytest.mark.parametrize("attribute", ["suite", "make"])
def test_a_module_gives_a_suite_or_a_function_that_returns_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str
) -> None:
    (tmp_path / f"plug_{attribute}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert make_suite(f"plug_{attribute}:{attribute}").name == "mine"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("plug_bad:suit", "has no 'suit'. Did you mean 'suite'"),
        ("plug_bad:fails", "calling it failed: RuntimeError: no luck"),
        ("plug_bad:twice", "two tasks named 'a'"),
        ("plug_bad:number", "is a int, not a TaskSuite"),
        ("plug_missing:suite", "no module named 'plug_missing'"),
        ("plug_broken:suite", "importing 'plug_broken' failed: ZeroDivisionError"),
        ("plug_syntax:suite", "importing 'plug_syntax' failed: SyntaxError"),
        ("plug_bad:", "not of the form module:attribute"),
        (":suite", "not of the form module:attribute"),
    ],
)
def test_a_bad_plug_in_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    (tmp_path / "plug_bad.py").write_text(MODULE)
    (tmp_path / "plug_broken.py").write_text("1 / 0")
    (tmp_path / "plug_syntax.py").write_text("def suite(:")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SuiteError, match=message) as caught:
        make_suite(path)
    assert "\n" not in str(caught.value)

"""The examples in the docstrings of the Python interface run as they stand there."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

import mtrl
from tests.mtrl.api.test_learn import TINY

FUNCTIONS = [
    mtrl.load,
    mtrl.score,
    mtrl.learn,
    mtrl.every,
    mtrl.make_suite,
    mtrl.check_suite,
    mtrl.check_agent,
    mtrl.Policy.predict,
    mtrl.Policy.on,
]
CLASSES = [
    mtrl.Task,
    mtrl.TaskSuite,
    mtrl.MultiTaskVectorEnv,
    mtrl.Batch,
    mtrl.Encoder,
    mtrl.EncoderShape,
    mtrl.Trunk,
    mtrl.TrunkShape,
    mtrl.Parameters,
    mtrl.PieceShape,
    mtrl.Spec,
    mtrl.AgentSpec,
    mtrl.Policy,
    mtrl.Result,
    mtrl.TrainingStatus,
    mtrl.TaskScore,
]
# Functions that raise nothing of their own.
PLAIN = [mtrl.preset, mtrl.setting, mtrl.task_gradients, mtrl.set_gradient]
ERRORS = {"SuiteError", "TaskFailed", "UsageError"}


def small(*arguments: Any, **settings: Any) -> mtrl.Result:
    """``mtrl.learn``, cut short."""
    return mtrl.learn(*arguments, **{**settings, **TINY})


def names(finished: Path) -> dict[str, Any]:
    """What the examples may speak of: the modules, and a policy with an observation of its push."""
    env = gymnasium.make("mtrl/TabletopPush-v0")
    kit = SimpleNamespace(**{name: getattr(mtrl, name) for name in mtrl.__all__})
    kit.learn = small
    return {
        "mtrl": kit,
        "np": np,
        "torch": torch,
        "gymnasium": gymnasium,
        "policy": mtrl.load(finished / "tabletop" / "care" / "seed0"),
        "obs": env.reset(seed=0)[0],
        "env": env,
    }


@pytest.mark.parametrize("documented", [*FUNCTIONS, *CLASSES, *PLAIN], ids=lambda one: one.__qualname__)
def test_an_example_runs(
    documented: Any, finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("examples"))
    if "runs/tabletop" in documented.__doc__:
        Path("runs").symlink_to(finished)  # no example that trains is one of these
    (test, *_) = doctest.DocTestFinder(recurse=False).find(documented, globs=names(finished))
    assert test.examples
    said: list[str] = []
    assert doctest.DocTestRunner().run(test, out=said.append).failed == 0, "".join(said)


@pytest.mark.parametrize("documented", FUNCTIONS, ids=lambda one: one.__qualname__)
def test_a_function_documents_what_it_takes_returns_and_raises(documented: Any) -> None:
    text = documented.__doc__
    assert [section for section in ("Args:", "Returns:", "Raises:", "Example:") if section not in text] == []


@pytest.mark.parametrize("documented", [*FUNCTIONS, *CLASSES, *PLAIN], ids=lambda one: one.__qualname__)
def test_every_parameter_is_documented_by_its_name(documented: Any) -> None:
    assert parameters(documented) - documented_names(documented.__doc__) == set()


def test_everything_that_is_exported_is_documented_with_an_example() -> None:
    documented = {one.__name__ for one in (*FUNCTIONS, *CLASSES, *PLAIN)}
    assert documented >= {*mtrl.__all__} - ERRORS - {"__version__"}


def parameters(documented: Any) -> set[str]:
    """The names of the parameters that a function, or the construction of a class by users, takes."""
    if documented is mtrl.Policy:  # made by mtrl.load alone
        return set()
    names = {*inspect.signature(documented).parameters} - {"self", "args", "kwargs"}
    return names - {*inspect.signature(mtrl.Spec).parameters} if documented is mtrl.AgentSpec else names


def documented_names(text: str) -> set[str]:
    """The names under ``Args:``, or under ``Attributes:``, as a named tuple has them."""
    rest = re.split(r"(?:Args|Attributes):\n", text, maxsplit=1)[-1]
    return {*re.findall(r"^ +\*{0,2}(\w+): ", rest, flags=re.MULTILINE)}

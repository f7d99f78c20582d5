"""The examples in the docstrings of the Python interface run as they stand there."""

from __future__ import annotations

import doctest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

import mtrl
from tests.mtrl.api.test_learn import TINY

DOCUMENTED = [
    mtrl.load,
    mtrl.score,
    mtrl.learn,
    mtrl.every,
    mtrl.Result,
    mtrl.Policy,
    mtrl.Policy.predict,
    mtrl.Policy.on,
]
TENSORS = [mtrl.task_gradients, mtrl.set_gradient]  # what an aggregator of one's own is written with


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


@pytest.mark.parametrize("documented", [*DOCUMENTED, *TENSORS], ids=lambda one: one.__qualname__)
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


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda one: one.__qualname__)
def test_it_says_what_it_takes_and_gives(documented: Any) -> None:
    text = documented.__doc__
    assert "Example:" in text
    if not isinstance(documented, type):
        assert all(part in text for part in ("Args:", "Returns:", "Raises:"))

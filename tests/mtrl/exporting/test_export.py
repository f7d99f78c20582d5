"""``mtrl.export``: a policy as a file that acts as the run does, and says what it takes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import mtrl
from mtrl import export
from mtrl.errors import RunError
from mtrl.exporting import formats
from mtrl.exporting.formats import METADATA, WRITERS, Writer, write
from mtrl.exporting.module import exported_policy
from mtrl.runs.folder import read_run
from tests.mtrl.conftest import Said, Scripted, retold, scripted_suite

Refused = Callable[..., str]
UNEQUAL = """
    from functools import partial
    import gymnasium as gym
    import numpy as np
    from mtrl import Task, TaskSuite
    from tests.mtrl.conftest import Scripted

    class Bounded(Scripted):
        def __init__(self, low, high, obs_size):
            super().__init__(rewards=(1.0,) * 4, obs_size=obs_size)
            self.action_space = gym.spaces.Box(np.float32(low), np.float32(high))

    suite = TaskSuite("unequal", [
        Task("short", partial(Bounded, [-3.0], [5.0], 2), "Do the short one."),
        Task("long", partial(Bounded, [-1.0, 0.0], [0.5, 9.0], 4), "Do the long one."),
    ])
"""
RUN = {
    "steps_per_task": 8,
    "random_steps": 4,
    "envs_per_task": 2,
    "batch_per_task": 2,
    "eval_every": 8,
    "eval_episodes": 1,
    "diagnose_every": 0,
    "hidden": [8, 8],
    "threads": 1,
}
EVERY_PIECE = {"obs_scale": "running", "network": "residual"}
OF_EACH = {
    "sb3": {"hidden": [8, 6], "jobs": 1}
}  # what is trained: every piece of the kit's own, and sb3 with two widths
ONNX = pytest.mark.skipif(find_spec("onnxruntime") is None or find_spec("onnxscript") is None, reason="the extra onnx")
UNTRACEABLE = """
    import torch
    from mtrl import Encoder, preset

    class Own(Encoder):
        def __init__(self, shape, generator):
            super().__init__(size=shape.obs)

    class Doubled(torch.autograd.Function):  # which TorchScript cannot hold, ONNX can
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, gradient):
            return 2 * gradient

    class Function(Own):
        def forward(self, obs, task=None):
            return Doubled.apply(obs)

    class Rare(Own):  # a branch that no observation takes which the file is tried on
        def forward(self, obs, task=None):
            return -obs if obs.sum() > 1e6 else obs

    class Branch(Own):  # which ONNX refuses, and TorchScript takes one side of
        def forward(self, obs, task=None):
            return -obs if obs.sum() > 1e-3 else obs

    function = preset("a function of its own", encoder="untraceable:Function")
    rare = preset("a branch for what is never seen", encoder="untraceable:Rare")
    branch = preset("a branch on what it sees", encoder="untraceable:Branch")
"""


@pytest.fixture
def unequal(plug_in: Callable[..., str], tmp_path: Path) -> Callable[..., Path]:
    """``unequal(agent, ...)``: a run on two tasks of different sizes and bounds."""
    name = plug_in(textwrap.dedent(UNEQUAL), "unequal_suite")

    def run(agent: str, **more: Any) -> Path:
        return mtrl.learn(f"{name}:suite", agent, runs_dir=tmp_path / "runs", **{**RUN, **more}).path

    return run


def assert_acts_alike(run: Path, act: Callable[[torch.Tensor, int], torch.Tensor], tolerance: float) -> None:
    """Compare a file's actions with those of ``mtrl.load``, padded and unpadded observations, one row and more."""
    policy = mtrl.load(run, trust=True, device="cpu")
    for number, (task, obs_size, action_size) in enumerate((("short", 2, 1), ("long", 4, 2))):
        for rows in (1, 6):
            obs = 3.0 * torch.randn(rows, obs_size, generator=torch.Generator().manual_seed(rows))
            wanted, _ = policy.predict(obs.numpy(), task=task)
            padded = torch.nn.functional.pad(obs, (0, 4 - obs_size))
            got = act(padded, number)
            assert got.shape == (rows, 2)
            np.testing.assert_allclose(got[:, :action_size], wanted, atol=tolerance, rtol=tolerance)
            assert not got[:, action_size:].any()


@pytest.mark.parametrize("agent", ["care", "mtsac", "mtmhsac", "single-task", "sb3"])
def test_torchscript_acts_as_the_run(unequal: Callable[..., Path], agent: str) -> None:
    run = unequal(agent, **OF_EACH.get(agent, EVERY_PIECE))
    assert export.main([str(run), "--trust", "--out", "policy.pt"]) == 0
    told = {METADATA: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.load("policy.pt", _extra_files=told)
    assert_acts_alike(run, lambda obs, task: module(obs, torch.tensor(task)), 1e-6)
    assert json.loads(told[METADATA])["tasks"] == [
        {"name": "short", "obs_size": 2, "action_size": 1},
        {"name": "long", "obs_size": 4, "action_size": 2},
    ]
    assert not [*Path().glob("*.partial")]


def test_a_file_is_read_without_the_kit(unequal: Callable[..., Path], tmp_path: Path) -> None:
    run = unequal("mtsac")
    assert export.main([str(run), "--trust", "--out", "policy.pt"]) == 0
    code = "import sys, torch; print(torch.jit.load('policy.pt')(torch.ones(1, 4), torch.tensor(1)).tolist())"
    code += "; assert not {'mtrl', 'agents', 'envs'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    wanted, _ = mtrl.load(run, trust=True, device="cpu").predict(np.ones((1, 4)), task="long")
    np.testing.assert_allclose(json.loads(done.stdout), wanted, atol=1e-6, rtol=1e-6)


@ONNX
@pytest.mark.parametrize("agent", ["care", "single-task", "sb3"])
def test_onnx_acts_as_the_run(unequal: Callable[..., Path], agent: str) -> None:
    import onnxruntime

    run = unequal(agent, **OF_EACH.get(agent, EVERY_PIECE))
    assert export.main([str(run), "--trust", "--format", "onnx", "--out", "policy.onnx"]) == 0
    session = onnxruntime.InferenceSession("policy.onnx")

    def act(obs: torch.Tensor, task: int) -> torch.Tensor:
        return torch.as_tensor(session.run(None, {"obs": obs.numpy(), "task": np.asarray(task, dtype=np.int64)})[0])

    assert_acts_alike(run, act, 1e-5)
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
    assert [task["name"] for task in told["tasks"]] == ["short", "long"]


def test_what_cannot_be_exported_is_refused(
    refused: Refused, care_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no folder" in refused(export.main, care_run, "--out", tmp_path / "none" / "policy.pt")
    assert "cannot be written" in refused(export.main, care_run, "--out", tmp_path)
    retold(care_run / "config.json", suite="evil:suite")
    assert "names the suite 'evil:suite'" in refused(export.main, care_run, "--out", tmp_path / "policy.pt")
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    line = refused(export.main, care_run, "--format", "onnx", "--out", tmp_path / "policy.onnx")
    assert "onnx, onnxruntime, onnxscript, not installed: pip install -e '.[onnx]'" in line


@ONNX
@pytest.mark.parametrize(
    ("agent", "format_", "reason"),
    [
        ("function", "torchscript", "RuntimeError: Could not export Python function call 'Doubled'"),
        ("branch", "onnx", "GuardOnDataDependentSymNode: Could not guard on data-dependent expression"),
        ("branch", "torchscript", "acts differently, by"),
    ],
)
def test_what_torch_cannot_write_ends_in_one_line_with_its_reason(
    unequal: Callable[..., Path],
    plug_in: Callable[..., str],
    call: Callable[..., Said],
    tmp_path: Path,
    agent: str,
    format_: str,
    reason: str,
) -> None:
    plug_in(UNTRACEABLE, "untraceable")
    run = unequal(f"untraceable:{agent}")
    files_before = sorted(tmp_path.iterdir())
    said = call(export.main, run, "--trust", "--format", format_, "--out", tmp_path / "policy")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"error: {str(run)!r} ")
    assert (said.err.count("\n"), format_ in said.err, reason in said.err) == (1, True, True), said.err
    assert sorted(tmp_path.iterdir()) == files_before


def test_a_branch_that_nothing_took_is_warned_of(
    unequal: Callable[..., Path], plug_in: Callable[..., str], call: Callable[..., Said], tmp_path: Path
) -> None:
    module = plug_in(UNTRACEABLE, "untraceable")
    said = call(export.main, unequal(f"{module}:rare"), "--trust", "--out", tmp_path / "policy.pt")
    assert (said.code, (tmp_path / "policy.pt").exists()) == (0, True)
    assert said.err.startswith(f"warning: {tmp_path / 'policy.pt'} acts like the run on the inputs tried, but ")
    line = textwrap.dedent(UNTRACEABLE).splitlines().index("        return -obs if obs.sum() > 1e6 else obs") + 1
    assert f"untraceable.py:{line}: Converting a tensor to a Python boolean" in said.err
    assert said.err.count("\n") == 1


def test_a_file_that_acts_differently_is_not_kept(
    care_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Writer(lambda policy, path: path.touch(), lambda path: lambda obs, task: torch.zeros(len(obs), 3))
    monkeypatch.setitem(WRITERS, "torchscript", wrong)
    with pytest.raises(RunError, match="acts differently"):
        export.main([str(care_run), "--out", str(tmp_path / "policy.pt")])
    assert not [*tmp_path.glob("policy.pt*")]


def test_a_file_that_returns_no_number_is_not_kept(
    care_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Writer(
        lambda policy, path: path.touch(), lambda path: lambda obs, task: torch.full((len(obs), 3), torch.nan)
    )
    monkeypatch.setitem(WRITERS, "torchscript", wrong)
    with pytest.raises(RunError, match="acts differently, by nan"):
        export.main([str(care_run), "--out", str(tmp_path / "policy.pt")])
    assert not [*tmp_path.glob("policy.pt*")]


@pytest.mark.parametrize("agent", ["paco", "moore"])
def test_the_kits_own_trunks_are_exported_without_a_warning(
    unequal: Callable[..., Path], call: Callable[..., Said], tmp_path: Path, agent: str
) -> None:
    said = call(export.main, unequal(agent), "--trust", "--out", tmp_path / "policy.pt")
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize(
    ("out", "flags", "words"),
    [
        (".", (), "it is a folder; give a file"),
        ("nowhere/p.pt", (), "there is no folder"),
        ("p.onnx", ("--format", "torchscript"), "a file *.onnx is onnx"),
        ("p.pt", ("--format", "onnx"), "a file *.pt is torchscript"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(
    out: str, flags: tuple[str, ...], words: str, refused: Refused, tmp_path: Path
) -> None:
    assert words in refused(export.main, tmp_path, "--out", tmp_path / out, *flags)


def test_a_runs_own_files_are_not_overwritten(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert "is a file of the run" in refused(export.main, tmp_path, "--out", tmp_path / "config.json")
    assert (tmp_path / "config.json").read_text() == "{}"


@pytest.mark.parametrize("format_", ["torchscript", pytest.param("onnx", marks=ONNX)])
def test_actions_of_whole_numbers_are_those_that_the_environment_receives(tmp_path: Path, format_: str) -> None:
    class Whole(Scripted):
        def __init__(self) -> None:
            super().__init__(rewards=(1.0,) * 4, obs_size=2)
            self.action_space = gym.spaces.Box(np.array([-9]), np.array([9]), dtype=np.int32)

    suite = scripted_suite(whole=Whole, real=lambda: Scripted((1.0,) * 4, obs_size=2))
    run = mtrl.learn(suite, "mtsac", runs_dir=tmp_path / "runs", **RUN).path
    policy, file = mtrl.load(run, suite=suite), tmp_path / "policy"
    write(exported_policy(run, read_run(run)[0], suite), run, file, format_)
    obs = 3.0 * torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    with formats.silence():
        act = WRITERS[format_].load(file)
    assert act(obs, 0).tolist() == policy.predict(obs.numpy(), task="whole")[0].tolist()
    assert (act(obs, 1) != act(obs, 1).round()).any()

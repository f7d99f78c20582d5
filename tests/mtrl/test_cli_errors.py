"""Bad input is one line that names the thing, its value and the way out, exit code 2, and nothing is trained before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mtrl import evaluate, train
from mtrl.errors import UsageError
from mtrl.terminal.cli import INTERRUPTED, command
from tests.mtrl.conftest import Said, tiny

Refused = Callable[..., str]
PlugIn = Callable[..., str]


WRONG_FLAGS: list[tuple[list[str], list[str]]] = [
    (["--suite", "tabeltop"], ["unknown suite 'tabeltop'", "module:attribute", "Did you mean 'tabletop'?"]),
    (["--suite", ""], ["unknown suite ''", "tabletop"]),
    (["--agent", "crae"], ["unknown agent 'crae'", "mtsac", "Did you mean 'care'?"]),
    (["--agent", ""], ["unknown agent ''", "mtsac"]),
    (["--tasks", "reach", "door-opne"], ["unknown task 'door-opne'", "tabletop", "Did you mean 'door-open'?"]),
    (["--agent", "mtsac", "--lora-rank", "8"], ["--lora-rank", "It comes with --trunk lora.", "--help"]),
    (["--agent", "mtsac", "--context", "text"], ["--context", "It comes with --encoder context, care, film or hyper."]),
    (["--agent", "mtsac", "--no-detach-context"], ["--no-detach-context", "It comes with --encoder care"]),
    (["--steps-per-task", "900", "--random-steps", "900"], ["--random-steps is 900", "nothing would be learned"]),
    (["--config", "nope.json"], ["there is no file 'nope.json'"]),
    (["--steps-per-tsk", "5"], ["--steps-per-tsk", "Did you mean --steps-per-task?", "--help"]),
    (["--steps-per-task", "-1"], ["--steps-per-task is -1", "at least 1"]),
    (["--steps-per-task", "many"], ["--steps-per-task", "'many'", "INT", "--help"]),
    (["--steps-per-task"], ["--steps-per-task", "--help"]),
    (["--seed", "x"], ["--seed", "'x'", "INT"]),
    (["--seed", "-3"], ["--seed is -3", "at least 0"]),
    (["--seed", str(2**32)], ["--seed is 4294967296", "at most 4294967295"]),
    (["--batch-per-task", "0"], ["--batch-per-task is 0", "at least 1"]),
    (["--batch-per-task", "9", "--replay-per-task", "8"], ["--batch-per-task is 9", "--replay-per-task 8"]),
    (["--envs-per-task", "9", "--replay-per-task", "8", "--batch-per-task", "1"], ["9", "--replay-per-task is 8"]),
    (["--device", "tpu"], ["--device is 'tpu'", "auto, cpu or cuda"]),
    (["--agent", "sb3", "--device", "tpu"], ["--device is 'tpu'", "auto, cpu or cuda"]),
    (["--cudagraphs", "--device", "cpu"], ["--cudagraphs takes a GPU", "--device cpu is the CPU", "leave it out"]),
    (["--cudagraphs", "--aggregator", "pcgrad"], ["--cudagraphs", "aggregator 'pcgrad' cannot be captured", "mean"]),
    (["--cudagraphs", "--sampler", "exp3"], ["--cudagraphs", "sampler 'exp3' cannot be captured", "uniform"]),
    (["--cudagraphs", "--agent", "sb3"], ["--cudagraphs", "agent 'sb3' is not made of the kit's pieces"]),
    (["--baseline", "ppo"], ["--baseline", "'ppo'", "single-task", "sb3", "none"]),
    (["--discount", "2"], ["--discount is 2.0", "at most 1"]),
    (["--discount", "nan"], ["--discount is nan"]),
    (["--learning-rate", "0"], ["--learning-rate is 0.0", "above 0"]),
    (["--hidden", "0"], ["--hidden is 0", "at least 1"]),
    (["--hidden"], ["--hidden is empty"]),
    (["--encoders", "0"], ["--encoders is 0", "above 0"]),
    (["--attention", "foo"], ["--attention", "'foo'", "context", "dot-product"]),
    (["--agent", "mtsac", "--encoders", "3"], ["--encoders", "--help"]),
    (["reach"], ["reach", "--help"]),
    (["--aggregator", "weighted", "--task-weights", "1", "-2"], ["--task-weights is 1.0 -2.0", "at least 0"]),
    (["--aggregator", "weighted", "--task-weights", "1", "2"], ["--task-weights has 2 numbers for 50 tasks"]),
    (["--sampler", "size", "--task-sizes", "5"], ["--task-sizes has 1 numbers for 50 tasks"]),
    (["--agent", "single-task", "--aggregator", "pcgrad"], ["'single-task'", "share nothing", "--agent mtsac"]),
    (
        ["--agent", "mtsac", "--encoder", "none", "--trunk", "separate", "--aggregator", "mgda"],
        ["aggregator 'mgda'", "trunk 'separate'", "--aggregator sum"],
    ),
    (
        ["--agent", "soft-sharing", "--aggregator", "pcgrad"],
        ["aggregator 'pcgrad'", "share nothing", "--aggregator sum"],
    ),
    (["--agent", "soft-sharing", "--sampler", "gradient-norm"], ["sampler 'gradient-norm'", "--sampler loss"]),
    (["--agent", "single-task", "--trunk", "multi-head"], ["trunk stays 'separate'", "--agent mtsac"]),
    (
        ["--agent", "single-task", "--penalty", "soft-sharing"],
        ["share nothing", "'soft-sharing'", "--agent soft-sharing"],
    ),
    (["--agent", "sb3", "--trunk", "multi-head"], ["agent 'sb3'", "has no --trunk", "--agent mtsac"]),
    (["--agent", "moore", "--experts", "0"], ["--experts is 0", "above 0"]),
    (["--agent", "paco", "--parameter-sets", "0"], ["--parameter-sets is 0", "above 0"]),
    (["--agent", "paco", "--loss-limit", "0"], ["--loss-limit is 0.0", "above 0"]),
    (["--agent", "softmod", "--modules", "0"], ["--modules is 0", "above 0"]),
    (["--agent", "nas", "--search-blocks", "0"], ["--search-blocks is 0", "above 0"]),
    (["--agent", "soft-sharing", "--sharing-weight", "-1"], ["--sharing-weight is -1.0", "at least 0"]),
    (["--sampler", "gradient-norm", "--gradient-floor", "2"], ["--gradient-floor is 2.0", "at most 1"]),
    (["--agent", "sb3", "--sampler", "exp3"], ["agent 'sb3'", "has no --sampler"]),
    (["--agent", "single-task", "--sampler", "exp3"], ["'single-task'", "sampler stays 'uniform'", "--agent mtsac"]),
    (["--aggregator", "nash-mtl", "--nash-every", "0"], ["--nash-every is 0", "above 0"]),
    (["--suite", "pendulum-gravity", "--sampler", "unlock"], ["sampler 'unlock'", "success", "learning-progress"]),
    (["--sampler", "widen"], ["the one number in which they differ", "--sampler unlock"]),
    (["--suite", "pendulum-gravity", "--sampler", "widen"], ["sampler 'widen'", "success", "widen-by-return"]),
    (["--suite", "pendulum-gravity", "--sampler", "widen-by-return"], ["needs the return", "--widen-return -200"]),
    (["--threads", "99999999999"], ["--threads is 99999999999", "at most 1024"]),
    (["--steps-per-task", "1e29"], ["--steps-per-task is 1", "at most 1000000000000"]),
    (["--tasks", "reach", "reach"], ["task 'reach' is named 2 times"]),
    (["--context", "text+text"], ["--context is 'text+text'", "twice"]),
    (["--add-task", "reach"], ["--add-task is reach", "no run to add to", "--from RUN", "--keep-checkpoint"]),
    (["--from", "nowhere"], ["'nowhere' is not a run", "runs/tabletop/care/seed0"]),
    (["--suite", "tabletop", "--tasks", "held-out"], ["suite 'tabletop' has no held-out tasks"]),
    (["--suite", "pendulum-gravity:"], ["suite 'pendulum-gravity:' names nothing after its colon"]),
    (["--suite", "metaworld/MT1: "], ["suite 'metaworld/MT1: ' names nothing after its colon"]),
]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("arguments", "parts"), WRONG_FLAGS, ids=[" ".join(case[0]) for case in WRONG_FLAGS])
def test_a_wrong_flag_is_named_with_its_value_and_the_way_out(
    refused: Refused, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    line = refused(train.main, *arguments, "--runs-dir", tmp_path / "runs")
    assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.usefixtures("no_training")
def test_a_gpu_that_is_not_there_is_named_with_the_way_out(refused: Refused, tmp_path: Path) -> None:
    line = refused(train.main, "--device", "cuda", "--runs-dir", tmp_path / "runs")
    assert "--device is 'cuda'" in line
    assert "--device cpu" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
def test_a_runs_folder_that_cannot_be_written_is_said_before_training(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    line = refused(train.main, *tiny(tmp_path / "file" / "runs"))
    assert str(tmp_path / "file" / "runs") in line
    assert "--runs-dir /tmp/runs" in line


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["nowhere", "--episodes", "0"], ["--episodes is 0", "at least 1"]),
        (["nowhere", "--seed", "-1"], ["--seed is -1", "at least 0"]),
        (["nowhere", "--record", "film.avi"], ["--record", "'film.avi'", ".gif or .mp4"]),
        ([], ["run folder", "--help"]),
    ],
)
def test_evaluate_checks_its_flags_before_it_looks_for_the_run(
    refused: Refused, arguments: list[str], parts: list[str]
) -> None:
    line = refused(evaluate.main, *arguments)
    assert [part for part in parts if part not in line] == [], line


def test_a_terminal_without_unicode_gets_the_same_line(tmp_path: Path) -> None:
    """Tyro frames its errors in other characters where stdout does not take UTF-8."""
    lines = [
        subprocess.run(
            [sys.executable, "-m", "mtrl.train", "--steps-per-tsk", "5"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        for encoding in ("utf-8", "ascii")
    ]
    assert lines[0] == lines[1]
    assert "--steps-per-tsk" in lines[0]


def test_a_narrow_terminal_does_not_break_the_line(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    line = refused(train.main, "--steps-per-tsk", "5")
    assert "Did you mean --steps-per-task?" in line


def test_a_message_of_several_lines_is_put_on_one(refused: Refused) -> None:
    def wrong(_: Any) -> int:
        raise UsageError("--suite is 'x':\n   the first word\n\tand the last")

    assert refused(wrong) == "error: --suite is 'x': the first word and the last\n"


def test_ctrl_c_outside_of_training_ends_with_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["mtrl"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert command(interrupted)() == INTERRUPTED == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_fault_of_the_kit_itself_is_no_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One-line errors are for what the user can mend; a ValueError from inside keeps its traceback."""

    def faulty(_: Any) -> int:
        raise ValueError("inside")

    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ValueError, match="inside"):
        command(faulty)()


@pytest.mark.parametrize(
    ("module", "arguments", "part"),
    [
        ("train", ["--suite", "tabeltop"], "Did you mean 'tabletop'?"),
        ("train", ["--suite", "bad_module:suite"], "the licence"),
    ],
)
def test_the_process_itself_ends_with_2_and_one_line(
    tmp_path: Path, module: str, arguments: list[str], part: str
) -> None:
    (tmp_path / "bad_module.py").write_text("raise OSError('the licence has run out')")
    process = subprocess.run(
        [sys.executable, "-m", f"mtrl.{module}", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stdout.count("\n") <= 1  # what was about to be trained
    assert process.stderr.count("\n") == 1
    assert part in process.stderr
    assert not (tmp_path / "runs").exists()


def test_memory_that_cannot_be_had_is_one_line(call: Callable[..., Said]) -> None:
    def main(arguments: Any) -> int:
        raise MemoryError("Unable to allocate 745 GiB for an array\nof this shape")

    said = call(main)
    assert said.code == 1
    assert said.err.startswith("error: out of memory: Unable to allocate 745 GiB")
    assert said.err.count("\n") == 1

"""A run that a signal ends: no step is lost, and what it was in the middle of is done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtrl import train
from mtrl.scoring.scorer import Scorer
from tests.mtrl.checkpoints.test_resume import ALONE, compared, go_on, run_of
from tests.mtrl.conftest import metrics, same_weights, tiny


def test_an_evaluation_that_a_signal_breaks_off_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--agent", "care", *ALONE, "--eval-every", "32"]
    assert train.main(tiny(tmp_path / "whole", *arguments)) == 0
    real, played = Scorer.score, [0]

    def interrupted(self: Scorer, policy: Any, check: Any = None) -> Any:
        def counted() -> None:
            played[0] += 1
            if played[0] == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            if check is not None:
                check()

        return real(self, policy, counted)

    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "score", interrupted)
        with pytest.raises(Exception, match="stopped by SIGTERM"):
            train.main(tiny(tmp_path / "stopped", *arguments))
    assert played[0] == 5
    run = run_of(tmp_path / "stopped", "care")
    assert f"python -m mtrl.train --resume {run}" in capsys.readouterr().out
    assert [tag for _, tag, _ in metrics(run) if tag.startswith("eval/")] == []
    assert go_on(run) == 0
    assert compared(run) == compared(run_of(tmp_path / "whole", "care"))
    assert same_weights(run, run_of(tmp_path / "whole", "care"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT])
def test_signals_lose_no_step(number: signal.Signals, tmp_path: Path) -> None:
    """In a process of its own, with an environment that takes its time in each step."""
    arguments = tiny(tmp_path, "--agent", "mtsac", *ALONE, "--steps-per-task", "100000", "--log-every", "2")
    run = run_of(tmp_path, "mtsac")
    command = [sys.executable, "-m", "mtrl.train", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_as_from_a_terminal) as process:
        try:
            _wait_for(lambda: (run / "metrics.csv").is_file() and len(metrics(run)) > 40)
            begin = time.monotonic()
            process.send_signal(number)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert time.monotonic() - begin < 10
    said = int(out.split("stopped at ")[1].split(" steps")[0].replace(",", ""))
    (manifest,) = run.glob("checkpoints/step*/manifest.json")
    assert json.loads(manifest.read_text())["content"]["step"] == said == max(step for step, *_ in metrics(run))


def _as_from_a_terminal() -> None:
    """Hear both signals, which a shell's background jobs and nohup ignore, and so do their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _wait_for(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)

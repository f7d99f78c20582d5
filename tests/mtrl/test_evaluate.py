"""A finished run can be scored again, drawn, and refuses in one line when it is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mtrl import evaluate
from tests.mtrl.conftest import Call, Run


def test_scores_are_written_and_repeat(tiny_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    written = []
    for _ in range(2):
        assert evaluate.main([str(path), "--episodes", "3"]) == 0
        written.append(json.loads((path / "evaluation.json").read_text()))
    assert written[0] == written[1]
    assert {name: task["episodes"] for name, task in written[0]["tasks"].items()} == {"reach": 3, "push": 3}
    assert evaluate.main([str(path), "--episodes", "3", "--seed", "5"]) == 0
    assert json.loads((path / "evaluation.json").read_text())["tasks"] != written[0]["tasks"]
    assert "reach" in capsys.readouterr().out


@pytest.mark.parametrize("agent", ["mtmhsac", "single-task"])
def test_every_kind_of_trunk_is_loaded_again(tiny_run: Run, agent: str) -> None:
    path = tiny_run("--agent", agent, "--baseline", "none") / f"tabletop/{agent}/seed0"
    assert evaluate.main([str(path), "--episodes", "2"]) == 0


def test_a_recording_shows_an_episode_of_each_task(tiny_run: Run, tmp_path: Path) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    assert evaluate.main([str(path), "--episodes", "1", "--record", str(tmp_path / "x.gif")]) == 0
    with Image.open(tmp_path / "x.gif") as image:
        assert image.n_frames > 50
        assert image.width > 2 * 192
        first = image.convert("RGB").tobytes()
        image.seek(20)
        assert image.convert("RGB").tobytes() != first


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: (path / "weights.safetensors").unlink(), "has no weights.safetensors"),
        (lambda path: (path / "weights.safetensors").write_bytes(b"\x80\x04junk"), "is damaged"),
        (
            lambda path: (path / "weights.safetensors").write_bytes((path / "weights.safetensors").read_bytes()[:-99]),
            "is damaged",
        ),
        (lambda path: (path / "config.json").write_text("{"), "is damaged"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(tiny_run: Run, call: Call, harm: object, said: str) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    harm(path)  # type: ignore[operator]
    code, line = call(evaluate.main, str(path))
    assert (code, line.count("\n")) == (2, 1)
    assert said in line


def test_weights_of_other_tasks_do_not_fit(tiny_run: Run, call: Call) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "tasks": ["reach"]}))
    code, line = call(evaluate.main, str(path))
    assert code == 2
    assert "does not fit the suite" in line


def test_a_recording_that_cannot_be_written_is_said(tiny_run: Run, call: Call, tmp_path: Path) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    code, line = call(evaluate.main, f"{path} --episodes 1 --record {tmp_path}/no/such/x.gif")
    assert code == 2
    assert "x.gif' cannot be written" in line

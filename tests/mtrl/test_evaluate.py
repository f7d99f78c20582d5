"""A finished run is scored again, drawn, and refused in one line where it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mtrl import evaluate
from mtrl.runs.checksums import CHECKSUMS
from tests.mtrl.conftest import read_json, retold

Refused = Callable[..., str]


def evaluated(run: Path, *more: object) -> dict:
    """Score a run on two episodes a task -> what evaluation.json holds."""
    assert evaluate.main([str(run), "--episodes", "2", *map(str, more)]) == 0
    return read_json(run / "evaluation.json")


def test_an_evaluation_repeats_and_another_seed_is_another_evaluation(care_run: Path) -> None:
    first = evaluated(care_run)
    assert set(first) == {"suite", "agent", "seed", "mean", "tasks", "protocol", "weights_sha256"}
    assert (first["suite"], first["agent"], first["seed"]) == ("tabletop", "care", evaluate.DEFAULT_SEED)
    assert {name: scores["episodes"] for name, scores in first["tasks"].items()} == {"reach": 2, "push": 2}
    assert evaluated(care_run) == first
    other = evaluated(care_run, "--seed", 5)
    assert other["seed"] == 5
    assert other["tasks"] != first["tasks"]


def test_tasks_that_are_not_evaluated_keep_their_scores(care_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = evaluated(care_run)
    capsys.readouterr()
    again = evaluated(care_run, "--tasks", "push", "--episodes", "3")
    assert "reach" not in capsys.readouterr().out  # the table is of what was played
    assert [*again["tasks"]] == ["reach", "push"]
    assert again["tasks"]["reach"] == first["tasks"]["reach"]
    assert again["tasks"]["push"]["episodes"] == 3
    assert again["protocol"] == {**first["protocol"], "episodes": {"reach": 2, "push": 3}}
    returns = [entry["return"] for entry in again["tasks"].values()]
    assert again["mean"]["return"] == pytest.approx(sum(returns) / 2)
    assert {*again["mean"]} == {*first["mean"]}
    assert evaluated(care_run) == first


@pytest.mark.parametrize("what", ["seed", "weights", "protocol", "tasks"])
def test_scores_of_other_seeds_weights_protocols_and_suites_are_replaced_by_name(
    care_run: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    first = evaluated(care_run)
    changes = {
        "seed": {"seed": 5},
        "weights": {"weights_sha256": "0" * 64},  # as before the run was trained further
        "protocol": {"protocol": {**first["protocol"], "starts": "fixed, each in turn"}},
        "tasks": {"tasks": {"gone": first["tasks"]["reach"]}},
    }
    retold(care_run / "evaluation.json", **changes[what])
    assert [*evaluated(care_run, "--tasks", "push")["tasks"]] == ["push"]
    name = "gone" if what == "tasks" else "reach"
    assert f"had results of {name}, played differently; they are replaced" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"tasks": 3}', '{"tasks": {"reach": 3}}'])
def test_a_damaged_evaluation_is_replaced(care_run: Path, text: str) -> None:
    (care_run / "evaluation.json").write_text(text)
    assert [*evaluated(care_run, "--tasks", "push")["tasks"]] == ["push"]


def test_the_weights_on_disk_score_what_the_run_said_of_itself(care_run: Path) -> None:
    """500,000,002 is the seed from which a run of seed 0 draws its final scores."""
    result, again = read_json(care_run / "result.json"), evaluated(care_run, "--seed", 500_000_002)
    for task in ("reach", "push"):
        assert again["tasks"][task] == pytest.approx(result["tasks"][task])


def test_a_recording_is_an_animation_of_every_task_side_by_side(care_run: Path, tmp_path: Path) -> None:
    evaluated(care_run, "--record", tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.is_animated
        assert film.n_frames > 10
        assert film.width > 2 * 100
        first = film.convert("RGB").tobytes()
        film.seek(10)
        assert film.convert("RGB").tobytes() != first


def test_a_recording_that_cannot_be_written_is_named(refused: Refused, care_run: Path, tmp_path: Path) -> None:
    line = refused(evaluate.main, care_run, "--episodes", "1", "--record", tmp_path / "no" / "film.gif")
    assert str(tmp_path / "no" / "film.gif") in line
    assert "cannot be written" in line


def test_a_folder_that_is_no_run_is_named_with_what_a_run_looks_like(
    refused: Refused, finished: Path, tmp_path: Path
) -> None:
    for path in (tmp_path / "nowhere", finished / "tabletop", finished / "tabletop" / "care" / "seed0" / "result.json"):
        line = refused(evaluate.main, path)
        assert str(path) in line
        assert "runs/tabletop/care/seed0" in line


def test_missing_weights_are_named_with_the_way_out(refused: Refused, care_run: Path) -> None:
    (care_run / "weights.safetensors").unlink()
    line = refused(evaluate.main, care_run)
    assert "weights.safetensors" in line
    assert "train it again" in line


@pytest.mark.parametrize("harm", ["empty", "noise", "cut short"])
def test_damaged_weights_are_named_with_the_way_out(refused: Refused, care_run: Path, harm: str) -> None:
    """Even where there is nothing to hold them to."""
    (care_run / CHECKSUMS).unlink()
    path = care_run / "weights.safetensors"
    path.write_bytes({"empty": b"", "noise": b"\x80\x04junk" * 99, "cut short": path.read_bytes()[:-99]}[harm])
    line = refused(evaluate.main, care_run)
    assert str(path) in line
    assert "damaged" in line
    assert "train the run again" in line
    assert not (care_run / "evaluation.json").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_config_is_named(refused: Refused, care_run: Path, text: str) -> None:
    (care_run / CHECKSUMS).unlink()
    (care_run / "config.json").write_text(text)
    line = refused(evaluate.main, care_run)
    assert str(care_run / "config.json") in line
    assert "damaged" in line


@pytest.mark.parametrize(
    ("tasks", "part"), [(["reach"], "does not match the current suite"), (["reach", "gone"], "unknown task 'gone'")]
)
def test_a_suite_that_is_not_the_one_trained_on_is_said(
    refused: Refused, care_run: Path, tasks: list[str], part: str
) -> None:
    retold(care_run / "config.json", tasks=tasks)
    assert part in refused(evaluate.main, care_run)


def test_a_plug_in_that_is_gone_is_named(refused: Refused, care_run: Path) -> None:
    retold(care_run / "config.json", suite="gone_module:suite")
    assert "no module named 'gone_module'" in refused(evaluate.main, care_run, "--trust")


def test_a_link_in_the_runs_folder_is_not_written_through(care_run: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    (care_run / "evaluation.json").symlink_to(tmp_path / "diary.txt")
    assert evaluate.main([str(care_run), "--tasks", "reach", "--episodes", "1"]) == 0
    assert (tmp_path / "diary.txt").read_text() == "dear diary"
    assert [*read_json(care_run / "evaluation.json")["tasks"]] == ["reach"]

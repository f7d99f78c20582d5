"""What a finished run wrote is guarded: one bit that is another, or a file that was cut, and it is refused by name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

import mtrl
from mtrl import compare, evaluate, export, report, train
from mtrl.errors import UsageError
from mtrl.gathering.gather import gather
from mtrl.gathering.run import load_run
from mtrl.reporting.insight import read_tables
from mtrl.runs.checksums import CHECKSUMS, check_file
from mtrl.runs.folder import GUARDED, read_run
from mtrl.runs.reuse import find_finished
from mtrl.sweeping.plan import make_plan
from tests.mtrl.conftest import Said, read_json, tiny
from tests.mtrl.made_runs import make_run

READ = {
    "config.json": read_run,
    "result.json": load_run,
    "metrics.csv": load_run,
    "weights.safetensors": mtrl.load,
    CHECKSUMS: mtrl.load,
}


def flip(path: Path, chance: random.Random) -> bytes:
    """Flip one bit of a file -> what it was."""
    whole = path.read_bytes()
    place = chance.randrange(len(whole))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
    return whole


def test_every_file_that_is_read_back_has_a_checksum(care_run: Path) -> None:
    assert {*read_json(care_run / CHECKSUMS)["content"]["files"]} == {*GUARDED}
    assert {path.name for path in care_run.iterdir() if "events" not in path.name} == {*GUARDED, CHECKSUMS}


def test_one_flipped_bit_of_two_hundred_is_refused_by_name_each_time(care_run: Path) -> None:
    chance = random.Random(0)
    for k in range(200):
        name, read = [*READ.items()][k % len(READ)]
        whole = flip(care_run / name, chance)
        with pytest.raises(UsageError, match=name):
            read(care_run)
        (care_run / name).write_bytes(whole)
    load_run(care_run)
    mtrl.load(care_run)


def test_commands_refuse_a_damaged_run_and_set_it_aside_among_others(
    finished: Path, care_run: Path, tmp_path: Path, call: Callable[..., Said], refused: Callable[..., str]
) -> None:
    other = finished / "tabletop" / "single-task" / "seed0"
    chance = random.Random(1)
    weights = flip(care_run / "weights.safetensors", chance)
    for command in (
        (evaluate.main, care_run, "--episodes", "1"),
        (export.main, care_run, "--out", tmp_path / "policy.pt"),
    ):
        assert f"{care_run / 'weights.safetensors'} has changed since it was written" in refused(*command)
    (care_run / "weights.safetensors").write_bytes(weights)
    for name in ("result.json", "metrics.csv", "config.json"):
        whole = flip(care_run / name, chance)
        gathered = gather([care_run, other])
        assert [run.path for run in gathered.runs] == [other]
        assert f"left out: {care_run / name} has changed since it was written" in gathered.warnings[0]
        assert str(care_run / name) in refused(compare.main, care_run, "--out", tmp_path)
        (care_run / name).write_bytes(whole)
    whole = flip(care_run / "matrices.jsonl", chance)
    said = call(report.main, care_run, other, "--out", tmp_path / "report.html")
    assert said.code == 0
    assert f"warning: left out: {care_run / 'matrices.jsonl'} has changed since it was written" in said.err
    (care_run / "matrices.jsonl").write_bytes(whole)
    assert len(read_tables(care_run)) > 0


def test_what_is_scored_later_is_guarded_too(care_run: Path, call: Callable[..., Said]) -> None:
    assert call(evaluate.main, care_run, "--episodes", "1", "--ablate-encoders").code == 0
    assert {*read_json(care_run / CHECKSUMS)["content"]["files"]} == {*GUARDED, "evaluation.json", "ablation.json"}
    check_file(care_run / "ablation.json")
    flip(care_run / "ablation.json", random.Random(2))
    with pytest.raises(UsageError, match="ablation.json has changed since it was written"):
        check_file(care_run / "ablation.json")


def test_of_a_run_without_checksums_nothing_is_claimed(care_run: Path, call: Callable[..., Said]) -> None:
    (care_run / CHECKSUMS).unlink()
    result = read_json(care_run / "result.json")
    (care_run / "result.json").write_text(json.dumps({**result, "wall_seconds": 1.0}))
    assert load_run(care_run).result["wall_seconds"] == 1.0
    assert call(evaluate.main, care_run, "--episodes", "1").code == 0
    assert not (care_run / CHECKSUMS).exists()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.995])
def test_a_run_whose_metrics_were_cut_is_noticed_even_without_checksums(
    share: float, care_run: Path, refused: Callable[..., str]
) -> None:
    (care_run / CHECKSUMS).unlink()
    path = care_run / "metrics.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "damaged (" in refused(compare.main, care_run)
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b"256,")))
    line = refused(compare.main, care_run)
    assert "metrics.csv is incomplete: task 'reach' has no evaluation after 224 of 256 steps per task" in line


def test_a_damaged_run_is_no_twin_and_a_sweep_says_why_it_is_made_anew(
    tmp_path: Path, clean_checkout: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(tiny(tmp_path, "--agent", "mtsac", "--baseline", "none")) == 0
    run = tmp_path / "tabletop" / "mtsac" / "seed0"
    config = read_run(run)[0]
    assert find_finished(run.parent, config, config.tasks) is not None
    flip(run / "result.json", random.Random(3))
    assert find_finished(run.parent, config, config.tasks) is None
    (job,) = make_plan("tabletop", ["mtsac"], [0], 1, tmp_path / "made", ["--steps-per-task", "4000"])
    made = make_run(tmp_path / "made", "mtsac")
    assert (job.finished() is not None, job.left_out()) == (True, [])
    (made / "metrics.csv").write_text("step,seconds,tag,value\n")
    assert job.finished() is None
    (why,) = job.left_out()
    assert str(made) in why
    assert "metrics.csv is incomplete" in why


def test_a_run_that_is_trained_farther_is_unfinished_until_it_is_over(tmp_path: Path) -> None:
    arguments = tiny(tmp_path, "--agent", "mtsac", "--baseline", "none", "--keep-checkpoint")
    assert train.main(arguments) == 0
    run = tmp_path / "tabletop" / "mtsac" / "seed0"
    with pytest.MonkeyPatch.context() as patch:

        def dies(*_: object) -> None:
            assert not (run / CHECKSUMS).exists()
            assert not (run / "result.json").exists()
            raise KeyboardInterrupt

        patch.setattr("mtrl.training.loop.Training.advance", dies)
        with pytest.raises(KeyboardInterrupt):
            train.main(["--resume", str(run), "--steps-per-task", "96"])
    assert train.main(["--resume", str(run), "--steps-per-task", "96"]) == 0
    assert load_run(run).result["steps_per_task"] == 96
    mtrl.load(run)

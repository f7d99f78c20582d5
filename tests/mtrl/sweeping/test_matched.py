"""``mtrl.sweep --size-matched``: an mtsac of each agent's size, once a size, asked for by flags of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mtrl import sweep
from mtrl.comparison.compare import compare
from mtrl.errors import UsageError
from mtrl.gathering.gather import gather
from mtrl.reporting.sizes import size_matched
from mtrl.sweeping.matched import nearest_width, with_controls
from mtrl.sweeping.plan import Job, make_plan
from mtrl.sweeping.pool import Running
from tests.mtrl.conftest import read_json
from tests.mtrl.made_runs import make_run

FLAGS = ["--tasks", "reach", "push"]
TINY = "--steps-per-task 60 --envs-per-task 2 --random-steps 20 --batch-per-task 4 --eval-every 30 --eval-episodes 1"


def matched(root: Path, agents: list[str], *flags: str, seeds: tuple[int, ...] = (0,)) -> tuple[list[Job], list[str]]:
    return with_controls(make_plan("tabletop", agents, seeds, 1, root, [*FLAGS, *flags]))


@pytest.mark.parametrize(("size", "width"), [(1, 1), (24, 5), (25, 5), (30, 5), (31, 6), (1_000_001, 1000)])
def test_the_width_whose_size_is_nearest_is_found(size: int, width: int) -> None:
    assert nearest_width(size, lambda one: one * one) == width


def test_each_agent_has_a_control_of_its_size_and_settings(tmp_path: Path) -> None:
    plan, lines = matched(tmp_path, ["care", "moore", "care-brc"], "--discount", "0.8", seeds=(3, 1))
    assert [job.name for job in plan[:6]] == [
        *("care seed 3", "moore seed 3", "care-brc seed 3"),
        *(f"mtsac (size of {agent}) seed 3" for agent in ("care", "moore", "care-brc")),
    ]
    assert len({job.log for job in plan}) == len(plan) == 12
    assert {job.config.seed for job in plan[6:]} == {1}
    controls = [job.config for job in plan[3:6]]
    assert {(one.settings.discount, one.tasks, one.baseline) for one in controls} == {(0.8, ("reach", "push"), "none")}
    assert [one.settings.critic for one in controls] == ["scalar", "scalar", "categorical"]
    assert all(len(one.settings.hidden) == 2 and len({*one.settings.hidden}) == 1 for one in controls)
    off = [float(line.rpartition("(")[2].rstrip("%)")) for line in lines]
    assert max(map(abs, off)) < 3.0


def test_a_flag_of_the_agent_alone_is_not_told_to_its_control(tmp_path: Path) -> None:
    plan, _ = matched(tmp_path, ["care"], "--encoders", "8", "--checkpoint-every", "7", "--device", "cpu")
    assert "--encoders" not in plan[1].arguments
    assert (plan[1].config.checkpoint_every, plan[1].config.device) == (7, "cpu")
    assert plan[1].config.runs_dir == tmp_path
    assert plan[1].folder == tmp_path / "tabletop/mtsac"


def test_agents_of_one_size_share_a_control_and_an_agent_may_be_it(tmp_path: Path) -> None:
    plan, lines = matched(tmp_path, ["mtsac", "care"])
    assert [job.config.agent for job in plan] == ["mtsac", "care", "mtsac"]
    assert lines[0] == "mtsac: its own control"
    plan, _ = matched(tmp_path, ["mtsac", "care"], "--hidden", "32", "32", "--trunk", "multi-head", "--encoder", "none")
    assert [job.name for job in plan] == ["mtsac seed 0", "care seed 0", "mtsac (size of mtsac) seed 0"]


def test_what_learns_alone_has_none_and_neither_has_one_that_no_width_meets(tmp_path: Path) -> None:
    plan, lines = matched(tmp_path, ["single-task", "care"], "--hidden", "1", "1")
    assert lines[0] == "single-task: learns every task alone, no control"
    plan, lines = matched(tmp_path, ["mtmhsac"], "--hidden", "3", "3")
    assert len(plan) == 1
    assert "no control: the nearest is mtsac (hidden=" in lines[0]


def test_an_agent_that_is_not_made_of_pieces_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="agent 'sb3' is not built from pieces.*leave it out of --agents"):
        matched(tmp_path, ["care", "sb3"])


def test_a_sweep_trains_controls_whose_size_is_what_was_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs of one agent and seed at a time, each in a folder of its own, which are there already the next time."""
    own = [
        "--suite",
        "tabletop",
        "--agents",
        "care,mtmhsac",
        "--seeds",
        "1",
        "--jobs",
        "2",
        "--runs-dir",
        str(tmp_path),
        "--size-matched",
    ]
    further = ["--", *FLAGS, *TINY.split(), "--hidden", "64", "64"]
    assert sweep.main([*own, *further]) == 0
    said = capsys.readouterr().out
    assert "4 of 4" in said
    for run in (tmp_path / "tabletop").glob("*/seed*"):
        assert f"{read_json(run / 'result.json')['parameters']:,}" in said
    assert len([*(tmp_path / "tabletop/mtsac").glob("seed1*")]) == 2
    assert sweep.main([*own, "--dry-run", *further]) == 0
    assert capsys.readouterr().out.count("already exists") == 4
    sizes = size_matched(compare(gather([tmp_path])))
    assert [line.partition(" and mtsac (hidden=")[0] for line in sizes] == ["care", "mtmhsac"]


def test_a_run_folder_of_the_control_beside_it_is_not_taken_for_its_own(tmp_path: Path) -> None:
    (job,) = make_plan("tabletop", ["mtsac"], [0], 1, tmp_path, ["--steps-per-task", "4000"])
    running = Running(job, subprocess.Popen([sys.executable, "-c", ""]), set())
    running.process.wait()
    make_run(tmp_path, "mtsac", 0, settings={"hidden": (9,)})
    running.look()
    assert running.step == 0
    make_run(tmp_path, "mtsac", 0, name="seed0-2")
    running.look()
    assert running.step == 4000

"""wandb, really run, offline: what its own file holds is what ``metrics.csv`` says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtrl import train
from tests.mtrl.conftest import metrics, read_json, tiny

pytest.importorskip("wandb", reason="the extra wandb")

BLOCK, HEADER, FIRST_HEADER = 32768, 7, 7
ALONE = ("--baseline", "none")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable of wandb's, whatever the machine has, but for the one that a run sets itself."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_DISABLE_WEAVE", "true")  # here, so that it is taken back


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file: a log in LevelDB's format, of fragments in blocks, each a record of wandb's own."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, whole = file.read_bytes(), FIRST_HEADER, b""
    while place + HEADER <= len(data):
        if BLOCK - place % BLOCK < HEADER:  # what is left of a block is filled up
            place += BLOCK - place % BLOCK
            continue
        size, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        whole += data[place + HEADER : place + HEADER + size]
        place += HEADER + size
        if kind in (1, 4):  # a whole record, or the last fragment of one
            yield Record.FromString(whole)
            whole = b""


def table(items: Any) -> dict[str, Any]:
    """Items of a record by name, those with names inside names as tables."""
    found: dict[str, Any] = {}
    for item in items:
        *above, last = item.nested_key or [item.key]
        place = found
        for name in above:
            place = place.setdefault(name, {})
        place[last] = json.loads(item.value_json)
    return found


def told(file: Path) -> dict[str, Any]:
    """What a .wandb file says of its run: config, history, summary, exit code, and what it is called."""
    found: dict[str, Any] = {"config": {}, "history": [], "summary": {}, "exit": None}
    for record in records(file):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            own = record.run
            found |= {"name": own.display_name, "project": own.project, "group": own.run_group, "job": own.job_type}
            found["config"] |= table(own.config.update)
        elif kind == "history":
            found["history"].append(table(record.history.item))
        elif kind == "summary":
            found["summary"] |= table(record.summary.update)
        elif kind == "exit":
            found["exit"] = record.exit.exit_code
    return found


def file_of(folder: Path) -> Path:
    """The one .wandb file below a folder."""
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return file


def numbers(history: list[dict[str, Any]]) -> set[tuple[int, str, float]]:
    """Step, tag and value, as ``metrics.csv`` has them."""
    return {
        (line["_step"], tag, float(f"{value:.10g}"))
        for line in history
        for tag, value in line.items()
        if not tag.startswith("_") and isinstance(value, int | float)
    }


def test_an_agent_and_its_baseline_are_runs_of_one_group_and_hold_what_the_csv_does(tmp_path: Path) -> None:
    more = ("--record-every", "64", "--track", "wandb")
    assert train.main(tiny(tmp_path, *more)) == 0
    for agent in ("care", "single-task"):
        run = tmp_path / "tabletop" / agent / "seed0"
        found = told(file_of(run))
        assert [found[key] for key in ("name", "project", "group", "job")] == [
            *(f"tabletop/{agent}/seed0", "mtrl", "tabletop", agent)
        ]
        assert numbers(found["history"]) == {*metrics(run)}
        assert [line["_step"] for line in found["history"]] == sorted({step for step, _, _ in metrics(run)})
        config = read_json(run / "config.json")
        assert (found["config"]["steps_per_task"], found["config"]["agent"]) == (64, agent)
        assert found["config"]["hidden"] == config["settings"]["hidden"]
        result = read_json(run / "result.json")
        assert found["summary"]["result/tasks/push/return"] == result["tasks"]["push"]["return"]
        assert found["summary"]["result/mean/success_any"] == result["mean"]["success_any"]
        assert found["exit"] == 0
        last = found["history"][-1]
        assert last["viz/curves"]["_type"] == "image-file"
        assert last["viz/policy"]["_type"] == "video-file"
        files = file_of(run).parent / "files"
        assert all((files / last[tag]["path"]).is_file() for tag in ("viz/curves", "viz/policy"))


def test_its_own_variables_say_where_and_under_which_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name, value in (("DIR", str(tmp_path / "elsewhere")), ("PROJECT", "mine"), ("RUN_GROUP", "both")):
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert train.main(tiny(tmp_path / "runs", "--agent", "sb3", "--jobs", "1", "--track", "wandb", *ALONE)) == 0
    run = tmp_path / "runs" / "tabletop" / "sb3" / "seed0"
    found = told(file_of(tmp_path / "elsewhere"))
    assert (found["project"], found["group"], found["name"]) == ("mine", "both", "tabletop/sb3/seed0")
    assert numbers(found["history"]) == {*metrics(run)}
    assert not (run / "wandb").exists()


def test_a_mode_that_is_set_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert train.main(tiny(tmp_path, "--track", "wandb", *ALONE)) == 0
    assert not [*tmp_path.rglob("*.wandb")]


def test_ctrl_c_ends_its_run_as_one_that_was_stopped(tmp_path: Path) -> None:
    long = tiny(tmp_path, "--steps-per-task", "1000000", "--track", "wandb", *ALONE)
    # With Python's own handler, also where the tests run in the background of a shell, which then ignores Ctrl-C.
    handler = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{handler}; from mtrl.train import run; run()", *long]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        run, since = tmp_path / "tabletop" / "care" / "seed0", time.monotonic()
        while not (run / "metrics.csv").is_file() or not metrics(run):
            assert process.poll() is None
            assert time.monotonic() - since < 300
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.wait(300)
    found = told(file_of(run))
    assert found["exit"] == 255
    assert numbers(found["history"]) == {*metrics(run)}

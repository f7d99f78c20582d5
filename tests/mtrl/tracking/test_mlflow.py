"""MLflow, really run, on a database of its own: what its client reads is what ``metrics.csv`` says."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtrl import train
from mtrl.errors import RunError
from mtrl.tracking.mlflow import ENVIRONMENT, start
from mtrl.tracking.run_log import RunLog
from mtrl.tracking.tracker import TrackedRun
from tests.mtrl.conftest import metrics, read_json, tiny

for package in ("alembic", "mlflow", "sqlalchemy"):
    pytest.importorskip(package, reason="the extra mlflow")

ALONE = ("--baseline", "none")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable of MLflow's, whatever the machine has, but for those that a run sets itself."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():  # here, so that they are taken back
        monkeypatch.setenv(name, value)


def client_of(folder: Path) -> Any:
    from mlflow import MlflowClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # between MLflow and SQLAlchemy, the first time
        return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def runs_of(client: Any, experiment: str) -> dict[str, Any]:
    """The runs of an experiment by name."""
    found = client.get_experiment_by_name(experiment)
    return {run.info.run_name: run for run in client.search_runs([found.experiment_id])}


def numbers(client: Any, run: Any) -> set[tuple[int, str, float]]:
    """Step, tag and value of what a run logged as it went, as ``metrics.csv`` has them."""
    return {
        (one.step, name, float(f"{one.value:.10g}"))
        for name in run.data.metrics
        if not name.startswith("result/")
        for one in client.get_metric_history(run.info.run_id, name)
    }


def test_an_agent_and_its_baseline_are_runs_of_one_experiment_and_hold_what_the_csv_does(tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path, "--record-every", "64", "--track", "mlflow")) == 0
    client = client_of(tmp_path)
    runs = runs_of(client, "mtrl/tabletop")
    assert {*runs} == {"tabletop/care/seed0", "tabletop/single-task/seed0"}
    for agent in ("care", "single-task"):
        path, run = tmp_path / "tabletop" / agent / "seed0", runs[f"tabletop/{agent}/seed0"]
        assert numbers(client, run) == {*metrics(path)}
        assert run.info.status == "FINISHED"
        assert (run.data.params["steps_per_task"], run.data.params["hidden"]) == ("64", "(16,)")
        assert (run.data.tags["suite"], run.data.tags["agent"], run.data.tags["result/device"]) == (
            *("tabletop", agent),
            read_json(path / "result.json")["device"],
        )
        result = read_json(path / "result.json")
        assert run.data.metrics["result/tasks/push/return"] == result["tasks"]["push"]["return"]
        assert run.data.metrics["result/mean/success_any"] == result["mean"]["success_any"]
        pictures = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
        assert any("viz~curves" in name or "viz#curves" in name for name in pictures)
        (film,) = client.list_artifacts(run.info.run_id, "viz/policy")
        assert film.path == "viz/policy/64.gif"
        assert client.get_experiment(run.info.experiment_id).artifact_location == (tmp_path / "mlflow").as_uri()


def test_its_own_variables_say_where_and_under_which_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # where the database says that pictures go
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    assert train.main(tiny(tmp_path / "runs", "--agent", "sb3", "--jobs", "1", "--track", "mlflow", *ALONE)) == 0
    client = client_of(tmp_path / "elsewhere")
    ((name, run),) = runs_of(client, "mine").items()
    assert name == "tabletop/sb3/seed0"
    assert numbers(client, run) == {*metrics(tmp_path / "runs" / "tabletop" / "sb3" / "seed0")}
    assert not (tmp_path / "runs" / "mlflow.db").exists()


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., Any]:
    """``started(params)``: a tracker of its own, and what reads it."""

    def make(**params: Any) -> Any:
        return start(TrackedRun("tabletop/care/seed0", tmp_path / "run", tmp_path, "tabletop", "care", params))

    return make


def test_runs_that_begin_at_once_make_one_database(tmp_path: Path) -> None:
    """As those of a sweep do; without a lock, one finds the tables of the other half made."""
    code = f"""
import sys
from pathlib import Path
from mtrl.tracking.mlflow import start
from mtrl.tracking.tracker import TrackedRun
folder = Path({str(tmp_path)!r})
start(TrackedRun(sys.argv[1], folder / "run", folder, "tabletop", "care", {{}})).finish("finished")
"""
    commands = [[sys.executable, "-c", code, name] for name in ("one", "two", "three")]
    started = [subprocess.Popen(command) for command in commands]
    assert [process.wait(300) for process in started] == [0, 0, 0]
    assert {*runs_of(client_of(tmp_path), "mtrl/tabletop")} == {"one", "two", "three"}


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), "KILLED"), (RunError("diverged"), "FAILED")])
def test_a_run_that_ends_early_has_mlflows_word_for_it(
    started: Callable[..., Any], tmp_path: Path, error: BaseException, status: str
) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(type(error)), RunLog(tmp_path / "run", [started()]):
        raise error
    (run,) = runs_of(client_of(tmp_path), "mtrl/tabletop").values()
    assert run.info.status == status


def test_names_that_it_does_not_take_stay_apart_and_what_is_many_or_long_arrives(
    started: Callable[..., Any], tmp_path: Path
) -> None:
    tracker = started(**{f"setting{k}": k for k in range(150)}, words="w" * 7000)
    tracker.scalars(
        5, {"eval/return/mass=1": 1.0, "eval/return/mass+1": 2.0, **{f"many/{k}": 0.0 for k in range(1200)}}
    )
    (run,) = runs_of(client_of(tmp_path), "mtrl/tabletop").values()
    assert (run.data.metrics["eval/return/mass_3d1"], run.data.metrics["eval/return/mass_2b1"]) == (1.0, 2.0)
    assert len(run.data.metrics) == 1202
    assert (run.data.params["setting149"], len(run.data.params["words"])) == ("149", 5000)

"""``--config``: a run's configuration as the defaults of another, for a training and for a sweep."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import sweep, train
from mtrl.config import TrainConfig
from mtrl.config.arguments import parse_config
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run
from tests.mtrl.conftest import Said, read_json, retold, same_weights

Refused = Callable[..., str]


def test_a_rerun_ends_with_equal_weights(care_run: Path, tmp_path: Path) -> None:
    file = str(care_run / "config.json")
    assert train.main(["--config", file, "--baseline", "none", "--runs-dir", str(tmp_path / "again")]) == 0
    again = tmp_path / "again" / "tabletop" / "care" / "seed0"
    assert same_weights(care_run, again)
    old, new = (read_run(path)[0] for path in (care_run, again))
    assert dataclasses.replace(old, baseline="none", runs_dir=new.runs_dir) == new


def test_all_is_taken_but_the_place_and_flags_go_over_it(care_run: Path) -> None:
    told, _ = read_run(care_run)
    config = parse_config(["--config", str(care_run), "--seed", "3", "--hidden", "8"])
    settings = dataclasses.replace(told.settings, hidden=(8,))
    assert config == dataclasses.replace(told, seed=3, settings=settings, runs_dir=TrainConfig.runs_dir)
    assert type(config) is TrainConfig


def test_another_agent_takes_what_it_can_be_told(care_run: Path) -> None:
    told, _ = read_run(care_run)
    config = parse_config(["--config", str(care_run), "--agent", "mtsac"])
    assert (config.agent, config.steps_per_task, config.tasks) == ("mtsac", told.steps_per_task, told.tasks)
    assert config.settings.hidden == told.settings.hidden
    assert not hasattr(config.settings, "encoders")


def test_a_file_that_is_none_is_named(refused: Refused, tmp_path: Path, care_run: Path) -> None:
    assert "there is no file" in refused(train.main, "--config", tmp_path / "none.json")
    (tmp_path / "x.json").write_text("[]")
    assert "x.json' is damaged" in refused(train.main, "--config", tmp_path / "x.json")
    (tmp_path / "x.json").write_text(json.dumps({"agent": "care", "settings": {"network": 3}, "runs_dir": "."}))
    assert "network is 3" in refused(train.main, "--config", tmp_path / "x.json")
    assert "--recipe and --config both set the defaults" in refused(
        train.main, "--config", care_run, "--recipe", "standard"
    )


@pytest.fixture
def booby_trapped(care_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose suite leaves a file behind if it is imported, and is tabletop's push otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "from pathlib import Path\nfrom mtrl import make_suite\nPath('executed').touch()\n"
    (tmp_path / "evil_rerun.py").write_text(f"{source}suite = make_suite('tabletop')\n")
    file = care_run / "config.json"
    retold(file, suite="evil_rerun:suite")
    return file


def test_a_configuration_that_names_a_module_is_refused_by_training_and_sweep(
    refused: Refused, booby_trapped: Path
) -> None:
    for main, *before in ((train.main,), (sweep.main, "--agents", "care", "--seeds", "0", "--dry-run", "--")):
        line = refused(main, *before, "--config", booby_trapped)
        assert "names the suite 'evil_rerun:suite'" in line
        assert "--suite evil_rerun:suite, or --trust" in line
    with pytest.raises(UsageError, match="names the suite"):
        train.main(["--config", str(booby_trapped), "--help"])
    assert not Path("executed").exists()


def test_a_sweep_takes_the_files_suite_unless_it_is_given(call: Callable[..., Said], booby_trapped: Path) -> None:
    plan = ("--agents", "mtsac", "--seeds", "0", "--dry-run")
    said = call(sweep.main, *plan, "--", "--config", booby_trapped, "--trust")
    assert "--suite evil_rerun:suite --agent mtsac" in said.out
    assert Path("executed").exists()
    other = call(sweep.main, *plan, "--suite", "pendulum-gravity", "--", "--config", booby_trapped, "--tasks")
    assert "--suite pendulum-gravity --agent mtsac" in other.out, other


@pytest.mark.parametrize(
    ("place", "wrong", "words"),
    [
        ((), "step_per_task", ("unknown entry 'step_per_task'", "Did you mean 'steps_per_task'")),
        (("settings",), "learning_rat", ("unknown setting 'learning_rat' of care", "Did you mean 'learning_rate'")),
    ],
)
def test_a_typing_error_in_a_file_of_settings_is_named(
    place: tuple[str, ...],
    wrong: str,
    words: tuple[str, str],
    care_run: Path,
    refused: Callable[..., str],
    tmp_path: Path,
) -> None:
    values = read_json(care_run / "config.json")
    table = values
    for name in place:
        table = table[name]
    table[wrong] = 5
    (tmp_path / "mine.json").write_text(json.dumps(values))
    line = refused(train.main, "--config", tmp_path / "mine.json")
    assert [part for part in words if part not in line] == [], line

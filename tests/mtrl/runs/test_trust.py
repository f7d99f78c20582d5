"""A run folder is data: what its files name is imported only where the user says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mtrl
from mtrl import compare, evaluate, play, report
from mtrl.runs.trust import foreign, refuse_imports
from tests.mtrl.conftest import read_json, retold

Refused = Callable[..., str]
EVIL = "from pathlib import Path\nPath('executed').touch()\nsuite = None\n"
TOML = 'name = "swings"\n[[task]]\nname = "light"\nid = "evil:Pendulum-v1"\n'
FORMS = ["evil:suite", "swings.toml", "gym:Pendulum-v1,evil:Pendulum-v1"]


@pytest.fixture
def booby_trapped(care_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``booby_trapped(suite=...)``: a run whose ``config.json`` names what leaves a file behind if it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / "swings.toml").write_text(TOML)

    def rewrite(settings: dict[str, Any] | None = None, **values: Any) -> Path:
        file = care_run / "config.json"
        retold(file, **values, settings={**read_json(file)["settings"], **(settings or {})})
        return care_run

    return rewrite


@pytest.mark.parametrize("suite", FORMS)
def test_no_command_imports_what_a_run_names_and_the_line_says_how_to_allow_it(
    booby_trapped: Callable[..., Path], refused: Refused, suite: str
) -> None:
    run = booby_trapped(suite=suite)
    for main, *more in ((evaluate.main,), (play.main, "--task", "reach")):
        line = refused(main, run, *more)
        assert f"names the suite {suite!r}" in line
        assert "import" in line
        assert f"--suite {suite}, or --trust" in line
    with pytest.raises(mtrl.UsageError, match="give suite='.*', or trust=True"):
        mtrl.load(run)
    assert not Path("executed").exists()


def test_comparing_runs_imports_nothing(booby_trapped: Callable[..., Path], tmp_path: Path) -> None:
    run = booby_trapped(suite="evil:suite")
    assert compare.main([str(run), "--out", str(tmp_path / "out")]) == 0
    assert report.main([str(run), "--out", str(tmp_path / "report.html")]) == 0
    assert not Path("executed").exists()


@pytest.mark.parametrize("suite", ["evil:suite", "swings.toml"])
def test_naming_the_suite_again_or_trusting_the_run_imports_it(
    booby_trapped: Callable[..., Path], refused: Refused, suite: str
) -> None:
    run = booby_trapped(suite=suite)
    for allowed in (["--suite", suite], ["--trust"]):
        assert "names the suite" not in refused(evaluate.main, run, *allowed)  # it is no suite, as its import showed
        assert Path("executed").exists()
        Path("executed").unlink()
        mtrl_forgets("evil")


@pytest.mark.parametrize(("field", "values"), [("agent", {"agent": "evil:agent"}), ("context", {"settings": {}})])
def test_a_piece_that_would_be_imported_is_refused_before_it_is_read(
    booby_trapped: Callable[..., Path], refused: Refused, field: str, values: dict[str, Any]
) -> None:
    run = booby_trapped(**(values if field == "agent" else {"settings": {"context": "evil:context"}}))
    line = refused(evaluate.main, run, "--suite", "tabletop")
    assert f"names 'evil:{field}' as its {field}, which would be imported" in line
    assert "--trust" in line
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    ("field", "name"),
    [("agent", "evil:1"), ("agent", "évil:mine"), ("agent", "evil:a:b"), ("encoder", "evil:1"), ("critic", "évil:x")],
)
def test_an_agent_or_a_piece_that_reads_like_no_name_of_python_would_be_imported_too(field: str, name: str) -> None:
    values = {"agent": name} if field == "agent" else {"agent": "care", "settings": {field: name}}
    with pytest.raises(mtrl.UsageError, match=f"names '{name}' as its {field}"):
        refuse_imports(values, "run", suite_given=True, trust=False)


@pytest.mark.parametrize(
    "suite", ["tabletop", "pendulum-gravity:2,5", "metaworld/MT1:reach-v3", "gym:Pendulum-v1", "unknown", "object:mine"]
)
def test_what_comes_with_the_kit_or_is_installed_is_no_matter_of_trust(suite: str) -> None:
    assert foreign(suite) == ""
    refuse_imports({"suite": suite}, "run", suite_given=False, trust=False)


def test_a_run_of_ones_own_suite_is_evaluated_by_naming_it_again(
    plug_in: Callable[..., str], refused: Refused, tmp_path: Path
) -> None:
    name = plug_in("from mtrl import make_suite\nsuite = make_suite('tabletop').only(['reach'])\n")
    few = {"steps_per_task": 4, "random_steps": 2, "envs_per_task": 1, "batch_per_task": 2, "eval_episodes": 1}
    run = mtrl.learn(f"{name}:suite", "mtsac", hidden=(8,), threads=1, runs_dir=tmp_path, **few).path
    assert f"--suite {name}:suite" in refused(evaluate.main, run, "--episodes", 1)
    assert evaluate.main([str(run), "--episodes", "1", "--suite", f"{name}:suite"]) == 0
    assert evaluate.main([str(run), "--episodes", "1", "--trust"]) == 0
    assert mtrl.load(run, trust=True).tasks == ("reach",)


def test_weights_are_read_as_safetensors_alone() -> None:
    """No module of the kit unpickles a file: pickle is for what goes to the kit's own processes."""
    home = Path(mtrl.__file__).parent.parent
    files = [file for package in ("mtrl", "envs", "agents") for file in (home / package).rglob("*.py")]
    text = {str(file.relative_to(home)): file.read_text() for file in files}
    for call in ("torch.load", "pickle.load(", "joblib", "SAC.load", "allow_pickle=True", "eval(", "exec("):
        assert [file for file, source in text.items() if call in source.replace(".eval(", "")] == [], call
    assert {file for file, source in text.items() if "pickle.loads" in source} == {"envs/stepping/worker_main.py"}


def mtrl_forgets(module: str) -> None:
    """Let a module be imported again."""
    import sys

    sys.modules.pop(module, None)

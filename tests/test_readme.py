"""The README's commands and its Python examples are run as they stand there."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mtrl import bench, check, compare, evaluate, export, play, report, sweep, train
from mtrl import list as list_command
from mtrl.cli import UsageError

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SMALL = "--steps-per-task 64 --random-steps 32 --envs-per-task 2 --batch-per-task 4 --eval-every 64 --eval-episodes 1"
LARGE = "--tasks reach-v3 --hidden 8 8 --workers 0"  # Meta-World: one task, and networks that make no difference
COMMANDS = {
    "mtrl.train": train.main,
    "mtrl.evaluate": evaluate.main,
    "mtrl.check": check.main,
    "mtrl.list": list_command.main,
    "mtrl.bench": bench.main,
    "mtrl.compare": compare.main,
    "mtrl.report": report.main,
    "mtrl.sweep": sweep.main,
    "mtrl.play": play.main,
    "mtrl.export": export.main,
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """Every ``python -m mtrl.X ...`` in code, split into words."""
    code = "\n".join([*blocks("bash"), *re.findall(r"`(python -m mtrl[^`]*)`", README)])
    return [shlex.split(line, comments=True) for line in re.findall(r"python -m (mtrl\.[^\n&`]*)", code)]


def method() -> str:
    """The file of a method of one's own."""
    (source,) = [block for block in blocks("python") if "preset(" in block]
    return source


def exit_code(module: str, arguments: list[str]) -> int:
    try:
        return COMMANDS[module](arguments)
    except SystemExit as end:  # as --help ends
        return int(end.code or 0)


def test_the_readme_names_every_command() -> None:
    assert {words[0] for words in commands()} == set(COMMANDS)


def test_the_install_lines_are_the_ones_that_ci_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lines = re.findall(r"pip install [^\n&]*", "\n".join(blocks("bash")))
    assert len(lines) >= 2
    for line in lines:
        assert line.strip().replace("pip install", "pip install --quiet") in script


def test_every_command_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder, trainings first and cut short by flags put behind; a window is refused without a display."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    (example,) = [block for block in blocks("python") if "TaskSuite" in block]
    (tmp_path / "my_module.py").write_text(example, encoding="utf-8")
    (tmp_path / "my_method.py").write_text(method(), encoding="utf-8")
    (table,) = [block for block in blocks("toml") if "[[task]]" in block]
    (tmp_path / "tasks.toml").write_text(table, encoding="utf-8")
    short = {"mtrl.train": SMALL.split(), "mtrl.bench": ["--repeats", "1"], "mtrl.evaluate": ["--episodes", "1"]}
    order = sorted(commands(), key=lambda words: words[0] != "mtrl.train")
    assert len(order) >= 8
    for module, *arguments in order:
        large = any(argument.startswith("metaworld/") for argument in arguments)
        if large and importlib.util.find_spec("metaworld") is None:
            continue
        less = LARGE.split() if large and module == "mtrl.train" else []
        if module == "mtrl.sweep":
            own, further = sweep.split(arguments)
            arguments = [*own, "--agents", "single-task", "--seeds", "0", "--", *further, *SMALL.split()]
        if module == "mtrl.play":
            with pytest.raises(UsageError, match="display"):
                play.main(arguments)
            continue
        assert exit_code(module, [*arguments, *short.get(module, []), *less]) == 0, (module, arguments)
    assert (tmp_path / "runs/pendulums/care/seed0/result.json").exists()
    assert (tmp_path / "runs/tabletop/my_method_mine/seed0/result.json").exists()
    assert (tmp_path / "runs/swings/care/seed0/result.json").exists()
    assert (tmp_path / "runs/tabletop/care/seed0/evaluation.json").exists()
    assert (tmp_path / "runs/tabletop/compare.csv").exists()
    assert (tmp_path / "report.md").exists()
    assert (tmp_path / "policy.pt").exists()


def test_the_python_example_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut short by settings put in place of its number of steps."""
    monkeypatch.chdir(tmp_path)
    (example,) = [block for block in blocks("python") if "mtrl.load" in block]
    words = [word.removeprefix("--").replace("-", "_") for word in SMALL.split()]
    settings = ", ".join(f"{name}={value}" for name, value in zip(words[::2], words[1::2], strict=True))
    assert example.count("steps_per_task=20_000") == 1
    ran: dict[str, Any] = {}
    exec(example.replace("steps_per_task=20_000", f"{settings}, threads=1"), ran)
    assert ran["result"].path == Path("runs/tabletop/care/seed1")
    assert ran["action"].shape == (3,)
    assert len(ran["scores"]) == 10
    assert len(capsys.readouterr().out.split()) == 2


def test_the_plug_in_example_is_short() -> None:
    (example,) = [block for block in blocks("python") if "TaskSuite" in block]
    assert len([line for line in example.splitlines() if line.strip() and not line.startswith("#")]) <= 10


def test_the_method_of_ones_own_is_short_and_stands_beside_care_in_one_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len([line for line in method().splitlines() if line.strip()]) <= 25
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_method.py").write_text(method(), encoding="utf-8")
    assert check.main(["--agent", "my_method:mine"]) == 0
    for agent in ("my_method:mine", "care"):
        own = ["--agent", agent, "--baseline", "none", "--hidden", "8", "--tasks", "reach", "push", "--threads", "1"]
        assert train.main([*own, *SMALL.split()]) == 0
    capsys.readouterr()
    assert compare.main(["runs/tabletop"]) == 0
    assert report.main(["runs/tabletop", "--out", "page.html"]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("my_method:mine", "care"))


def test_links_and_pictures_point_at_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []

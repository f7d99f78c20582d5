"""The README's commands are run as they stand there; ``tests/docs`` has the other pages, and all examples in Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtrl import bench, check, compare, evaluate, export, play, report, sweep, train
from mtrl import list as list_command
from mtrl.errors import UsageError
from tests.docs.conftest import FILES, PAGES, ROOT, blocks_of, commands_of

PAGE = "README.md"
README = PAGES[PAGE]
SMALL = "--steps-per-task 64 --random-steps 32 --envs-per-task 2 --batch-per-task 4 --eval-every 64 --eval-episodes 1"
SHORT = {
    "mtrl.train": [*SMALL.split(), "--threads", "1"],
    "mtrl.bench": ["--repeats", "1"],
    "mtrl.evaluate": ["--episodes", "1"],
}
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


def exit_code(module: str, arguments: list[str]) -> int:
    try:
        return COMMANDS[module](arguments)
    except SystemExit as end:  # as --help ends
        return int(end.code or 0)


def test_the_readme_names_every_command() -> None:
    assert {words[0] for words in commands_of(PAGE)} == set(COMMANDS)


def test_the_install_lines_are_the_ones_that_ci_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    shell = [block.text for block in blocks_of(PAGE) if block.language == "bash"]
    lines = re.findall(r"pip install [^\n&]*", "\n".join(shell))
    assert len(lines) >= 3
    for line in lines:
        assert line.strip().replace("pip install", "pip install --quiet") in script


def cut_short(module: str, arguments: list[str]) -> tuple[str, ...]:
    """A command with flags put behind that make little of it; a sweep is of one agent and one seed."""
    if module == "mtrl.sweep":
        own, further = sweep.split(arguments)
        agent = "mtsac" if "--encoder" in further else "single-task"  # which has none
        return (module, *own, "--agents", agent, "--seeds", "0", "--", *further, *SMALL.split())
    return (module, *arguments, *SHORT.get(module, []))


def test_every_command_runs_as_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder, trainings first, each of them once; a window is refused without a display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    order = sorted(commands_of(PAGE), key=lambda words: words[0] != "mtrl.train")
    assert len(order) >= 8
    for module, *arguments in dict.fromkeys(cut_short(module, arguments) for module, *arguments in order):
        if module == "mtrl.play":
            with pytest.raises(UsageError, match="display"):
                play.main(arguments)
            continue
        assert exit_code(module, arguments) == 0, (module, arguments)
    assert (folder / "runs/pendulums/care/seed0/result.json").exists()
    assert (folder / "runs/tabletop-50/my_method_mine/seed0/result.json").exists()
    assert (folder / "runs/tabletop-50/care/seed0/evaluation.json").exists()
    assert (folder / "runs/tabletop-50/compare.json").exists()
    assert (folder / "report.html").exists()
    assert (folder / "report.md").exists()
    assert (folder / "policy.pt").exists()


def test_the_plug_in_example_is_short() -> None:
    assert len([line for line in FILES["my_module.py"].splitlines() if line.strip()]) <= 10


def test_the_method_of_ones_own_is_short_and_stands_beside_care_in_one_report(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len([line for line in FILES["my_method.py"].splitlines() if line.strip()]) <= 25
    assert check.main(["--agent", "my_method:mine"]) == 0
    for agent in ("my_method:mine", "care"):
        own = ["--agent", agent, "--baseline", "none", "--hidden", "8", "--tasks", "reach", "push", "--threads", "1"]
        assert train.main([*own, *SMALL.split()]) == 0
    capsys.readouterr()
    assert compare.main(["runs/tabletop-50"]) == 0
    assert report.main(["runs/tabletop-50", "--out", "page.html"]) == 0
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("my_method:mine", "care"))


def test_links_and_pictures_point_at_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []

"""Every command that the README or a page names is one that its parser takes, and every flag is one that there is."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agents.registry.compose import settings_type
from agents.registry.pieces import PIECES
from agents.registry.presets import PRESETS
from agents.registry.spec import Spec
from mtrl import sweep, train
from mtrl.config.arguments import TrainArguments
from mtrl.terminal.cli import parse
from tests.docs.conftest import FILES, PAGES, ROOT, blocks_of, commands_of

NAMES = ["train", "evaluate", "play", "export", "sweep", "compare", "report", "list", "check", "bench"]
OTHERS = {
    "--run-browser",
    "--run-slow",
    "--quick",
    "--only",
    "--logdir",
    "--strict",
    "--backend-store-uri",
}  # of other programs
SHORT = {"--from"}  # for --from-run


def config_of(module: ModuleType) -> type[Any]:
    """What a command parses its arguments into."""
    kinds = [kind for name, kind in vars(module).items() if name.endswith("Config") and isinstance(kind, type)]
    return kinds[-1]


def parse_as_the_command_does(name: str, arguments: list[str]) -> None:
    """Raise ``UsageError`` or ``SuiteError`` for what the command would refuse; nothing is trained."""
    module = importlib.import_module(name)
    if module is train:
        train.parse_command(arguments)
    elif module is sweep:
        own, further = sweep.split(arguments)
        assert sweep.main([*own, "--dry-run", "--", *further]) == 0
    else:
        parse(config_of(module), name, arguments)


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)])
def test_every_command_on_a_page_is_one_that_is_taken(page: str, folder: Path) -> None:
    for suite in ("tabletop", "tabletop-50"):  # for --config, --resume and --from
        run = folder / "runs" / suite / "care" / "seed0"
        (run / "checkpoints").mkdir(parents=True)
        (run / "config.json").write_text(json.dumps(train.parse_command(["--suite", suite]).config.to_json()))
        (run / "result.json").write_text("{}")
        (run / "checkpoints" / "latest").write_text("step000000000040\n")
    for name, *arguments in commands_of(page):
        assert name.removeprefix("mtrl.") in NAMES, (page, name)
        parse_as_the_command_does(name, [argument for argument in arguments if argument != "--help"])


def test_the_command_pages_commands_are_all_there_are() -> None:
    page = "docs/reference/commands.md"
    scripts = re.findall(r'^mtrl-(\w+) = "mtrl', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert sorted(scripts) == sorted(NAMES)
    assert [name for name in NAMES if f"\n## mtrl.{name}\n" not in PAGES[page]] == []
    assert {words[0] for words in commands_of(page)} == {f"mtrl.{name}" for name in NAMES}


def known_flags() -> set[str]:
    """The flags of all commands, of all agents and pieces, and of the pieces that the pages' own files make."""
    kinds: list[Any] = [TrainArguments, *(config_of(importlib.import_module(f"mtrl.{name}")) for name in NAMES)]
    kinds += [settings_type(agent) for agent in PRESETS.values()]
    kinds += [piece.settings for pieces in PIECES.values() for piece in pieces.values() if piece.settings]
    modules = [importlib.import_module(name.removesuffix(".py")) for name in FILES if name.endswith(".py")]
    shown = [value for module in modules for value in vars(module).values() if isinstance(value, Spec)]
    kinds += [spec.settings for spec in shown if spec.settings]
    fields = [field for kind in kinds for field in dataclasses.fields(kind)]
    names = {field.name for field in fields} | {f"no_{field.name}" for field in fields if field.type in (bool, "bool")}
    return {f"--{name.replace('_', '-')}" for name in names} | {"--help"}


@pytest.mark.usefixtures("folder")
def test_every_flag_that_is_named_exists() -> None:
    known = known_flags() | OTHERS | SHORT
    named = {}
    for page, text in PAGES.items():
        code = [block.text for block in blocks_of(page) if block.language == "bash"]
        code += re.findall(r"(?<!`)`([^`]+)`(?!`)", text)
        named[page] = {flag for line in code for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)}
    assert len(set().union(*named.values())) > 40
    assert {page: wrong for page, flags in named.items() if (wrong := flags - known)} == {}

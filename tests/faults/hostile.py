"""Run folders of a stranger who wants code of theirs executed: by a command, in a page or a table, through a link."""

from __future__ import annotations

import contextlib
import csv
import importlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mtrl import train
from mtrl.errors import RunError, UsageError
from mtrl.runs.checksums import CHECKSUMS
from tests.faults.malformed import Began, in_place
from tests.mtrl.made_runs import make_run

EVIL = "from pathlib import Path\nPath({mark!r}).touch()\nsuite = mine = None\n"
TOML = 'name = "s"\n[[task]]\nname = "a"\nid = "evil:Pendulum-v1"\n'
TINY = (
    *("--agent", "mtsac", "--baseline", "none", "--keep-checkpoint", "--tasks", "reach"),
    *("--steps-per-task", "16", "--random-steps", "8", "--envs-per-task", "1", "--batch-per-task", "2"),
    *("--eval-episodes", "1", "--hidden", "8", "--threads", "1"),
)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("evaluate", "run", "--episodes", "1"),
    ("play", "run", "--task", "reach", "--episodes", "1"),
    ("export", "run", "--out", "policy.pt"),
    ("train", "--config", "run", "--runs-dir", "again"),
    ("train", "--resume", "run", "--steps-per-task", "32"),
    ("compare", "run", "--out", "out"),
    ("report", "run", "--out", "report.html"),
)
SUITES = ("evil:suite", "evil:", "evil:1", "évil:suite", "evil.toml", "./evil.toml", "gym:evil:Pendulum-v1")
AGENTS = ("evil:mine", "evil:1", "évil:mine", "evil:mine:x")
PIECES = ("encoder", "trunk", "aggregator", "sampler", "penalty", "critic")
MARKUP = ('<script src="x"></script>', '"><img src=x onerror="x()">', "</style><script>x()</script>", "{{ 7 * 7 }}")
FORMULA = "=HYPERLINK(1)"
LINKS = ("evaluation.json", "result.json", "lock.json", "metrics.csv", "matrices.jsonl")


class Executes:
    """What runs code when somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


class Active(HTMLParser):
    """Finds in a page what a browser would run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]
        if runs or tag in ("script", "iframe", "object", "embed", "img", "link", "base"):
            self.found.append(tag)


def hostile(folder: Path) -> tuple[int, int, list[str]]:
    """Try every hostile run in an empty ``folder`` -> how many executed nothing, tried, what was executed by which."""
    folder.mkdir(parents=True, exist_ok=True)
    with in_place(folder, [], training=True), _silent():
        train.main([*TINY, "--runs-dir", "sound"])
    (run,) = (path.parent for path in (folder / "sound").rglob("config.json"))
    found = [f"{name}: {what}" for name, spoil in _runs().items() if (what := _tried(run, folder / "trial", spoil))]
    found += [f"{text}: {what}" for text in (*MARKUP, FORMULA) if (what := _shown(folder / "shown", text))]
    total = len(_runs()) + len(MARKUP) + 1
    return total - len(found), total, found


def _runs() -> dict[str, Callable[[Path], None]]:
    """Return what is done to a sound run, by what it is called."""
    made = {f"suite {name}": _told(suite=name) for name in SUITES}
    made |= {f"agent {name}": _told(agent=name) for name in AGENTS}
    made |= {f"{slot} evil:{slot}": _told(settings={slot: f"evil:{slot}"}) for slot in PIECES}
    made |= {f"{slot} evil:1": _told(settings={slot: "evil:1"}) for slot in PIECES[:2]}
    made |= {f"link at {name}": _linked(name) for name in LINKS}
    made["pickle for weights"] = _pickled
    made["pickle for a checkpoint"] = _checkpoint
    made["context evil:context"] = _told(settings={"context": "evil:context"})
    return made


def _told(settings: dict[str, Any] | None = None, **values: Any) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        told = json.loads((run / "config.json").read_text())
        told = {**told, **values, "settings": {**told["settings"], **(settings or {})}}
        (run / "config.json").write_text(json.dumps(told))

    return spoil


def _linked(name: str) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(run.parent / "diary")

    return spoil


def _pickled(run: Path) -> None:
    (run / "weights.safetensors").write_bytes(pickle.dumps(Executes(run.parent / "executed")))


def _checkpoint(run: Path) -> None:
    for path in (path for path in (run / "checkpoints").rglob("*") if path.suffix):
        path.write_bytes(pickle.dumps(Executes(run.parent / "executed")))
    (run / "result.json").unlink()


def _tried(sound: Path, folder: Path, spoil: Callable[[Path], None]) -> str:
    """Copy a run, spoil it, and have every command read it -> which of them executed or changed something of others."""
    for command in COMMANDS:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder / "run")
        (folder / "run" / CHECKSUMS).unlink()  # or nothing that is spoilt would be read
        (folder / "diary").write_text("dear diary")
        for name in ("evil.py", "évil.py"):
            (folder / name).write_text(EVIL.format(mark=str(folder / "executed")), encoding="utf-8")
        (folder / "evil.toml").write_text(TOML)
        spoil(folder / "run")
        _call(folder, command)
        if (folder / "executed").exists():
            return f"{command[0]} executed it"
        if (folder / "diary").read_text() != "dear diary":
            return f"{command[0]} wrote through it"
    return ""


def _shown(folder: Path, text: str) -> str:
    """Name everything in a run ``text``, and compare it -> where it would be run."""
    shutil.rmtree(folder, ignore_errors=True)
    facts = {"versions": {"torch": text}, "command": text, "machine": {"system": text, "processors": text}}
    more = {"git": {"commit": text, "changed": False}, "task_sentences": {text: text}, "dropped_settings": {text: text}}
    protocol = {"episodes": 10, "starts": text, "success": text, text: text}
    run = make_run(folder, scores={text: 0.5}, protocol=protocol, facts={**facts, **more})
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps({**result, "suite": text, "device": text}))
    table = {"step": 1000, "name": "attention", "rows": [text], "columns": [text, "b"], "values": [[0.5, 0.5]]}
    (run / "matrices.jsonl").write_text(json.dumps(table) + "\n")
    for command in (("compare", ".", "--out", "."), ("report", ".", "--out", "report.html")):
        if fault := _call(folder, command):
            return fault
    active = Active((folder / "report.html").read_text(encoding="utf-8")).found
    with (folder / "compare.csv").open(newline="", encoding="utf-8") as file:
        computed = [cell for row in csv.reader(file) for cell in row if cell.startswith("=")]
    return ", ".join([*active, *computed])


def _call(folder: Path, command: tuple[str, ...]) -> str:
    """Call a command in a folder -> what is wrong with how it ended, if it did not end as it should."""
    program, *arguments = command
    main = importlib.import_module(f"mtrl.{program}").main
    with in_place(folder, arguments), _silent():
        os.sys.path.append(str(folder))  # type: ignore[attr-defined]
        try:
            main(arguments)
        except (UsageError, RunError, ValueError, Began):
            return f"{program} refused it"
    return ""


@contextlib.contextmanager
def _silent() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield

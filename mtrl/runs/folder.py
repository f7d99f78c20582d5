"""Run folders: where a run writes, the configuration and result that it writes, and how it is found again."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from mtrl.config import TrainConfig
from mtrl.config.checks import check_values
from mtrl.errors import RunError, UsageError, os_reason
from mtrl.guard import HOME
from mtrl.runs.atomic import write_text
from mtrl.runs.checksums import CHECKSUMS, check_file, write_checksums
from mtrl.runs.git import commit_of, is_top_level
from mtrl.runs.reading import read_json
from mtrl.version import __version__

CONFIG, RESULT, WEIGHTS, METRICS = "config.json", "result.json", "weights.safetensors", "metrics.csv"
MATRICES, ABLATION = "matrices.jsonl", "ablation.json"
# Entries of config.json, beside the configuration, that are tables.
TABLES = ("versions", "machine", "git", "task_sentences", "suite_source", "dropped_settings", "context_frame", "before")
RECORDED = (*TABLES, "command", "context_source", "resumed")  # all entries beside the configuration
GUARDED = (CONFIG, RESULT, WEIGHTS, METRICS, MATRICES)  # files with checksums, once the run is finished
PACKAGES = ("torch", "gymnasium", "stable-baselines3", "numpy", "tensorboard")


def new_run_folder(runs_dir: Path, suite: str, agent: str, seed: int) -> Path:
    """Create ``runs_dir/<suite>/<agent>/seed<k>``, with a number appended if it exists, never outside ``runs_dir``.

    Raises ``UsageError`` if it cannot be written.
    """
    parent = agent_folder(runs_dir, suite, agent)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10_000):
            path = parent / (f"seed{seed}" if number == 1 else f"seed{seed}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            (path / METRICS).touch()
            return path
    except OSError as error:
        raise UsageError(
            f"--runs-dir {str(runs_dir)!r} cannot be written ({os_reason(error)}); "
            "give a writable folder, as in --runs-dir /tmp/runs"
        ) from None
    raise UsageError(f"{parent} has too many runs of seed {seed}; give another --runs-dir")


def agent_folder(runs_dir: Path, suite: str, agent: str) -> Path:
    """Return the folder of all runs of an agent on a suite."""
    return runs_dir.joinpath(*_safe_parts(suite), *_safe_parts(agent))


def runs_dir_of(path: Path, suite: str, agent: str) -> Path:
    """Return the ``runs_dir`` that contains a run's folder, even if it was moved."""
    depth = len(_safe_parts(suite)) + len(_safe_parts(agent))
    parents = path.parents if depth < len(path.parents) else path.absolute().parents
    return parents[min(depth, len(parents) - 1)]


def _safe_parts(name: str) -> list[str]:
    """Split a name into folder names without separators, leading dots or characters special to shells or browsers."""
    parts = [re.sub(r"[^A-Za-z0-9._+-]+", "_", part).strip("._-")[:80] for part in name.split("/")]
    return [part for part in parts if part] or ["unnamed"]


def write_config(path: Path, config: TrainConfig[Any], **facts: Any) -> None:
    """Write ``config.json``: the configuration, and the machine, versions and state of the code."""
    values = {
        **config.to_json(),
        **facts,
        "command": shlex.join(_command()),
        "versions": {
            "mtrl": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES},
        },
        "machine": {"system": platform.platform(), "processors": os.cpu_count()},
        "git": git_state(),
    }
    _write_text(path / CONFIG, _as_json(values))


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Write the checksums of the run's files and, last, ``result.json``, which marks it as finished."""
    text = _as_json(result)
    write_checksums(path, (name for name in GUARDED if name != RESULT), {RESULT: text})
    _write_text(path / RESULT, text)


def begin_again(path: Path) -> None:
    """Mark a finished run as unfinished, since its files are about to change."""
    for name in (CHECKSUMS, RESULT):
        (path / name).unlink(missing_ok=True)


def read_run(path: Path) -> tuple[TrainConfig[Any], dict[str, Any]]:
    """Return a run's configuration and the rest of its ``config.json``. Raises ``UsageError`` if it is not a run."""
    return config_of(read_values(path / CONFIG), path / CONFIG)


def read_values(file: Path) -> dict[str, Any]:
    """Return the values of a ``config.json``. Raises ``UsageError`` if it is missing or damaged."""
    check_file(file)
    try:
        return read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        if file.name != CONFIG:
            raise UsageError(f"there is no file {str(file)!r}; give a run's {CONFIG}, or its folder") from None
        raise UsageError(
            f"{str(file.parent)!r} is not a run: it has no {file.name}; give a folder such as runs/tabletop/care/seed0"
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(file, error) from None


def config_of(values: dict[str, Any], file: Path) -> tuple[TrainConfig[Any], dict[str, Any]]:
    """Split the values of a ``config.json`` into the configuration and the rest.

    Raises ``UsageError`` for damaged values, and for those that a command line would not accept either.
    """
    fields = TrainConfig.__dataclass_fields__
    facts = {k: v for k, v in values.items() if k not in fields}
    try:
        config = TrainConfig.from_json({k: v for k, v in values.items() if k in fields})
        check_values(config)
        _check_facts(facts)
    except (TypeError, KeyError) as error:
        raise _damaged(file, error) from None
    except UsageError as error:
        raise UsageError(f"{str(file)!r}: {error}") from None
    return config, facts


def _check_facts(facts: dict[str, Any]) -> None:
    """Raise ``TypeError`` for facts of a run that have another type than those passed to ``write_config``."""
    for name in TABLES:
        if not isinstance(facts.get(name) or {}, dict):
            raise TypeError(f"{name} is {facts[name]!r}")
    if not isinstance((facts.get("git") or {}).get("commit", ""), str):
        raise TypeError(f"git is {facts['git']!r}")


def _damaged(file: Path, error: Exception) -> UsageError:
    why = getattr(error, "strerror", None) or error
    return UsageError(f"{str(file)!r} is damaged ({why}); train the run again")


def seed_folders(folder: Path, seed: int) -> list[Path]:
    """Return the run folders of a seed in an agent's folder, named as by ``new_run_folder``."""
    return sorted([*folder.glob(f"seed{seed}"), *folder.glob(f"seed{seed}-*")])


def git_state() -> dict[str, Any] | None:
    """Return the kit's commit and whether its files differ from it, or None outside a checkout."""
    return commit_of(HOME) if is_top_level(HOME) else None


def _command() -> list[str]:
    """Return the command line of this program; the kit's own commands are given as ``python -m mtrl.<name>``."""
    program, python = Path(sys.argv[0]), Path(sys.executable).name
    if program.name.startswith("mtrl-"):
        return [python, "-m", program.name.replace("mtrl-", "mtrl."), *sys.argv[1:]]
    if program.suffix == ".py" and program.parent.name == "mtrl":
        return [python, "-m", f"mtrl.{program.stem}", *sys.argv[1:]]
    return [python, *sys.argv]


def _as_json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    """Write a file completely or not at all. Raises ``RunError`` if that fails."""
    try:
        write_text(path, text)
    except OSError as error:
        raise RunError(f"{path} cannot be written ({os_reason(error)})") from None

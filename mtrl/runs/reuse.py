"""Find an existing finished run with the same configuration and code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.registry.compose import outside_names
from envs.registry import BUILT_IN
from mtrl.config import TrainConfig
from mtrl.config.options import options_changing
from mtrl.errors import UsageError
from mtrl.runs import folder as folders
from mtrl.runs.checksums import check_file
from mtrl.runs.result import read_result
from mtrl.version import __version__


def find_finished(folder: Path, config: TrainConfig[Any], tasks: Sequence[str]) -> dict[str, Any] | None:
    """Return the result of a finished run in ``folder`` with the same configuration and code, or None.

    It must have scored ``tasks``. Code that is not known to be the same (a changed checkout, a suite or a piece of the
    user's own) never matches, nor does a run whose files are damaged.
    """
    state = folders.git_state()
    own_code = config.suite.partition(":")[0] not in BUILT_IN or outside_names(config.agent, config.settings)
    if own_code or (state or {}).get("changed"):
        return None
    for path in folders.seed_folders(folder, config.seed):
        try:
            twin, facts = folders.read_run(path)
            check_file(path / folders.RESULT)
            result = read_result(path)
        except (UsageError, OSError, ValueError):
            continue
        same_code = facts.get("git") == state and (facts.get("versions") or {}).get("mtrl") == __version__
        if same_code and same_run(twin, config) and not result.get("stopped") and {*result["tasks"]} == {*tasks}:
            return {**result, "path": str(path)}
    return None


def same_run(one: TrainConfig[Any], other: TrainConfig[Any]) -> bool:
    """Return whether two configurations describe the same run, regardless of where and how fast it runs."""
    # Not the configurations themselves: settings read from a file may have another class.
    mine, theirs = (options_changing(config, "agent", "run") for config in (one, other))
    for options in (mine, theirs):
        options["tasks"] = sorted(options["tasks"])  # a subset keeps the suite's order, whatever the flag's
    return mine == theirs

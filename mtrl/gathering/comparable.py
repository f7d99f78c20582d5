"""Check that runs can be compared in one table, and list differences that do not prevent it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtrl.errors import UsageError
from mtrl.gathering.run import Run


def check_comparable(runs: Sequence[Run]) -> None:
    """Raise ``UsageError``, naming two runs and what differs, unless all can be compared in one table."""
    first = runs[0]
    for run in runs[1:]:
        mine, other = _terms(first), _terms(run)
        for name in dict.fromkeys([*mine, *other]):
            if mine.get(name) != other.get(name):
                raise UsageError(
                    f"{str(first.path)!r} and {str(run.path)!r} cannot be compared: {name} is "
                    f"{_shown(mine.get(name))} in one, {_shown(other.get(name))} in the other; give runs that agree"
                )


def _terms(run: Run) -> dict[str, Any]:
    """Return the values that must be equal."""
    protocol = run.result.get("protocol", {})
    # A goal seed is the run's own; versions only cause a warning; an engine chosen by name is the same as one chosen
    # automatically.
    ignored = {"goal_seed", "versions", *(["engine"] if "training_engines" in protocol else [])}
    return {
        "suite": run.result["suite"],
        "tasks": sorted(run.tasks),
        **{f"the protocol's {name}": value for name, value in protocol.items() if name not in ignored},
        **{f"the score of {name}": _kind(scores) for name, scores in run.result["tasks"].items()},
    }


def _kind(scores: dict[str, Any]) -> str:
    return "return" if scores["success_any"] is None else "success"


def _shown(value: Any) -> str:
    return "not recorded" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def differing_facts(runs: Sequence[Run]) -> list[str]:
    """Return a line for each version, commit, suite file or evaluation setting that is not the same in all runs."""
    lines = []
    versions = [{**run.result.get("protocol", {}).get("versions", {}), **run.facts.get("versions", {})} for run in runs]
    for name in sorted({name for own in versions for name in own}):
        lines += _differs(f"the version of {name}", runs, [own.get(name) for own in versions])
    commits = [(run.facts.get("git") or {}).get("commit") for run in runs]
    lines += _differs("the kit's commit", runs, [None if commit is None else commit[:9] for commit in commits])
    files = [(run.facts.get("suite_source") or {}).get("sha256") for run in runs]
    lines += _differs(
        "the suite's file", runs, [None if digest is None else f"SHA-256 {digest[:9]}" for digest in files]
    )
    for field in ("eval_every", "eval_episodes"):
        lines += _differs(f"--{field.replace('_', '-')}", runs, [getattr(run.config, field) for run in runs])
    return lines


def _differs(what: str, runs: Sequence[Run], values: Sequence[Any]) -> list[str]:
    """Return a line if ``values`` (one per run) differ, with an example run for each of two values, else nothing."""
    other = next((i for i, value in enumerate(values) if value != values[0]), None)
    if other is None:
        return []
    first, second = (f"{_shown(values[i])} in {str(runs[i].path)!r}" for i in (0, other))
    return [f"{what} differs between runs: {first}, {second}"]

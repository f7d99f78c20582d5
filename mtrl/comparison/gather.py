"""Finished runs from folders and patterns: found, read, held to one protocol, and sorted into groups by agent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from mtrl.cli import UsageError
from mtrl.comparison.budget import of_one_budget
from mtrl.comparison.curves import Curve, read_curves
from mtrl.comparison.grouping import Group, group_runs
from mtrl.config import TrainConfig
from mtrl.runs import CONFIG, METRICS, RESULT, read_run


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, ``config``, the rest of config.json (``facts``), result.json, and its evaluations.

    ``curves`` maps a tag such as ``eval/success_rate/push`` to steps and values; ``finished`` is when, in seconds since
    1970.
    """

    path: Path
    config: TrainConfig[Any]
    facts: dict[str, Any]
    result: dict[str, Any]
    curves: dict[str, Curve]
    finished: float

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that were scored."""
        return tuple(self.result["tasks"])


@dataclass(frozen=True)
class Gathered:
    """Runs that may be compared: one suite, the same tasks, protocol and steps per task.

    ``groups`` are in the order in which their agents were found; ``warnings`` are lines about what was left out, and
    about what differs without forbidding the comparison.
    """

    suite: str
    tasks: tuple[str, ...]
    steps_per_task: int
    protocol: dict[str, Any]
    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, group by group."""
        return tuple(run for group in self.groups for run in group.runs)


def gather(patterns: Iterable[str | Path], steps_per_task: int | None = None) -> Gathered:
    """Find, read, check and group the runs that ``patterns`` name: run folders, folders above them, or globs.

    Taken are the runs of ``steps_per_task``, or for None of the budget that most have (``budget.of_one_budget``).
    Unfinished and damaged runs are left out with a warning, and so are those of another budget. Raises ``UsageError``
    for a folder that holds no run, where no finished run is left, and for runs of different suites, tasks or protocols.
    """
    runs: list[Run] = []
    warnings: list[str] = []
    for folder in find_runs(patterns):
        try:
            runs.append(load_run(folder))
        except UsageError as error:
            warnings.append(f"left out: {error}")
    if not runs:
        more = f" ({len(warnings) - 1} more like it)" if len(warnings) > 1 else ""
        raise UsageError(f"no finished run among those given: {warnings[0].removeprefix('left out: ')}{more}")
    chosen, others = of_one_budget(runs, steps_per_task)
    # Unless a budget was asked for, a run of another suite or protocol is refused, whatever its own budget.
    check_comparable(runs if steps_per_task is None else chosen)
    groups, doubles = group_runs(chosen)
    first = chosen[0]
    return Gathered(
        suite=first.result["suite"],
        tasks=first.tasks,
        steps_per_task=first.config.steps_per_task,
        protocol=first.result.get("protocol", {}),
        groups=groups,
        warnings=(*warnings, *others, *doubles, *differing_facts([run for group in groups for run in group.runs])),
    )


def find_runs(patterns: Iterable[str | Path]) -> list[Path]:
    """Return the run folders that are meant, each once. Raises ``UsageError`` for what names none."""
    found: dict[Path, Path] = {}
    files = []
    for pattern in map(str, patterns):
        places = [Path(pattern)] if Path(pattern).exists() else [Path(place) for place in sorted(glob(pattern))]
        if not places:
            raise UsageError(f"{pattern!r} is no run, and no pattern that a run fits; try runs/tabletop/*/*")
        for place in places:
            below = [place] if (place / CONFIG).is_file() else sorted(file.parent for file in place.rglob(CONFIG))
            if not below and not place.is_file():
                raise UsageError(
                    f"{str(place)!r} is no run and holds none: no {CONFIG} in it or below; "
                    "give a folder such as runs/tabletop/care/seed0"
                )
            if not below:
                files.append(place)  # a pattern catches files beside the runs too, compare.csv among them
            found.update({folder.resolve(): folder for folder in below})
    if not found:
        given = f"{str(files[0])!r} is a file" if files else "none was given"
        raise UsageError(f"no run to compare: {given}; give run folders, such as runs/tabletop/*/*")
    return list(found.values())


def load_run(folder: Path) -> Run:
    """Read a finished run. Raises ``UsageError``, naming it, if it is unfinished or damaged."""
    config, facts = read_run(folder)
    try:
        text = (folder / RESULT).read_text()
        result = json.loads(text)
        _check_result(result)
        if result.get("stopped"):
            raise UsageError(
                f"{str(folder)!r} was stopped before its end, after {result['steps_per_task']} steps per task"
            )
        curves = read_curves(folder / METRICS)
        finished = (folder / RESULT).stat().st_mtime
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        if missing == RESULT:
            raise UsageError(f"{str(folder)!r} is unfinished: it has no {RESULT}") from None
        raise UsageError(f"{str(folder)!r} is damaged: it has no {missing}") from None
    except UsageError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        raise UsageError(f"{str(folder)!r} is damaged ({why})") from None
    return Run(folder, config, facts, result, curves, finished)


def _check_result(result: Any) -> None:
    """Raise ``KeyError`` or ``TypeError`` where a result lacks what every run writes."""
    numbers = [result[name] for name in ("seed", "env_steps", "updates", "wall_seconds", "parameters")]
    numbers += [scores["return"] for scores in result["tasks"].values()]
    successes = [scores["success_any"] for scores in result["tasks"].values()]
    numbers += [success for success in successes if success is not None]
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError(f"{RESULT} holds something else where a number belongs")
    if not (isinstance(result["suite"], str) and isinstance(result["agent"], str) and result["tasks"]):
        raise TypeError(f"{RESULT} names no suite, agent or tasks")


def check_comparable(runs: Sequence[Run]) -> None:
    """Raise ``UsageError``, naming two runs and what differs, unless all may stand in one table."""
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
    """What has to be equal."""
    protocol = run.result.get("protocol", {})
    # Where goals follow from a seed, it is the run's own; versions are warned of; an engine that was chosen by name is
    # the same as one that was taken by itself.
    ignored = {"goal_seed", "versions", *(["engine"] if "training_engines" in protocol else [])}
    return {
        "suite": run.result["suite"],
        "tasks": sorted(run.tasks),
        **{f"the protocol's {name}": value for name, value in protocol.items() if name not in ignored},
        **{f"what {name} is scored by": _kind(scores) for name, scores in run.result["tasks"].items()},
    }


def _kind(scores: dict[str, Any]) -> str:
    return "return" if scores["success_any"] is None else "success"


def _shown(value: Any) -> str:
    return "not said" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def differing_facts(runs: Sequence[Run]) -> list[str]:
    """Return a line for each package version, state of the code or rhythm of evaluation that is not the same in all."""
    lines = []
    versions = [{**run.result.get("protocol", {}).get("versions", {}), **run.facts.get("versions", {})} for run in runs]
    for name in sorted({name for own in versions for name in own}):
        lines += _differs(f"the version of {name}", runs, [own.get(name) for own in versions])
    commits = [(run.facts.get("git") or {}).get("commit") for run in runs]
    lines += _differs("the kit's commit", runs, [None if commit is None else commit[:9] for commit in commits])
    for field in ("eval_every", "eval_episodes"):
        lines += _differs(f"--{field.replace('_', '-')}", runs, [getattr(run.config, field) for run in runs])
    return lines


def _differs(what: str, runs: Sequence[Run], values: Sequence[Any]) -> list[str]:
    """One line where ``values`` (one of each run) are not all equal, with a run as an example of each of two values."""
    other = next((i for i, value in enumerate(values) if value != values[0]), None)
    if other is None:
        return []
    first, second = (f"{_shown(values[i])} in {str(runs[i].path)!r}" for i in (0, other))
    return [f"{what} is not the same in all runs: {first}, {second}"]

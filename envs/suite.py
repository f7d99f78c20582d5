"""What a task is, what a suite of tasks is, and how a suite is found by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import gymnasium as gym

from envs.engine import Engine
from envs.errors import SuiteError, nearest


class MakeSimulator(Protocol):
    """Builds one engine that steps ``copies`` copies of every task at once, rows ordered task by task."""

    def __call__(self, tasks: Sequence[Task], copies: int, xp: Any, device: Any) -> Engine: ...


@dataclass(frozen=True)
class Task:
    """One task: a name, a way to make its environment, and a sentence that says what is to be done.

    ``make`` returns a Gymnasium environment with a flat ``Box`` observation and a bounded ``Box`` action; it is
    called with ``render_mode="rgb_array"`` where pictures are wanted. ``max_episode_steps`` adds a time limit to
    an environment that has none.
    """

    name: str
    make: Callable[..., gym.Env[Any, Any]]
    description: str
    tags: tuple[str, ...] = ()
    max_episode_steps: int | None = None

    def make_env(self, **kwargs: Any) -> gym.Env[Any, Any]:
        """Make the environment, time limit included; whatever its constructor raises is named after the task."""
        try:
            env = self.make(**kwargs)
        except Exception as error:
            raise SuiteError(f"task {self.name!r}: making its environment failed: {one_line(error)}") from error
        if not isinstance(env, gym.Env):
            raise SuiteError(
                f"task {self.name!r}: make() returned {type(env).__name__}, not a gymnasium.Env; "
                "return the environment itself"
            )
        if self.max_episode_steps is not None:
            env = gym.wrappers.TimeLimit(env, self.max_episode_steps)
        return env


@dataclass(frozen=True)
class TaskSuite:
    """A family of related tasks that one agent is to learn.

    ``simulator``, when given, steps all copies of all tasks at once in place of one environment per copy.
    Raises ``SuiteError`` for no task, an empty or doubled task name, and an empty sentence.
    """

    name: str
    tasks: Sequence[Task]
    simulator: MakeSimulator | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        if not isinstance(self.name, str) or not self.name.strip():
            raise SuiteError(f"the suite's name is {self.name!r}; give it a name that is not empty")
        if not self.tasks:
            raise SuiteError(f"suite {self.name!r} has no task; give it at least one")
        seen: set[str] = set()
        for position, task in enumerate(self.tasks):
            where = f"suite {self.name!r}, task {position}"
            if not isinstance(task, Task):
                raise SuiteError(f"{where} is {task!r}, not a Task; write Task(name, make, sentence)")
            if not isinstance(task.name, str) or not task.name.strip():
                raise SuiteError(f"{where} has the name {task.name!r}; give it a name that is not empty")
            if not isinstance(task.description, str) or not task.description.strip():
                raise SuiteError(
                    f"{where} ({task.name!r}) has no sentence; describe in words what is to be done, "
                    "since that is the context that an agent reads"
                )
            if task.name in seen:
                raise SuiteError(f"suite {self.name!r} has two tasks named {task.name!r}; rename one of them")
            seen.add(task.name)

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks' names, in order."""
        return tuple(task.name for task in self.tasks)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """The tasks' sentences, in order."""
        return tuple(task.description for task in self.tasks)

    def only(self, names: Sequence[str]) -> TaskSuite:
        """Return the suite cut down to ``names``, in the suite's own order."""
        for name in names:
            if name not in self.task_names:
                raise SuiteError(
                    f"unknown task {name!r}; suite {self.name!r} has: {', '.join(self.task_names)}."
                    f"{nearest(name, self.task_names)}"
                )
        return TaskSuite(self.name, [t for t in self.tasks if t.name in names], self.simulator)


# Built-in suites: name -> "module:attribute". A new family is one module and one line here.
BUILT_IN: dict[str, str] = {
    "tabletop": "envs.tabletop:suite",
}


def make_suite(name: str) -> TaskSuite:
    """Return the suite with this built-in name, or the one that ``module:attribute`` names.

    The attribute is a ``TaskSuite`` or a function without arguments that returns one.
    Raises ``SuiteError`` for anything else, with the nearest known name.
    """
    if ":" not in name and name not in BUILT_IN:
        raise SuiteError(
            f"unknown suite {name!r}; built in: {', '.join(sorted(BUILT_IN))}; your own: module:attribute."
            f"{nearest(name, BUILT_IN)}"
        )
    found = _load(BUILT_IN.get(name, name))
    if inspect.isroutine(found) or inspect.isclass(found):
        try:
            found = found()
        except SuiteError:
            raise
        except Exception as error:
            raise SuiteError(f"suite {name!r}: calling it failed: {one_line(error)}") from error
    if not isinstance(found, TaskSuite):
        raise SuiteError(f"suite {name!r} is a {type(found).__name__}, not a TaskSuite or a function that returns one")
    return found


def _load(path: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise SuiteError(f"suite {path!r} is not of the form module:attribute, as in my_module:suite")
    try:
        module = importlib.import_module(module_name)
    except SuiteError:
        raise
    except ModuleNotFoundError as error:
        raise SuiteError(
            f"suite {path!r}: no module named {error.name!r}; run in the folder that holds it, or install it"
        ) from error
    except Exception as error:
        raise SuiteError(f"suite {path!r}: importing {module_name!r} failed: {one_line(error)}") from error
    if not hasattr(module, attribute):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise SuiteError(f"suite {path!r}: {module_name!r} has no {attribute!r}.{nearest(attribute, public)}")
    return getattr(module, attribute)


def one_line(error: BaseException) -> str:
    """Return ``TypeName: first line`` of an exception, for a message that has to stay on one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__

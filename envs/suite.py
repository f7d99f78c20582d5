"""What a task is, and what a suite of tasks is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import gymnasium as gym

from envs.engine import Engine
from envs.errors import MissingExtra, SuiteError, nearest, one_line


class MakeSimulator(Protocol):
    """Builds one engine that steps ``copies`` copies of every task at once, rows ordered task by task."""

    def __call__(self, tasks: Sequence[Task], copies: int, xp: Any, device: Any) -> Engine: ...


@dataclass(frozen=True)
class Task:
    """One task: a name, a way to make its environment, and a sentence that says what is to be done.

    ``make`` returns a Gymnasium environment with a ``Box`` observation, or a ``Dict`` or ``Tuple`` of such, and a flat,
    bounded ``Box`` action; it is called with ``render_mode="rgb_array"`` where pictures are wanted.
    ``max_episode_steps`` adds a time limit to an environment that has none.

    ``parameters`` are numbers that set the task apart from others of its family, such as a gravity in m/s^2; an agent
    may read them beside the sentence. ``starts`` says that the environment has so many fixed starts, and that
    ``reset(seed=s)`` takes number ``s % starts``; the final score then plays each of them exactly once.
    """

    name: str
    make: Callable[..., gym.Env[Any, Any]]
    description: str
    tags: tuple[str, ...] = ()
    max_episode_steps: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict, hash=False)
    starts: int = 0

    def make_env(self, **kwargs: Any) -> gym.Env[Any, Any]:
        """Make the environment, time limit included; whatever its constructor raises is named after the task."""
        try:
            env = self.make(**kwargs)
        except MissingExtra:
            raise  # its line holds for the whole suite
        except (Exception, SystemExit) as error:
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

    ``simulator``, when given, steps all copies of all tasks at once in place of one environment per copy; final
    scores come from it too, unless ``score_in_environments``. ``held_out`` tasks are never trained on: they show what
    an agent that reads the context makes of a task that is new to it. ``facts`` are what a result has to say of the
    suite beside its name, such as a reward's version; they are written into ``result.json``. ``usual`` makes the vector
    environment that people take for these tasks without the kit, which the benchmark times beside ours.
    Raises ``SuiteError`` for no task, an empty or doubled task name, and an empty sentence.
    """

    name: str
    tasks: Sequence[Task]
    simulator: MakeSimulator | None = field(default=None, repr=False)
    held_out: Sequence[Task] = ()
    score_in_environments: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    usual: Callable[[], Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "held_out", tuple(self.held_out))
        if not isinstance(self.name, str) or not self.name.strip():
            raise SuiteError(f"the suite's name is {self.name!r}; give it a name that is not empty")
        if not self.tasks:
            raise SuiteError(f"suite {self.name!r} has no task; give it at least one")
        seen: set[str] = set()
        for position, task in enumerate((*self.tasks, *self.held_out)):
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
        """Return the suite cut down to ``names``, in the suite's own order; so is a fact that is told task by task."""
        for name in names:
            if name not in self.task_names:
                raise SuiteError(
                    f"unknown task {name!r}; suite {self.name!r} has: {', '.join(self.task_names)}."
                    f"{nearest(name, self.task_names)}"
                )
        facts = {key: _cut_down(fact, self.task_names, names) for key, fact in self.facts.items()}
        return replace(self, tasks=[t for t in self.tasks if t.name in names], usual=None, facts=facts)

    def unseen(self) -> TaskSuite:
        """Return the suite of the held-out tasks. Raises ``SuiteError`` where there are none."""
        if not self.held_out:
            raise SuiteError(f"suite {self.name!r} holds no task out; give tasks by name")
        return replace(self, tasks=self.held_out, held_out=(), usual=None)


def _cut_down(fact: Any, known: Sequence[str], names: Sequence[str]) -> Any:
    """Return a fact without what it tells of tasks other than ``names``, where it is a table by task."""
    by_task = isinstance(fact, Mapping) and set(fact) <= set(known)
    return {name: value for name, value in fact.items() if name in names} if by_task else fact

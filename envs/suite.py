"""Tasks, and suites of tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Protocol

import gymnasium as gym

from envs.errors import MissingExtra, SuiteError, nearest, one_line
from envs.printable import unprintable
from envs.spaces.values import short
from envs.stepping.engine import MAX_COPIES, Engine
from envs.working_folder import kept_working_folder

# Names that stand for several tasks: all that are held out; all that have a paraphrase, described by it.
HELD_OUT, PARAPHRASED = "held-out", "paraphrased"


class MakeSimulator(Protocol):
    """Makes one engine that steps ``copies`` copies of every task at once, with rows ordered by task."""

    def __call__(self, tasks: Sequence[Task], copies: int, xp: Any, device: Any) -> Engine: ...


@dataclass(frozen=True)
class Task:
    """One task: a name, a function that makes its Gymnasium environment, and a sentence that describes it.

    Args:
        name: Unique in its suite.
        make: Returns a new ``gymnasium.Env``. Its observation space is a ``Box``, or a ``Dict`` or ``Tuple`` of them;
            its action space is a flat, bounded ``Box``. Called with ``render_mode="rgb_array"`` for rendering.
        description: The instruction in one sentence, which agents may read as context.
        tags: Free labels.
        max_episode_steps: Time limit to add to an environment that has none; it truncates, it does not terminate.
        parameters: Numbers that distinguish the task from others of its family, such as a gravity in m/s^2; agents may
            read them as context.
        starts: Number of fixed initial states, where ``reset(seed=s)`` selects number ``s % starts``; the final
            evaluation then plays each of them exactly once. 0 if initial states are random.
        group: What the task has in common with others, such as a skill; tables may group many tasks by it.
        paraphrase: The instruction in other words, never used in training, to evaluate agents that read it.

    Example:
        >>> make = lambda **kwargs: gymnasium.make("Pendulum-v1", g=5.0, **kwargs)
        >>> task = mtrl.Task("half-gravity", make, "Swing the pendulum up at half gravity.", parameters={"g": 5.0})
        >>> task.make_env().observation_space.shape
        (3,)
    """

    name: str
    make: Callable[..., gym.Env[Any, Any]]
    description: str
    tags: tuple[str, ...] = ()
    max_episode_steps: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict, hash=False)
    starts: int = 0
    group: str = ""
    paraphrase: str = ""

    def make_env(self, **kwargs: Any) -> gym.Env[Any, Any]:
        """Make the environment, with its time limit. Raises ``SuiteError``, which names the task, if that fails."""
        try:
            with kept_working_folder(self.name, "make"):
                env = self.make(**kwargs)
        except MissingExtra:
            raise  # its message applies to the whole suite
        except (Exception, SystemExit) as error:
            raise SuiteError(f"task {self.name!r}: making its environment failed: {one_line(error)}") from error
        if not isinstance(env, gym.Env):
            raise SuiteError(
                f"task {self.name!r}: make() returned {type(env).__name__}, not a gymnasium.Env; "
                "return the environment itself"
            )
        for space in ("observation_space", "action_space"):
            if not hasattr(env, space):
                raise SuiteError(f"task {self.name!r}: its environment has no {space}; set one where it is made")
        if self.max_episode_steps is not None:
            env = gym.wrappers.TimeLimit(env, self.max_episode_steps)
        return env


@dataclass(frozen=True)
class TaskSuite:
    """A set of related tasks for one agent to learn.

    Args:
        name: Names the folder of its runs.
        tasks: The training tasks, at least one.
        simulator: Makes an engine that steps all copies of all tasks at once, instead of one environment per copy.
        held_out: Tasks that are never trained on, to evaluate agents that read the context on unseen tasks.
        score_in_environments: Evaluate in the tasks' own environments even though there is a ``simulator``.
        facts: What ``result.json`` records about the suite besides its name, such as a reward version.
        reference: Makes the vector environment that these tasks are commonly stepped with, for ``mtrl.bench``.

    Raises:
        SuiteError: There is no task, a name or description is empty, or two tasks have the same name.

    Example:
        >>> reach, push = mtrl.make_suite("tabletop").only(["reach", "push"]).tasks
        >>> mtrl.TaskSuite("two", [reach, push]).task_names
        ('reach', 'push')
    """

    name: str
    tasks: Sequence[Task]
    simulator: MakeSimulator | None = field(default=None, repr=False)
    held_out: Sequence[Task] = ()
    score_in_environments: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reference: Callable[[], Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "held_out", tuple(self.held_out))
        _check_name(self.name, "the suite's name is")
        if not self.tasks:
            raise SuiteError(f"suite {self.name!r} has no task; give it at least one")
        seen: dict[str, str] = {}
        for position, task in enumerate((*self.tasks, *self.held_out)):
            _check_task(task, f"suite {self.name!r}, task {position}")
            other = seen.setdefault(task.name.replace("/", "-"), task.name)
            if len(seen) == position + 1:
                continue
            if other == task.name:
                raise SuiteError(f"suite {self.name!r} has two tasks named {task.name!r}; rename one of them")
            raise SuiteError(
                f"suite {self.name!r} has tasks {other!r} and {task.name!r}, whose curves would have the same name, "
                "because / is written as -; rename one of them"
            )

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks' names, in order."""
        return tuple(task.name for task in self.tasks)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """The tasks' sentences, in order."""
        return tuple(task.description for task in self.tasks)

    def only(self, names: Sequence[str]) -> TaskSuite:
        """Return the suite with only these tasks, in the suite's order, held-out tasks last.

        ``held-out`` stands for all held-out tasks. Raises ``SuiteError`` for an unknown name.
        """
        chosen = [name for name in names if name != HELD_OUT]
        if HELD_OUT in names:
            chosen += [task.name for task in self.held_out_suite().tasks if task.name not in chosen]
        every = (*self.tasks, *self.held_out)
        known = [task.name for task in every]
        for name in chosen:
            if chosen.count(name) > 1:
                raise SuiteError(f"task {name!r} is named {chosen.count(name)} times; give each task once")
            if name not in known:
                held = f"; held out: {', '.join(known[len(self.tasks) :])}" if self.held_out else ""
                raise SuiteError(
                    f"unknown task {name!r}; suite {self.name!r} has: {', '.join(self.task_names)}{held}."
                    f"{nearest(name, known)}"
                )
        facts = {key: _restricted(fact, known, chosen) for key, fact in self.facts.items()}
        rest = [task for task in self.held_out if task.name not in chosen]
        return replace(self, tasks=[t for t in every if t.name in chosen], held_out=rest, reference=None, facts=facts)

    def held_out_suite(self) -> TaskSuite:
        """Return the held-out tasks as a suite. Raises ``SuiteError`` if there are none."""
        if not self.held_out:
            raise SuiteError(f"suite {self.name!r} has no held-out tasks; give tasks by name")
        return replace(self, tasks=self.held_out, held_out=(), reference=None)

    def paraphrased(self) -> TaskSuite:
        """Return the tasks that have a paraphrase, described by it. Raises ``SuiteError`` if there are none."""
        tasks = [replace(task, description=task.paraphrase) for task in self.tasks if task.paraphrase]
        if not tasks:
            raise SuiteError(f"suite {self.name!r} has no paraphrases; give its tasks one: Task(..., paraphrase=...)")
        return replace(self, tasks=tasks, reference=None)


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise SuiteError(f"{where} {name!r}; give it a non-empty name")
    if character := unprintable(name):
        raise SuiteError(f"{where} {name!r}, with the character {character!a}, which cannot be shown; leave it out")


def _check_task(task: Any, where: str) -> None:
    if not isinstance(task, Task):
        raise SuiteError(f"{where} is {task!r}, not a Task; write Task(name, make, sentence)")
    _check_name(task.name, f"{where} has the name")
    if task.name in (HELD_OUT, PARAPHRASED):
        raise SuiteError(f"{where} has the name {task.name!r}, which stands for several tasks; rename it")
    if not isinstance(task.description, str) or not task.description.strip():
        raise SuiteError(
            f"{where} ({task.name!r}) has no description; say in one sentence what the task is, "
            "which agents read as context"
        )
    if not isinstance(task.group, str) or unprintable(task.group):
        raise SuiteError(f"{where} ({task.name!r}) has the group {task.group!r}; give it a printable name, or none")
    if not isinstance(task.paraphrase, str):
        raise SuiteError(f"{where} ({task.name!r}) has the paraphrase {task.paraphrase!r}; give it a sentence, or none")
    if not isinstance(task.parameters, Mapping):
        raise SuiteError(
            f"{where} ({task.name!r}) has the parameters {task.parameters!r}; give numbers by name, or none"
        )
    for name, value in task.parameters.items():
        if not isinstance(name, str):
            raise SuiteError(f"{where} ({task.name!r}) has a parameter named {name!r}; give it a name in words")
        if not _is_finite(value):
            shown = short(value)
            raise SuiteError(f"{where} ({task.name!r}) has the parameter {name!r}: {shown}; give a finite number")
    steps = task.max_episode_steps
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise SuiteError(f"{where} ({task.name!r}) has max_episode_steps {steps!r}; give a whole number of at least 1")
    starts = task.starts
    if isinstance(starts, bool) or not isinstance(starts, int) or not 0 <= starts <= MAX_COPIES:
        raise SuiteError(f"{where} ({task.name!r}) has starts {starts!r}; give a whole number from 0 to {MAX_COPIES}")


def _is_finite(value: Any) -> bool:
    """Return whether ``value`` is a number whose double still fits into a float."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(2.0 * float(value))
    except OverflowError:
        return False


def _restricted(fact: Any, known: Sequence[str], names: Sequence[str]) -> Any:
    """Return a fact restricted to ``names``, if it is a table by task."""
    by_task = isinstance(fact, Mapping) and set(fact) <= set(known)
    return {name: value for name, value in fact.items() if name in names} if by_task else fact

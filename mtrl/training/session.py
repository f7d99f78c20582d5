"""One run of one of the kit's agents, from its configuration to ``result.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from envs.errors import SuiteError, TaskFailed
from envs.suite import TaskSuite
from mtrl.checkpoints.lock import lock
from mtrl.checkpoints.resume import Resumed
from mtrl.checkpoints.saving import Saving, Stateful
from mtrl.config import TrainConfig
from mtrl.errors import RunError
from mtrl.rollout.endless import LongEpisodes
from mtrl.runs.folder import begin_again, new_run_folder, write_config
from mtrl.runs.kept_folder import FolderTaken, KeptFolder
from mtrl.runs.result import BEFORE
from mtrl.runs.unfinished import resuming
from mtrl.scoring.final import final_scores
from mtrl.scoring.scorer import Scorer
from mtrl.terminal.interrupt import Interrupted, Stopped, StopRequest
from mtrl.terminal.live_line import Display
from mtrl.tracking.metrics import MetricsWriter
from mtrl.training.assemble import (
    EVALUATION,
    graph_of,
    greedy,
    parameter_count,
    processes_of,
    score_seed,
    threads_of,
)
from mtrl.training.callbacks import Callback, ScheduledCallback, UserCallbacks
from mtrl.training.diagnoser import Diagnoser
from mtrl.training.evaluation import Evaluation
from mtrl.training.finite import Diverged, FiniteGuard
from mtrl.training.loop import Training
from mtrl.training.memory import keep_freed_memory
from mtrl.training.moment import Moment
from mtrl.training.records import (
    Outcome,
    Progress,
    describe,
    dropped_episodes,
    finish,
    log_of,
    resumption,
    save_weights,
    suite_facts,
)
from mtrl.training.schedule import Scheduled, either, multiples_of, rules_of
from mtrl.training.setup import Setup, set_up


def run_agent(
    config: TrainConfig[Any],
    console: Console,
    given: TaskSuite | None = None,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    wanted: Any = None,
    resumed: Resumed | None = None,
) -> dict[str, Any]:
    """Train an agent into a new run folder; return its result and ``path``. Raises ``Stopped`` if a signal ends it.

    ``given`` replaces the suite that ``config`` names; ``callbacks`` are called during training, and may end it.
    ``wanted`` is unused, and there for other trainers (``mtrl.baselines.sb3_run``). ``resumed`` is a run to continue,
    in its own folder.
    """
    torch.set_num_threads(threads_of(config))
    keep_freed_memory()
    with ExitStack() as files, ExitStack() as envs:
        setup = set_up(config, given, resumed, files, envs)
        session = Session(setup, console, callbacks, files, envs)
        with session.rescue(), suppress(Interrupted):  # what was interrupted is done again when the run continues
            session.training.run(session.schedule())
        return session.finish()


class Session:
    """A run in its folder: how it is trained, logged, saved and finished."""

    def __init__(
        self,
        setup: Setup,
        console: Console,
        callbacks: Sequence[Callback | ScheduledCallback],
        files: ExitStack,
        envs: ExitStack,
    ) -> None:
        """Open the run's folder and log, which ``files`` closes; environments and terminal are left to ``envs``."""
        self._setup, self._console, self._envs = setup, console, envs
        config, suite, agent, learner = setup.config, setup.suite, setup.agent, setup.learner
        before = setup.resumed.checkpoint if setup.resumed else None
        self._open_folder(files)
        self._announce()
        seed = score_seed(config.seed, EVALUATION)
        scorer = Scorer(suite, config.eval_episodes, seed, setup.device, **processes_of(config))
        envs.enter_context(closing(scorer))
        self._log = log = files.enter_context(log_of(config, suite, self.path, console, before))
        self._stop = stop = envs.enter_context(StopRequest())
        self._display = display = envs.enter_context(Display(console, config.agent, config.steps_per_task))
        if not before:
            describe(log, config, self.path)
        self._report, self._user = MetricsWriter(suite, log), UserCallbacks(callbacks)
        self._guard = FiniteGuard(agent, setup.device)
        self._diagnoser = Diagnoser(config, suite.task_names, learner, setup.replay, log, setup.device)
        listeners = [display.evaluated, self._user.evaluated]
        self._evaluation = Evaluation(
            agent, scorer, setup.sampler, self._report, listeners, stop.check, learner.inspect
        )
        self.training = Training(
            config,
            setup.env,
            learner,
            setup.replay,
            setup.sampler,
            self._guard,
            stop.breakable,
            trained=setup.source is not None,
            graph=graph_of(config, learner, setup.replay),
        )
        parts: dict[str, Stateful] = {
            "training": self.training,
            "report": self._report,
            "diagnoser": self._diagnoser,
            "user": self._user,
            "log": log,
        }
        constants = {"precision": dataclasses.asdict(setup.precision)}
        self._saving = Saving(self.path, parts, constants, setup.replay, config, console, before)
        if before:
            self._guard.keep(self.training.step)  # the weights that were loaded, should what follows diverge at once
            display.resume(self.training.step, self.training.env_steps)
            if dropped := dropped_episodes(before):
                console.print(f"running episodes dropped, since their environments cannot be saved: {dropped}")

    def _open_folder(self, files: ExitStack) -> None:
        setup, resumed = self._setup, self._setup.resumed
        self.path = path = resumed.path if resumed else self._new_folder()
        files.enter_context(lock(path))
        if resumed:
            begin_again(path)
        self._facts = facts = {
            "context_source": setup.context_source,
            **suite_facts(setup.config, setup.suite),
            **resumption(resumed),
        }
        if setup.source:
            scores = None if resumed else final_scores(setup.config, setup.suite, greedy(setup.agent), setup.device)
            facts |= setup.source.facts(scores, path)
        write_config(path, setup.config, **facts)
        self._folder = KeptFolder(path, lambda: write_config(path, setup.config, **facts))

    def _new_folder(self) -> Path:
        config = self._setup.config
        return new_run_folder(config.runs_dir, self._setup.suite.name, config.agent, config.seed)

    def _announce(self) -> None:
        setup = self._setup
        self._console.print(
            f"{self.path}: {setup.config.agent} on {len(setup.suite.tasks)} tasks, {setup.device}, "
            f"{parameter_count(setup.agent):,} parameters, replay {setup.replay_size}, "
            f"sentence vectors: {setup.context_source}, worker processes: {setup.env.workers or 'none'}, "
            f"precision: {setup.precision.in_words}",
            markup=False,
        )
        if setup.precision.warning:
            self._console.print(f"warning: {setup.precision.warning}", markup=False)

    def schedule(self) -> list[Scheduled]:
        """Return the callbacks of training, in order."""
        config, env, stop, rules = self._setup.config, self._setup.env, self._stop, rules_of(self._setup.config)
        return [
            Scheduled(self._folder, either(rules.log, rules.evaluation)),
            Scheduled(self._report.step),
            Scheduled(self._diagnoser, self._diagnoser.due),
            Scheduled(self._guard, either(rules.log, rules.evaluation)),
            Scheduled(self._report.log, rules.log),
            Scheduled(LongEpisodes(env.env.suite.task_names, env.open_lengths), rules.log),
            Scheduled(self._evaluation, rules.evaluation),
            Scheduled(self._record_video, multiples_of(config.record_every, at_end=True)),
            Scheduled(self._display.progress, rules.progress),
            Scheduled(self._saving),
            Scheduled(lambda _: not stop),
            *self._user.scheduled(rules.progress),
        ]

    @contextmanager
    def rescue(self) -> Iterator[None]:
        """Save the weights of a training that fails, and re-raise its error."""
        agent, training = self._setup.agent, self.training
        try:
            yield
        except FolderTaken as error:
            rescued = self._new_folder()
            save_weights(agent.state_dict(), rescued, training.step)
            raise RunError(f"{error}; the weights so far are in {rescued}") from None
        except (TaskFailed, SuiteError):  # it is the environments that failed; what was learned is sound
            self._folder()
            save_weights(agent.state_dict(), self.path, training.step)
            if self._saving.save(training.step):
                self._say_how_to_continue()
            raise
        except Diverged as error:
            self._folder()
            save_weights(self._guard.weights, self.path, self._guard.step)
            raise Diverged(f"{error}; the last finite weights are in {self.path}") from None
        except Exception:  # of a piece or a callback, or in saving: what was learned so far may be wanted
            self._folder()
            save_weights(agent.state_dict(), self.path, training.step)
            self._console.print(f"the weights so far are in {self.path}", markup=False)
            raise

    def finish(self) -> dict[str, Any]:
        """Save what was trained, score it and return the result. Raises ``Stopped`` where a signal ended training."""
        setup, training, log = self._setup, self.training, self._log
        spent = log.spent  # before the processes that step environments end, which takes time too
        self._folder()
        save_weights(setup.agent.state_dict(), self.path, training.step)
        saved = self._saving.save(training.step)
        self._envs.close()  # what follows needs no environments, and a signal may end it at once
        if self._stop.signal is not None:
            self._console.print(
                f"stopped at {training.step:,} steps per task; weights and metrics so far are in {self.path}",
                markup=False,
            )
            if saved:
                self._say_how_to_continue()
            raise Stopped(self._stop.signal)
        scores = final_scores(setup.config, setup.suite, greedy(setup.agent), setup.device)
        if setup.source:
            scores[BEFORE] = self._facts[BEFORE]
        progress = Progress(training.step, training.env_steps, training.updates)
        outcome = Outcome(progress, spent, parameter_count(setup.agent), setup.device, setup.precision, scores)
        result = finish(self.path, setup.config, setup.suite, outcome, log)
        if not setup.config.keep_checkpoint:
            self._saving.discard()
        return result

    def _record_video(self, now: Moment) -> None:
        if self._setup.camera is not None:
            self._report.video(now.span.step, self._setup.camera.record(greedy(self._setup.agent)))

    def _say_how_to_continue(self) -> None:
        self._console.print(f"to continue: {resuming(self.path, self._setup.config)}", markup=False)

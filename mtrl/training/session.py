"""One run of one of the kit's agents, from its configuration to ``result.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from typing import Any

import torch
from rich.console import Console

from agents.base import Agent
from agents.precision import Precision
from envs.errors import SuiteError, TaskFailed
from envs.suite import TaskSuite
from mtrl.checkpoints.lock import lock
from mtrl.checkpoints.resume import Resumed
from mtrl.checkpoints.saving import Saving, Stateful
from mtrl.config import TrainConfig
from mtrl.errors import RunError
from mtrl.rollout.endless import LongEpisodes
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.runs.folder import begin_again, new_run_folder, write_config
from mtrl.runs.kept_folder import FolderTaken, KeptFolder
from mtrl.runs.unfinished import resuming
from mtrl.scoring.final import as_scored, final_scores
from mtrl.scoring.scorer import Scorer
from mtrl.terminal.guardian import guarded
from mtrl.terminal.interrupt import Interrupted, Stopped, StopRequest
from mtrl.terminal.live_line import Display
from mtrl.tracking.metrics import MetricsWriter
from mtrl.training.assemble import (
    EVALUATION,
    LEARNING,
    agent_of,
    device_of,
    graph_of,
    greedy,
    in_precision,
    parameter_count,
    precision_of,
    processes_of,
    sampler_of,
    score_seed,
    suite_of,
    threads_of,
    workers_of,
)
from mtrl.training.callbacks import Callback, ScheduledCallback, UserCallbacks
from mtrl.training.diagnoser import Diagnoser
from mtrl.training.evaluation import Evaluation
from mtrl.training.finite import Diverged, FiniteGuard
from mtrl.training.loop import Training
from mtrl.training.memory import keep_freed_memory
from mtrl.training.moment import Moment
from mtrl.training.records import (
    Progress,
    describe,
    dropped_episodes,
    finish,
    log_of,
    resumption,
    save_weights,
    suite_facts,
)
from mtrl.training.replay_size import replay_of
from mtrl.training.schedule import Scheduled, either, multiples_of, rules_of
from mtrl.training.success import check_success
from mtrl.training.warm_start import BEFORE, rehearsal_of, start_from, warm_start_of
from mtrl.video.camera import Camera, camera_for


def run_agent(
    config: TrainConfig[Any],
    console: Console,
    given: TaskSuite | None = None,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    wanted: Any = None,
    resumed: Resumed | None = None,
) -> dict[str, Any]:
    """Train an agent into a new run folder -> its result and ``path``. Raises ``Stopped`` where a signal asks to.

    ``given`` replaces the suite that ``config`` names; ``callbacks`` are called during training, and may end it.
    ``wanted`` is unused: the settings of the agent that it is compared with are in ``config``.
    ``resumed`` is a run to continue, in its own folder.
    """
    torch.set_num_threads(threads_of(config))
    keep_freed_memory()
    device, suite, begun = device_of(config), suite_of(config, given), warm_start_of(config, given)
    stepped = suite.only(config.add_task) if config.add_task else suite
    config = dataclasses.replace(config, workers=workers_of(config, as_scored(suite)))
    with ExitStack() as files, ExitStack() as stack:
        if as_scored(suite).simulator is None:  # environments may start whatever they like
            files.enter_context(guarded())
        env = stack.enter_context(closing(TensorEnv(stepped, config.envs_per_task, device, **processes_of(config))))
        if suite.simulator is None:  # what was refused once, with a warning, is not asked for again
            config = dataclasses.replace(config, workers=env.workers)
        before = resumed.checkpoint if resumed else None
        precision = Precision(**before.state["precision"]) if before else precision_of(config, len(suite.tasks), device)
        whole = env if stepped is suite else stack.enter_context(closing(TensorEnv(suite, 1, device)))
        agent, context = agent_of(
            in_precision(config, precision), suite, whole, LEARNING, begun.frame if begun else None
        )
        learner = rehearsal_of(begun, agent, config, suite, whole, env) if begun and config.add_task else agent
        sampler = sampler_of(config, env)
        if not before:
            check_success(config, suite, agent, device)
            if begun:
                start_from(begun, agent, context, config, suite, whole)
        replay, size = replay_of(config, env)
        seed = score_seed(config.seed, EVALUATION)
        camera = camera_for(as_scored(suite), seed, device) if config.record_every else None
        if camera is not None:
            stack.enter_context(closing(camera))
        path = resumed.path if resumed else new_run_folder(config.runs_dir, suite.name, config.agent, config.seed)
        files.enter_context(lock(path))
        if resumed:
            begin_again(path)
        told = {"context_source": context.source, **suite_facts(config, suite), **resumption(resumed)}
        if begun:
            scored = None if before else final_scores(config, suite, greedy(agent), device)
            told |= begun.facts(scored, path)
        write_config(path, config, **told)
        folder = KeptFolder(path, lambda: write_config(path, config, **told))
        console.print(
            f"{path}: {config.agent} on {len(suite.tasks)} tasks, {device}, {parameter_count(agent):,} parameters, "
            f"replay {size}, sentence vectors: {context.source}, worker processes: {env.workers or 'none'}, "
            f"precision: {precision.in_words}",
            markup=False,
        )
        if precision.warning:
            console.print(f"warning: {precision.warning}", markup=False)
        scorer = stack.enter_context(closing(Scorer(suite, config.eval_episodes, seed, device, **processes_of(config))))
        log = files.enter_context(log_of(config, suite, path, console, before))
        stop = stack.enter_context(StopRequest())
        display = stack.enter_context(Display(console, config.agent, config.steps_per_task))
        if not before:
            describe(log, config, path)
        report, user, rules = MetricsWriter(suite, log), UserCallbacks(callbacks), rules_of(config)
        guard = FiniteGuard(agent, device)
        diagnoser = Diagnoser(config, suite.task_names, learner, replay, log, device)
        heard = [display.evaluated, user.evaluated]
        evaluation = Evaluation(agent, scorer, sampler, report, heard, stop.check, learner.inspect)
        training = Training(
            config,
            env,
            learner,
            replay,
            sampler,
            guard,
            stop.breakable,
            trained=begun is not None,
            graph=graph_of(config, learner, replay),
        )
        parts: dict[str, Stateful] = {
            "training": training,
            "report": report,
            "diagnoser": diagnoser,
            "user": user,
            "log": log,
        }
        saving = Saving(path, parts, {"precision": dataclasses.asdict(precision)}, replay, config, console, before)
        if before:
            guard.keep(training.step)  # the weights that were loaded, should what follows diverge at once
            display.resume(training.step, training.env_steps)
            if dropped := dropped_episodes(before):
                console.print(f"running episodes dropped, since their environments cannot be saved: {dropped}")
        schedule = [
            Scheduled(folder, either(rules.log, rules.evaluation)),
            Scheduled(report.step),
            Scheduled(diagnoser, diagnoser.due),
            Scheduled(guard, either(rules.log, rules.evaluation)),
            Scheduled(report.log, rules.log),
            Scheduled(LongEpisodes(stepped.task_names, env.open_lengths), rules.log),
            Scheduled(evaluation, rules.evaluation),
            Scheduled(film_of(camera, agent, report), multiples_of(config.record_every, at_end=True)),
            Scheduled(display.progress, rules.progress),
            Scheduled(saving),
            Scheduled(lambda _: not stop),
            *user.scheduled(rules.progress),
        ]
        try:
            with suppress(Interrupted):  # an evaluation or a slow step, which is done again when the run goes on
                training.run(schedule)
        except FolderTaken as error:
            rescued = new_run_folder(config.runs_dir, suite.name, config.agent, config.seed)
            save_weights(agent.state_dict(), rescued, training.step)
            raise RunError(f"{error}; the weights so far are in {rescued}") from None
        except (TaskFailed, SuiteError):  # it is the environments that failed; what was learned is sound
            folder()
            save_weights(agent.state_dict(), path, training.step)
            if saving.save(training.step):
                console.print(f"to go on: {resuming(path)}", markup=False)
            raise
        except Diverged as error:
            folder()
            save_weights(guard.weights, path, guard.step)
            raise Diverged(f"{error}; the last finite weights are in {path}") from None
        spent = log.spent  # before the processes that step environments end, which takes time too
        folder()
        saved = saving.save(training.step)
        stack.close()  # what follows needs no environments, and a signal may end it at once
        save_weights(agent.state_dict(), path, training.step)
        if stop.signal is not None:
            console.print(
                f"stopped at {training.step:,} steps per task; weights and metrics so far are in {path}", markup=False
            )
            if saved:
                console.print(f"to go on: {resuming(path)}", markup=False)
            raise Stopped(stop.signal)
        scores = final_scores(config, suite, greedy(agent), device)
        if begun:
            scores[BEFORE] = told[BEFORE]
        progress = Progress(training.step, training.env_steps, training.updates)
        result = finish(path, config, suite, progress, spent, parameter_count(agent), device, precision, scores, log)
        if not config.keep_checkpoint:
            saving.discard()
        return result


def film_of(camera: Camera | None, agent: Agent, report: MetricsWriter) -> Callable[[Moment], None]:
    """Return the callback that films an agent's policy, where there is a camera."""

    def film(now: Moment) -> None:
        if camera is not None:
            report.film(now.span.step, camera.film(greedy(agent)))

    return film

"""Watch a run's policy in a window: ``python -m mtrl.play RUN --task NAME``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agents.registry.facts import setting
from mtrl.config.train_config import MAX_COPIES, MAX_SEED
from mtrl.errors import UsageError
from mtrl.terminal.cli import command, parse

SIDE = 480  # pixels of the picture


@dataclass(frozen=True)
class PlayConfig:
    """Show a run's deterministic policy on one task in a window; close it, or press Escape or q, to quit."""

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    task: str
    """Task to play; a held-out one too, if the agent can play it."""
    episodes: int = setting(5, least=1, most=MAX_COPIES)
    """Number of episodes."""
    seed: int = setting(1_000_000, least=0, most=MAX_SEED)
    """Seed of the first episode; each later episode adds 1."""
    suite: str | None = None
    """The run's suite again, if it is a module or a TOML file: only what you name is imported."""
    trust: bool = False
    """Allow importing the modules that the run's files name."""
    fps: float = setting(20.0, above=0)
    """Maximum number of steps shown per second."""
    device: str = "auto"
    """Device: auto (a GPU if there is one), cpu or cuda."""


def main(arguments: Sequence[str]) -> int:
    """Parse, load and show."""
    options: PlayConfig = parse(PlayConfig, "mtrl.play", arguments)
    return play(options)


def play(options: PlayConfig) -> int:
    """Show the episodes and say what came of each."""
    from envs.suite import HELD_OUT, PARAPHRASED
    from mtrl.policies.parts import parts_of
    from mtrl.runs.trust import open_run
    from mtrl.runs.unfinished import warn_if_stopped
    from mtrl.scoring.final import as_scored
    from mtrl.terminal.console import plain_console
    from mtrl.training.assemble import device_of
    from mtrl.video.drawing import drawing_env
    from mtrl.video.mosaic import Mosaic
    from mtrl.video.playing import moments
    from mtrl.video.window import Window

    if options.task in (HELD_OUT, PARAPHRASED):
        raise UsageError(f"--task is {options.task!r}, which means several tasks; give one by name")
    config, facts, suite = open_run(options.run, options.suite, options.trust)
    config = dataclasses.replace(config, device=options.device)
    (part,) = parts_of(options.run, (options.task,), config, suite, facts)
    warn_if_stopped(options.run, config)
    device, console = device_of(config), plain_console()
    with Window(f"{options.task}: {options.run}", options.fps) as window:
        env = drawing_env(as_scored(part.suite), "mtrl.play")
        mosaic = Mosaic(env, SIDE)
        for episode in range(options.episodes):
            for moment in moments(env, part.policy, options.seed + episode, device):
                if not window.show(mosaic.draw(moment)):
                    break
            if not window.open:
                break
            said = ", solved" if moment.solved[0] else ""
            console.print(f"episode {episode + 1}: {moment.steps[0]} steps, return {moment.totals[0]:.4g}{said}")
        env.close()
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

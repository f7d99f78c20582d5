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

SIDE = 480  # pixels of the image


@dataclass(frozen=True)
class PlayConfig:
    """Show a run's deterministic policy on one task in a window; close it, or press Escape or q, to quit."""

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    task: str
    """Task to play; may be a held-out one if the agent supports it."""
    episodes: int = setting(5, ge=1, le=MAX_COPIES)
    """Number of episodes."""
    seed: int = setting(1_000_000, ge=0, le=MAX_SEED)
    """Seed of the first episode; each later episode adds 1."""
    suite: str | None = None
    """The run's suite again, if it is a module or a TOML file: only what you name is imported."""
    trust: bool = False
    """Allow importing the modules that the run's files name."""
    fps: float = setting(20.0, gt=0)
    """Maximum number of steps shown per second."""
    device: str = "auto"
    """Device: auto (a GPU if there is one), cpu or cuda."""


def main(arguments: Sequence[str]) -> int:
    """Parse, load and show."""
    options: PlayConfig = parse(PlayConfig, "mtrl.play", arguments)
    return play(options)


def play(options: PlayConfig) -> int:
    """Show the episodes and print the result of each."""
    from envs.suite import HELD_OUT, PARAPHRASED
    from mtrl.policies.parts import parts_of
    from mtrl.runs.trust import open_run
    from mtrl.runs.unfinished import warn_if_stopped
    from mtrl.scoring.final import as_scored
    from mtrl.terminal.console import plain_console
    from mtrl.training.assemble import device_of
    from mtrl.video.drawing import drawing_env
    from mtrl.video.mosaic import Mosaic
    from mtrl.video.playing import episode_frames
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
            for frame in episode_frames(env, part.policy, options.seed + episode, device):
                if not window.show(mosaic.draw(frame)):
                    break
            if not window.open:
                break
            solved = ", solved" if frame.solved[0] else ""
            console.print(f"episode {episode + 1}: {frame.steps[0]} steps, return {frame.returns[0]:.4g}{solved}")
        env.close()
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

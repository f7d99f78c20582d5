"""One episode of each task as it is played, and its pictures side by side with name, step and success."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from gymnasium.error import DependencyNotInstalled
from PIL import Image, ImageDraw, ImageOps

from envs.errors import MissingExtra, SuiteError, one_line
from envs.suite import TaskSuite
from envs.vector import MultiTaskVectorEnv
from mtrl.cli import UsageError
from mtrl.names import shortened
from mtrl.scores import Policy

LABEL = 30  # pixels above each picture: two lines of text
LONGEST = 500  # steps
DRAWING = (
    "add a method render() that returns an (H, W, 3) image, accept render_mode='rgb_array' when making the "
    "environment, and list it in metadata['render_modes']"
)
SOLVED = "#d7f0dd"  # what is behind the words once a task is solved


class Moment(NamedTuple):
    """Where each task's episode stands; that of a task that ended stays where it ended."""

    step: int
    steps: np.ndarray  # (T,) int: of each task's episode
    totals: np.ndarray  # (T,) rewards added up
    solved: np.ndarray  # (T,) bool: at some step so far
    running: np.ndarray  # (T,) bool


def drawing_env(suite: TaskSuite, flag: str) -> MultiTaskVectorEnv:
    """Make one environment of each task and render it once; ``flag`` is the option that needs it.

    Raises ``UsageError`` if one cannot, naming the task, the flag and the remedy.
    """
    env = None
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("MUJOCO_GL", "egl")  # MuJoCo would look for a display, which it can do without
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # so would pygame
    try:
        env = MultiTaskVectorEnv(suite, 1, render_mode="rgb_array")
        env.reset(seed=0)
        env.render()
    except (SuiteError, NotImplementedError, AttributeError) as error:
        if env is not None:
            env.close()
        # An environment's own exceptions are SuiteErrors; what is none comes from a simulator without render().
        words = str(error) if isinstance(error, SuiteError) else f"suite {suite.name!r}: {one_line(error)}"
        lacks_package = isinstance(error, MissingExtra) or isinstance(error.__cause__, DependencyNotInstalled)
        way_out = "" if lacks_package else f"; {DRAWING}"
        raise UsageError(f"{flag} needs environments that can render: {words}{way_out}") from None
    return env


def moments(env: MultiTaskVectorEnv, policy: Policy, seed: int, device: torch.device) -> Iterator[Moment]:
    """Play one episode of each task, ``LONGEST`` steps at most -> how it stands at its start and after each step."""
    tasks = env.num_tasks
    steps, totals = np.zeros(tasks, dtype=np.int64), np.zeros(tasks)
    solved, running = np.zeros(tasks, dtype=bool), np.ones(tasks, dtype=bool)
    obs, _ = env.reset(seed=seed)
    yield Moment(0, steps, totals, solved, running)
    for step in range(1, LONGEST + 1):
        action = policy(torch.as_tensor(env.split(obs), device=device))
        obs, _, _, _, info = env.step(action.flatten(0, 1).cpu().numpy())
        episode = info["episode"]
        steps = np.where(running, step, steps)
        totals = np.where(running, episode["r"], totals)
        solved = np.where(running, episode["success_any"] > 0, solved)
        running = running & ~info["_final_obs"]
        yield Moment(step, steps, totals, solved, running)
        if not running.any():
            return


class Film(NamedTuple):
    """Pictures of one size, ``every`` so many steps."""

    frames: list[Image.Image]
    every: int


class Mosaic:
    """Draws every task's picture, ``side`` pixels at most, into one; a task that ended keeps its last."""

    def __init__(self, env: MultiTaskVectorEnv, side: int, columns: int | None = None) -> None:
        """``columns`` are those of the grid; unless given, it is made twice and a half as wide as high."""
        self._env, self._side = env, side
        pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        self._short = shortened(env.suite.task_names, side - 8, pen.textlength)
        tasks = len(self._short)
        self._columns = min(tasks, columns or (math.ceil(math.sqrt(tasks * 2.5)) if tasks > 3 else tasks))
        self._pictures: list[Image.Image] = []

    def draw(self, moment: Moment) -> Image.Image:
        """Return the picture of a moment, which has to be the environments' own. The first one draws every task."""
        if moment.step == 0:
            self._pictures = [self._scaled(picture) for picture in self._env.render()]
        else:
            running = [int(k) for k in np.flatnonzero(moment.running)]
            for k, picture in zip(running, self._env.engine.render(running), strict=True):
                self._pictures[k] = self._scaled(picture)
        return _grid([self._tile(k, moment) for k in range(len(self._short))], self._columns)

    def _scaled(self, picture: np.ndarray) -> Image.Image:
        return ImageOps.contain(Image.fromarray(picture), (self._side, self._side))

    def _tile(self, k: int, moment: Moment) -> Image.Image:
        image, solved = self._pictures[k], bool(moment.solved[k])
        tile = Image.new("RGB", (self._side, self._side + LABEL), SOLVED if solved else "white")
        tile.paste(image, ((self._side - image.width) // 2, LABEL))
        pen = ImageDraw.Draw(tile)
        pen.text((4, 3), self._short[k], fill="black")
        pen.text((4, 15), f"step {moment.steps[k]}{', solved' if solved else ''}", fill="black")
        return tile


def film(
    env: MultiTaskVectorEnv,
    policy: Policy,
    seed: int,
    device: torch.device,
    side: int,
    most: int,
    columns: int | None = None,
) -> Film:
    """Play an episode of every task -> at most ``most`` pictures, evenly spaced, and its last one."""
    mosaic, every = Mosaic(env, side, columns), 1
    frames: list[Image.Image] = []
    for moment in moments(env, policy, seed, device):
        over = not moment.running.any() or moment.step == LONGEST
        if moment.step % every and not over:
            continue
        if len(frames) >= most and not over:
            frames, every = frames[::2], 2 * every
            if moment.step % every:
                continue
        frames.append(mosaic.draw(moment))
    return Film(frames, every)


def _grid(tiles: Sequence[Image.Image], columns: int) -> Image.Image:
    """Put tiles of one size into a picture, row by row; both its sides are even, as mp4 asks for."""
    width, height = tiles[0].width + 4, tiles[0].height + 4
    rows = math.ceil(len(tiles) / columns)
    grid = Image.new("RGB", (columns * width + columns * width % 2, rows * height + rows * height % 2), "white")
    for k, tile in enumerate(tiles):
        grid.paste(tile, (k % columns * width, k // columns * height))
    return grid
